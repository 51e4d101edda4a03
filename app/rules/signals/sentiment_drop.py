"""Sentiment drop: the mood, as we are told it, is too low, or has fallen too far below its best.

A number from -1 to 1, or one of the words negative, neutral and positive. What nobody told is neither good nor bad.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.rules.guidance import Guidance
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Score
from app.rules.signals._scores import score
from app.rules.signals._spells import Evidence, Holding, while_true

AFTER_SOLVE: Final = False
CURE: Final[str | None] = "improved"
GUIDANCE: Final = Guidance(
    (
        "Acknowledge the anger first, in your own words; then the facts.",
        "Offer a choice: a call, another person, another time.",
        "Promise only what you can keep, with a time.",
    ),
    "We understand that {ticket} is frustrating, and we are sorry. Here is what happens now; you will hear from us by {next_update}.",
)

_WORDS: Final = {"negative": -1.0, "very negative": -1.0, "neutral": 0.0, "mixed": 0.0, "positive": 1.0, "very positive": 1.0}


def holds(past: Past, knobs: Score) -> Iterable[Holding]:
    """While the mood is below the level, or has dropped so far from the best there was."""
    scores = [score(step.facts.get("sentiment"), _WORDS) for step in past.steps]
    bests = list(_bests(scores))

    def evidence(place: int) -> Evidence:
        step, best = past.steps[place], bests[place]
        fall = f", down from {best:g}" if best is not None and scores[place] != best else ""
        sentence = f"{shown_at(step.at)}: the sentiment is {scores[place]:g}{fall} ({knobs.words})."
        return Evidence((sentence,), tuple(event.key for event in step.events if "sentiment" in event.set))

    return while_true(past, [_is_low(now, best, knobs) for now, best in zip(scores, bests, strict=True)], evidence)


def _bests(scores: Sequence[float | None]) -> Iterator[float | None]:
    """The best score so far, at each step."""
    best: float | None = None
    for found in scores:
        best = found if best is None else max(best, found if found is not None else best)
        yield best


def _is_low(now: float | None, best: float | None, knobs: Score) -> bool:
    if now is None or best is None:
        return False
    return (knobs.below is not None and now < knobs.below) or (knobs.drop is not None and round(best - now, 9) >= knobs.drop)
