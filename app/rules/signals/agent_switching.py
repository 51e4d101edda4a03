"""Agent switching: the ticket went from one human to another too often.

The first assignment does not count, nor do bots, nor what the service itself wrote back. To nobody and back to the same person is no
switch; to nobody and on to somebody else is one.
"""

from collections.abc import Iterable
from typing import Final

from app.rules.guidance import Guidance
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Count, span
from app.rules.signals._spells import Evidence, Holding, too_many

AFTER_SOLVE: Final = False
CURE: Final[str | None] = None
GUIDANCE: Final = Guidance(
    (
        "Name one person who keeps the ticket until it is solved.",
        "Read the history before you write: the customer should not have to explain it again.",
        "Whoever hands over says why, and what was tried.",
    ),
    "We are sorry that {ticket} has been passed around. One person takes care of it from now on and will write to you by {next_update}.",
)


def holds(past: Past, knobs: Count) -> Iterable[Holding]:
    """While more transfers than allowed lie within the window."""
    moves = past.transfers

    def evidence(first: int, after: int) -> Evidence:
        counted = moves[first:after]
        people = list(dict.fromkeys(name for move in counted for name in (move.giver, move.taker)))
        window = f" within {span(knobs.within)}" if knobs.within is not None else ""
        summary = f"{len(counted)} transfers between {len(people)} agents{window}: {', '.join(people)}."
        told = (f"{shown_at(move.at)}: from {move.giver} to {move.taker}." for move in counted)
        return Evidence((summary, *told), tuple(move.key for move in counted))

    return too_many([move.at for move in moves], knobs, evidence)
