"""The exact bytes of an event: what happened, to which ticket, by which rule, what comes next, where to look.

The models of `app.schemas.events_out` say what an event looks like. Here it is built from plain values, in the order of their fields and
without those that are None, because very many clocks may break at one instant; tests read every body with its model and write it again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from app.rules.evaluate import Clock, Verdict, target_seconds, target_text
from app.schemas.events_out import rfc3339
from app.services.configuration import Current
from app.services.context import Backdrop, context, present, signal_of, signal_out, smaller, when
from app.services.links import VALID_FOR, Link, token
from app.services.sayings import Raising, Saying, Telling
from app.store.tickets import LockedTicket

BODY_MAX = 20_000
"""Bytes of a signed body, as Standard Webhooks advises."""
_TEXT_MAX = 500
_TAGS_MAX = 50
_ASKS = frozenset({"sla.warning", "sla.breached", "escalation.opened", "escalation.step", "escalation.exhausted"})
"""Events that ask somebody to act: these have a link to acknowledge."""
_BEFORE_TIER: Final = ("subject", "url", "status", "priority")
_AFTER_TIER: Final = ("group", "assignee", "requester", "organization")

Part = dict[str, Any]


def body(saying: Saying, current: Current, at: datetime, *, notice_id: str, link_key: bytes | None, backdrop: Backdrop) -> bytes:
    """The bytes that say a fact about a clock (`SlaData`); at most `BODY_MAX`. `link_key` None: without a link to acknowledge."""
    moved = saying.retargeted
    data = {
        **context(saying, current, at, backdrop),
        "ticket": _ticket(saying.ticket, saying.verdict),
        "clock": _clock(saying.clock, saying.clock_id),
        "why": _why(saying.clock, saying.milestone, current),
        "breach_id": saying.breach_id,
        "late_seconds": saying.late_seconds,
        "detected_at": rfc3339(at) if saying.breach_id else None,
        "cause": saying.clock.cause if saying.breach_id else None,
        "retracted_by": saying.retracted_by,
        "source_stale": saying.source_stale or None,
        "retargeted": moved.model_dump(mode="json", exclude_none=True) if moved is not None else None,
        "step": saying.step.model_dump(exclude_none=True) if saying.step is not None else None,
        "links": _links(saying.type, saying.ticket.id, saying.breach_id, saying.escalation_id, current, at, notice_id, link_key),
    }
    return _fitted(saying.type, saying.timestamp, present(data))


def escalation_body(
    telling: Telling, current: Current, at: datetime, *, notice_id: str, link_key: bytes | None, backdrop: Backdrop
) -> bytes:
    """The bytes that say what an escalation has to tell (`EscalationData`); at most `BODY_MAX`."""
    row, clock = telling.row, telling.clock
    data = {
        **context(telling, current, at, backdrop),
        "ticket": _ticket(telling.ticket, telling.verdict),
        "escalation": escalation_out(row),
        "clock": _clock(clock, row["clock_id"]) if clock is not None else None,
        "why": _why(clock, telling.milestone, current) if clock is not None else None,
        "breach_id": row["breach_id"],
        "late_seconds": late_seconds(clock, at) if clock is not None else None,
        "step": telling.step.model_dump(exclude_none=True) if telling.step is not None else None,
        "signal": signal_of(row, backdrop),
        "links": _links(telling.type, telling.ticket.id, row["breach_id"], row["id"], current, at, notice_id, link_key),
    }
    return _fitted(telling.type, telling.timestamp, present(data))


def signal_body(raising: Raising, current: Current, at: datetime, *, notice_id: str, backdrop: Backdrop) -> bytes:
    """The bytes that say that a signal was raised (`SignalData`); at most `BODY_MAX`."""
    row, ticket = raising.row, raising.ticket
    data = {
        **context(raising, current, at, backdrop),
        "ticket": _ticket(ticket, raising.verdict),
        "signal": signal_out(row),
        "escalation_id": row["escalation_id"],
        "links": _links(raising.type, ticket.id, None, row["escalation_id"], current, at, notice_id, None),
    }
    return _fitted(raising.type, raising.timestamp, present(data))


def escalation_out(row: Mapping[str, Any]) -> Part:
    """An escalation as events show it (`EscalationOut`), from its row."""
    return present(
        {
            **{name: row[name] for name in ("id", "ladder", "type", "cause", "state")},
            "opened_at": when(row["opened_at"]),
            "opened_by": row["opened_by"],
            "reason": _cut(row["reason"]),
            "premature": row["premature"] or None,
            "acknowledged_at": when(row["acknowledged_at"]),
            "acknowledged_by": row["acknowledged_by"],
            "acknowledged_until": when(row["waits_until"]) if row["state"] == "acknowledged" else None,
            "closed_at": when(row["closed_at"]),
            "closed_because": row["closed_because"],
        }
    )


def late_seconds(clock: Clock, at: datetime) -> int | None:
    """Open seconds between the breach and the answer, or the present; None when the promise is not broken."""
    if clock.breached_at is None:
        return None
    until = clock.cycle.stopped_at or at
    return clock.cycle.terms.calendar.open_microseconds_between(clock.breached_at, until) // 1_000_000


def _fitted(type_: str, timestamp: datetime, data: Part) -> bytes:
    """The event with as much of its context as there is room for."""
    raw = b""
    for part in smaller(data):
        data = part
        raw = _dump(type_, timestamp, data)
        if len(raw) <= BODY_MAX:
            return raw
    bare = {name: value for name, value in data["ticket"].items() if name != "url"}
    return _dump(type_, timestamp, {**data, "ticket": {**bare, "tags": []}})


def _dump(type_: str, timestamp: datetime, data: Part) -> bytes:
    return orjson.dumps({"timestamp": rfc3339(timestamp), "type": type_, "data": data})


def _ticket(ticket: LockedTicket, verdict: Verdict) -> Part:
    """`TicketOut`."""
    known = verdict.ticket
    facts = known.facts if known is not None else {}
    tags = facts.get("tags")
    return present(
        {
            "id": ticket.id,
            "source": ticket.source,
            "external_id": ticket.external_id,
            **{name: _text(facts.get(name)) for name in _BEFORE_TIER},
            "tier": verdict.tier if known is not None else None,
            **{name: _text(facts.get(name)) for name in _AFTER_TIER},
            "tags": [tag[:_TEXT_MAX] for tag in tags[:_TAGS_MAX]] if isinstance(tags, tuple) else [],
            "created_at": when(known.created_at) if known is not None else None,
        }
    )


def _text(value: object) -> str | None:
    return None if value is None else _cut(str(value))


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"


def _clock(clock: Clock, clock_id: str) -> Part:
    """`ClockOut`."""
    cycle = clock.cycle
    return present(
        {
            "id": clock_id,
            "metric": cycle.metric,
            "cycle": cycle.number,
            "state": clock.state,
            "started_at": rfc3339(cycle.anchor),
            "target_seconds": target_seconds(cycle.target),
            "target": target_text(cycle.target),
            "elapsed_seconds": clock.consumed // 1_000_000,
            "remaining_seconds": None if clock.remaining is None else clock.remaining // 1_000_000,
            "due_at": when(clock.due_at),
            "breached_at": when(clock.breached_at),
            "stopped_at": when(cycle.stopped_at),
        }
    )


def _why(clock: Clock, milestone: str, current: Current) -> Part:
    """`WhyOut`."""
    cycle = clock.cycle
    return {"policy": cycle.policy, "revision": current.judges_as, "calendar": cycle.terms.calendar.name, "milestone": milestone}


def _links(
    type_: str, ticket_id: str, breach_id: str | None, escalation_id: str | None, current: Current, at: datetime, notice_id: str,
    link_key: bytes | None,
) -> Part:  # fmt: skip
    """`LinksOut`."""
    if not current.public_url:
        return {}
    root = current.public_url.rstrip("/")
    asks = escalation_id is not None and link_key is not None and type_ in _ASKS
    link = Link(escalation_id or "", notice_id, at + VALID_FOR)
    return present(
        {
            "ticket": f"{root}/v1/tickets/{ticket_id}",
            "explain": f"{root}/v1/tickets/{ticket_id}/explain",
            "breach": f"{root}/v1/breaches/{breach_id}" if breach_id else None,
            "escalation": f"{root}/v1/escalations/{escalation_id}" if escalation_id else None,
            "acknowledge": f"{root}/acknowledge/{token(link_key, link)}" if asks and link_key is not None else None,
        }
    )
