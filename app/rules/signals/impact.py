"""Impact: many are hit, or many look on: users affected, a public channel, whatever the document names."""

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
        "Find out who else is hit, and tell them before they ask.",
        "Answer where the question was asked, briefly; go on in private.",
        "Agree on one text for everybody who answers.",
    ),
    "We know that {ticket} hits more than you. We are working on it and will tell you by {next_update} how it stands.",
)


def holds(past: Past, knobs: Matching) -> Iterable[Holding]:
    """While the condition holds."""
    return while_matching(past, knobs.match)
