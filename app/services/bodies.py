"""The exact bytes of an event: what happened, to which ticket, by which rule, what comes next, where to look."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.rules.evaluate import Clock, Verdict, target_seconds, target_text
from app.schemas.events_out import (
    ClockOut,
    EscalationData,
    EscalationOut,
    LinksOut,
    SignalData,
    SlaData,
    TicketOut,
    WhyOut,
    event_types,
)
from app.services.configuration import Current
from app.services.context import Backdrop, context, signal_of, signal_out, smaller
from app.services.links import VALID_FOR, Link, token
from app.services.sayings import Raising, Saying, Telling
from app.store.tickets import LockedTicket

BODY_MAX = 20_000
"""Bytes of a signed body, as Standard Webhooks advises."""
_TEXT_MAX = 500
_TAGS_MAX = 50
_ASKS = frozenset({"sla.warning", "sla.breached", "escalation.opened", "escalation.step", "escalation.exhausted"})
"""Events that ask somebody to act: these have a link to acknowledge."""

_EVENTS = event_types()


def body(saying: Saying, current: Current, at: datetime, *, notice_id: str, link_key: bytes | None, backdrop: Backdrop) -> bytes:
    """The bytes that say a fact about a clock; at most `BODY_MAX`. `link_key` None: without a link to acknowledge."""
    data = SlaData(
        ticket=_ticket(saying.ticket, saying.verdict),
        clock=_clock(saying.clock, saying.clock_id),
        why=_why(saying.clock, saying.milestone, current),
        breach_id=saying.breach_id,
        late_seconds=saying.late_seconds,
        detected_at=at if saying.breach_id else None,
        cause=saying.clock.cause if saying.breach_id else None,
        retracted_by=saying.retracted_by,
        source_stale=saying.source_stale or None,
        retargeted=saying.retargeted,
        step=saying.step,
        links=_links(saying.type, saying.ticket.id, saying.breach_id, saying.escalation_id, current, at, notice_id, link_key),
        **context(saying, current, at, backdrop),
    )
    return _fitted(saying.type, saying.timestamp, data)


def escalation_body(
    telling: Telling, current: Current, at: datetime, *, notice_id: str, link_key: bytes | None, backdrop: Backdrop
) -> bytes:
    """The bytes that say what an escalation has to tell; at most `BODY_MAX`."""
    row, clock = telling.row, telling.clock
    data = EscalationData(
        ticket=_ticket(telling.ticket, telling.verdict),
        escalation=escalation_out(row),
        clock=_clock(clock, row["clock_id"]) if clock is not None else None,
        why=_why(clock, telling.milestone, current) if clock is not None else None,
        breach_id=row["breach_id"],
        late_seconds=late_seconds(clock, at) if clock is not None else None,
        step=telling.step,
        signal=signal_of(row, backdrop),
        links=_links(telling.type, telling.ticket.id, row["breach_id"], row["id"], current, at, notice_id, link_key),
        **context(telling, current, at, backdrop),
    )
    return _fitted(telling.type, telling.timestamp, data)


def signal_body(raising: Raising, current: Current, at: datetime, *, notice_id: str, backdrop: Backdrop) -> bytes:
    """The bytes that say that a signal was raised; at most `BODY_MAX`."""
    row, ticket = raising.row, raising.ticket
    data = SignalData(
        ticket=_ticket(ticket, raising.verdict),
        signal=signal_out(row),
        escalation_id=row["escalation_id"],
        links=_links(raising.type, ticket.id, None, row["escalation_id"], current, at, notice_id, None),
        **context(raising, current, at, backdrop),
    )
    return _fitted(raising.type, raising.timestamp, data)


def escalation_out(row: Any) -> EscalationOut:
    """An escalation as events show it, from its row."""
    return EscalationOut(
        **{name: row[name] for name in ("id", "ladder", "type", "cause", "state", "opened_at", "opened_by", "acknowledged_at")},
        **{name: row[name] for name in ("acknowledged_by", "closed_at", "closed_because")},
        reason=_cut(row["reason"]),
        premature=row["premature"] or None,
        acknowledged_until=row["waits_until"] if row["state"] == "acknowledged" else None,
    )


def late_seconds(clock: Clock, at: datetime) -> int | None:
    """Open seconds between the breach and the answer, or the present; None when the promise is not broken."""
    if clock.breached_at is None:
        return None
    until = clock.cycle.stopped_at or at
    return clock.cycle.terms.calendar.open_microseconds_between(clock.breached_at, until) // 1_000_000


def _fitted(type_: str, timestamp: datetime, data: SlaData | EscalationData | SignalData) -> bytes:
    raw = b""
    for part in smaller(data):
        data = part
        raw = _dump(_EVENTS[type_](timestamp=timestamp, data=data))
        if len(raw) <= BODY_MAX:
            return raw
    trimmed = data.model_copy(update={"ticket": data.ticket.model_copy(update={"tags": [], "url": None})})
    return _dump(_EVENTS[type_](timestamp=timestamp, data=trimmed))


def _dump(event: BaseModel) -> bytes:
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


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


def _why(clock: Clock, milestone: str, current: Current) -> WhyOut:
    cycle = clock.cycle
    return WhyOut(policy=cycle.policy, revision=current.revision, calendar=cycle.terms.calendar.name, milestone=milestone)


def _links(
    type_: str, ticket_id: str, breach_id: str | None, escalation_id: str | None, current: Current, at: datetime, notice_id: str,
    link_key: bytes | None,
) -> LinksOut:  # fmt: skip
    if not current.public_url:
        return LinksOut()
    root = current.public_url.rstrip("/")
    asks = escalation_id is not None and link_key is not None and type_ in _ASKS
    link = Link(escalation_id or "", notice_id, at + VALID_FOR)
    return LinksOut(
        ticket=f"{root}/v1/tickets/{ticket_id}",
        explain=f"{root}/v1/tickets/{ticket_id}/explain",
        breach=f"{root}/v1/breaches/{breach_id}" if breach_id else None,
        escalation=f"{root}/v1/escalations/{escalation_id}" if escalation_id else None,
        acknowledge=f"{root}/acknowledge/{token(link_key, link)}" if asks and link_key is not None else None,
    )
