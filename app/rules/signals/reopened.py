"""Reopened: the ticket came back after it had been solved, too often.

Solved and closed again by an echo of our own does not count.
"""

from collections.abc import Iterable
from typing import Final

from app.rules.guidance import Guidance
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Count
from app.rules.signals._spells import Evidence, Holding, too_many

AFTER_SOLVE: Final = False
CURE: Final[str | None] = None
GUIDANCE: Final = Guidance(
    (
        "Ask what is still wrong before you propose the next solution.",
        "Look at the former solution: what did it not cover?",
        "Solve it only when the customer has confirmed that it works.",
    ),
    "We are sorry that {ticket} was not settled. We look into it again and will tell you by {next_update} what we have found.",
)


def holds(past: Past, knobs: Count) -> Iterable[Holding]:
    """While more reopenings than allowed lie within the window."""
    turns = past.reopenings

    def evidence(first: int, after: int) -> Evidence:
        counted = turns[first:after]
        times = "once" if len(counted) == 1 else f"{len(counted)} times"
        told = (f"{shown_at(turn.at)}: reopened." for turn in counted)
        return Evidence((f"Reopened {times} after it had been solved.", *told), tuple(turn.key for turn in counted))

    return too_many([turn.at for turn in turns], knobs, evidence)
