"""Severity: the ticket's own facts say that it is grave: priority, tags, category, whatever the document names."""

from collections.abc import Iterable
from typing import Final

from app.rules.guidance import Guidance
from app.rules.signals._matching import while_matching
from app.rules.signals._past import Past
from app.rules.signals._rule import Matching
from app.rules.signals._spells import Holding

AFTER_SOLVE: Final = False
CURE: Final[str | None] = "calmed"
GUIDANCE: Final = Guidance(
    (
        "Take it before everything else, and say in the ticket that you have it.",
        "Get whoever can decide into the conversation now, not after the first attempt.",
        "Write down what is known every half hour, even if nothing has changed.",
    ),
    "We treat {ticket} as urgent and are working on it now. You will hear from us by {next_update}, earlier if something changes.",
)


def holds(past: Past, knobs: Matching) -> Iterable[Holding]:
    """While the condition holds."""
    return while_matching(past, knobs.match)
