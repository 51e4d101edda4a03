"""Saying it: from a verdict to the exact bytes of an event and the channels that hear it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import orjson
from pydantic import BaseModel

from app.ids import DELIVERY, MESSAGE, new_id
from app.rules.conditions import holds
from app.rules.escalation import Step
from app.rules.evaluate import Clock, Verdict, target_seconds, target_text
from app.schemas.events_out import ClockOut, LinksOut, SlaData, StepOut, TicketOut, WhyOut, event_types
from app.services.configuration import Current
from app.store.tickets import LockedTicket

BODY_MAX = 20_000
"""Bytes of a signed body, as Standard Webhooks advises."""
_TEXT_MAX = 500
_TAGS_MAX = 50

_EVENTS = event_types()


@dataclass(frozen=True, slots=True)
class Saying:
    """One fact about one clock, ready to be said."""

    type: str
    milestone: str
    """What the effect key is made of: each is said once per clock, channel and generation."""
    timestamp: datetime
    ticket: LockedTicket
    verdict: Verdict
    clock: Clock
    clock_id: str
    generation: int
    breach_id: str | None = None
    late_seconds: int | None = None
    retracted_by: str | None = None
    expires_at: datetime | None = None


def audience(saying: Saying, current: Current) -> list[str]:
    """The channels that hear it: those that subscribe to its type and, for a breach, those its ladder names for that moment."""
    configured = current.loaded.channels
    channels = [name for name, channel in configured.items() if any(fnmatchcase(saying.type, pattern) for pattern in channel.events)]
    channels += [name for step in _breach_steps(saying, current) for name in step.notify if name in configured]
    return list(dict.fromkeys(channels))


def notice(saying: Saying, current: Current, channels: Iterable[str], at: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of the notice and one row per delivery."""
    notice_id = new_id(MESSAGE)
    shared = {"ticket_id": saying.ticket.id, "clock_id": saying.clock_id, "breach_id": saying.breach_id, "created_at": at}
    row = {
        "id": notice_id,
        "type": saying.type,
        "milestone": saying.milestone,
        "body": body(saying, current, at),
        "expires_at": saying.expires_at,
        **shared,
    }
    return row, [
        delivery(notice_id, saying.type, channel, effect(saying, channel), at, saying.expires_at, **shared) for channel in channels
    ]


def effect(saying: Saying, channel: str) -> str:
    """What makes saying it twice the same saying."""
    return f"{saying.clock_id}:{saying.milestone}:{channel}:{saying.generation}"


def delivery(
    notice_id: str, type_: str, channel: str, effect_: str, at: datetime, expires_at: datetime | None = None, **shared: Any
) -> dict[str, Any]:
    """A fresh row of the outbox, ready at once."""
    return {
        "id": new_id(DELIVERY),
        "notice_id": notice_id,
        "channel": channel,
        "effect": effect_,
        "type": type_,
        "state": "pending",
        "attempts": 0,
        "next_attempt_at": at,
        "fence": 0,
        "expires_at": expires_at,
        **shared,
    }


def body(saying: Saying, current: Current, at: datetime) -> bytes:
    """The exact bytes that are signed; at most `BODY_MAX`."""
    data = SlaData(
        ticket=_ticket(saying.ticket, saying.verdict),
        clock=_clock(saying.clock, saying.clock_id),
        why=WhyOut(
            policy=saying.clock.cycle.policy,
            revision=current.revision,
            calendar=saying.clock.cycle.terms.calendar.name,
            milestone=saying.milestone,
        ),
        breach_id=saying.breach_id,
        late_seconds=saying.late_seconds,
        detected_at=at if saying.breach_id else None,
        cause=saying.clock.cause if saying.breach_id else None,
        retracted_by=saying.retracted_by,
        step=_step(saying, current),
        links=_links(saying, current.public_url),
    )
    raw = _dump(_EVENTS[saying.type](timestamp=saying.timestamp, data=data))
    if len(raw) > BODY_MAX:
        trimmed = data.model_copy(update={"ticket": data.ticket.model_copy(update={"tags": [], "url": None}), "truncated": True})
        raw = _dump(_EVENTS[saying.type](timestamp=saying.timestamp, data=trimmed))
    return raw


def _dump(event: BaseModel) -> bytes:
    return orjson.dumps(event.model_dump(mode="json", exclude_none=True))


def _ticket(ticket: LockedTicket, verdict: Verdict) -> TicketOut:
    known = verdict.ticket
    if known is None:
        return TicketOut(id=ticket.id, source=ticket.source, external_id=ticket.external_id)
    tags = known.facts.get("tags")
    text = {
        name: _cut(known.text(name)) for name in ("subject", "url", "status", "priority", "group", "assignee", "requester", "organization")
    }
    return TicketOut(
        id=ticket.id,
        source=ticket.source,
        external_id=ticket.external_id,
        tier=verdict.tier,
        tags=[tag[:_TEXT_MAX] for tag in tags[:_TAGS_MAX]] if isinstance(tags, tuple) else [],
        created_at=known.created_at,
        **text,
    )


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"


def _clock(clock: Clock, clock_id: str) -> ClockOut:
    return ClockOut(
        id=clock_id,
        metric=clock.cycle.metric,
        cycle=clock.cycle.number,
        state=clock.state,
        started_at=clock.cycle.anchor,
        target=target_text(clock.cycle.target),
        target_seconds=target_seconds(clock.cycle.target),
        elapsed_seconds=clock.consumed // 1_000_000,
        remaining_seconds=None if clock.remaining is None else clock.remaining // 1_000_000,
        due_at=clock.due_at,
        breached_at=clock.breached_at,
        stopped_at=clock.cycle.stopped_at,
    )


def _breach_steps(saying: Saying, current: Current) -> list[Step]:
    """The rungs that speak at the breach and whose condition holds; none for other events."""
    policy = next((p for p in current.book.policies if p.name == saying.clock.cycle.policy), None)
    ladder = current.loaded.ladders.get(policy.escalation) if policy and policy.escalation else None
    if ladder is None or saying.type != "sla.breached":
        return []
    facts = {**(saying.verdict.ticket.facts if saying.verdict.ticket else {}), "tier": saying.verdict.tier}
    return [step for step in ladder.breach_steps() if step.condition is None or holds(step.condition, facts)]


def _step(saying: Saying, current: Current) -> StepOut | None:
    """The rung that speaks at the breach; None when the ladder has nothing to say."""
    steps = _breach_steps(saying, current)
    if not steps:
        return None
    policy = next(p for p in current.book.policies if p.name == saying.clock.cycle.policy)
    return StepOut(ladder=policy.escalation or "", step=steps[0].index + 1, type=steps[0].type)


def _links(saying: Saying, public_url: str | None) -> LinksOut:
    if not public_url:
        return LinksOut()
    base = f"{public_url.rstrip('/')}/v1"
    return LinksOut(
        ticket=f"{base}/tickets/{saying.ticket.id}",
        explain=f"{base}/tickets/{saying.ticket.id}/explain",
        breach=f"{base}/breaches/{saying.breach_id}" if saying.breach_id else None,
    )
