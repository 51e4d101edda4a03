"""Low satisfaction: the customer's own score is below what the document tolerates. It mostly comes after the ticket was solved.

Numbers are compared; the words that some helpdesks use instead (`bad`, `good`) are below, or above, every threshold.
"""

from collections.abc import Iterable
from math import inf
from typing import Final

from app.rules.condition_tests import shown
from app.rules.guidance import Guidance
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Score
from app.rules.signals._scores import score
from app.rules.signals._spells import Evidence, Holding, while_true

AFTER_SOLVE: Final = True
CURE: Final[str | None] = "improved"
GUIDANCE: Final = Guidance(
    (
        "Thank for the score and ask what was missing; do not defend.",
        "Find out whether the thing itself is settled; if not, reopen it.",
        "Write down the cause where the team can learn from it.",
    ),
    "Thank you for telling us honestly how we did on {ticket}. We want to set it right and will write to you by {next_update}.",
)

_WORDS: Final = {**dict.fromkeys(("bad", "negative", "unsatisfied", "dissatisfied", "terrible", "awful", "poor"), -inf),
                 **dict.fromkeys(("good", "positive", "satisfied", "great", "amazing", "excellent"), inf)}  # fmt: skip


def holds(past: Past, knobs: Score) -> Iterable[Holding]:
    """While the last score is too low."""
    limit = knobs.below if knobs.below is not None else -inf
    scores = [score(step.facts.get("csat"), _WORDS) for step in past.steps]

    def evidence(place: int) -> Evidence:
        step = past.steps[place]
        sentence = f"{shown_at(step.at)}: the satisfaction score is {shown(step.facts.get('csat'))}, {knobs.words}."
        return Evidence((sentence,), tuple(event.key for event in step.events if "csat" in event.set))

    return while_true(past, [found is not None and found < limit for found in scores], evidence)
