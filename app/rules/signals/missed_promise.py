"""Missed promise: too many promises on this ticket were broken.

What counts: every broken promise of the policy (a breach), and every time that an agent had promised an update for (the fact
`promised_update_at`) and nobody wrote to the customer by then.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from app.rules.events import ActorKind, FactValue
from app.rules.guidance import Guidance
from app.rules.signals._past import Broken, Past, shown_at
from app.rules.signals._rule import Count
from app.rules.signals._spells import Evidence, Holding, too_many

AFTER_SOLVE: Final = False
CURE: Final[str | None] = None
GUIDANCE: Final = Guidance(
    (
        "Own it: say what was promised and that it was not kept, without excuses.",
        "Make the next promise small, and keep it.",
        "If you cannot, ask somebody who can decide before you write.",
    ),
    "We promised you news about {ticket} and did not keep it. We are sorry. You will hear from us by {next_update}.",
)

FACT: Final = "promised_update_at"


def holds(past: Past, knobs: Count) -> Iterable[Holding]:
    """While more broken promises than allowed lie within the window."""
    missed = sorted([*past.broken, *_missed_updates(past)])

    def evidence(first: int, after: int) -> Evidence:
        counted = missed[first:after]
        count = "1 promise was" if len(counted) == 1 else f"{len(counted)} promises were"
        return Evidence((f"{count} broken.", *(f"{shown_at(one.at)}: {one.name.replace('_', ' ')}." for one in counted)))

    return too_many([one.at for one in missed], knobs, evidence)


def _missed_updates(past: Past) -> Iterator[Broken]:
    """Promised updates that did not come; also one that will be missed if nobody writes."""
    replies = [message.at for message in past.spoken if message.author is ActorKind.AGENT]
    told: FactValue = None
    for place, start, _ in past.pieces():
        value = past.steps[place].facts.get(FACT)
        if value == told:
            continue
        told = value
        promised_at = _instant(value)
        if promised_at is None or promised_at <= start or any(start < at <= promised_at for at in replies):
            continue
        if not _ended_before(past, place, promised_at):
            yield Broken(promised_at, "promised_update")


def _ended_before(past: Past, place: int, promised_at: datetime) -> bool:
    """Whether the ticket was solved or gone, or another time was promised, before that one."""
    value = past.steps[place].facts.get(FACT)
    until = [step for step in past.steps[place:] if step.at <= promised_at]
    return any(step.is_solved or step.is_gone or step.facts.get(FACT) != value for step in until)


def _instant(value: FactValue) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
