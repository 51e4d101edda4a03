"""A verdict as rows: of the ticket, of its clocks, of a breach. No database here."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from app.rules.evaluate import Clock, Verdict, target_seconds, target_text
from app.store.tickets import LockedTicket

CATEGORY_MAX: Final = 300
"""Characters of a category by which repeat tickets are found."""

_SHOWN: Final = ("subject", "url", "status", "priority", "group", "assignee", "requester", "organization", "merged_into")
_WIDTHS: Final = {"subject": None, "url": None, "requester": 300, "organization": 300, "merged_into": 300, "category": CATEGORY_MAX}
"""Characters of a column; 200 where none is said, None where there is no limit. The timeline keeps the whole."""
_AS_JUDGED: Final = frozenset({"judged_at"})
"""Columns of a clock that say nothing about it."""
LATE: Final = timedelta(minutes=1)
"""A breach noticed later than this is marked `detected_late`."""

Row = dict[str, Any]


def ticket_row(ticket: LockedTicket, verdict: Verdict, revision: int) -> Row:
    """What is stored of a ticket once it was judged by a revision of the document."""
    known = verdict.ticket
    facts = known.facts if known else {}
    tags = facts.get("tags")
    return {
        "id": ticket.id,
        **{name: _text(facts, name) for name in _SHOWN},
        "category": _text(facts, "category") or None,
        "tier": verdict.tier,
        "policy": verdict.policy,
        "tags": list(tags) if isinstance(tags, tuple) else None,
        "created_at": known.created_at if known else None,
        "last_event_at": ticket.timeline.events[-1].at if ticket.timeline.events else None,
        "deleted": bool(facts.get("deleted")),
        "revision": revision,
        "rejudge_at": verdict.rejudge_at,
        "version": ticket.version + 1,
        **({"timeline": ticket.dumped()} if ticket.fresh else {}),
    }


def shared_by_clocks(ticket: LockedTicket, verdict: Verdict, revision: int, at: datetime) -> Row:
    """What is the same in the rows of all clocks that a ticket is judged to have."""
    facts = verdict.ticket.facts if verdict.ticket else {}
    return {
        "ticket_id": ticket.id,
        "revision": revision,
        "source": ticket.source,
        "tier": verdict.tier,
        "group": _text(facts, "group"),
        "assignee": _text(facts, "assignee"),
        "failures": 0,
        "judged_at": at,
    }


def clock_row(
    shared: Mapping[str, Any], clock: Clock, clock_id: str, fired: list[str], generation: int, breached_at: datetime | None
) -> Row:
    """All columns of a clock. `fired`: the milestones that have been said; `breached_at`: when it broke, as is recorded."""
    cycle = clock.cycle
    return {
        "id": clock_id,
        "metric": cycle.metric,
        "cycle": cycle.number,
        "state": clock.state,
        "health": clock.health,
        "started_at": cycle.anchor,
        "stopped_at": cycle.stopped_at,
        "due_at": clock.due_at,
        "breached_at": breached_at,
        "next_check_at": clock.next_check_at(fired),
        "target": target_text(cycle.target),
        "target_seconds": target_seconds(cycle.target),
        "elapsed_seconds": clock.consumed // 1_000_000,
        "fired": fired,
        "policy": cycle.policy,
        "calendar": cycle.terms.calendar.name,
        "priority": cycle.priority and cycle.priority[:200],
        "generation": generation,
        **shared,
    }


def says_the_same(row: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Whether a clock is stored as it is: writing the row would only say when it was looked at."""
    return all(value == stored[name] for name, value in row.items() if name not in _AS_JUDGED)


def cancelled(stored: Mapping[str, Any]) -> Row:
    """The row of a clock that, as is known now, never ran."""
    nothing = dict.fromkeys(("next_check_at", "due_at", "breached_at"))
    return {**stored, **nothing, "state": "cancelled", "health": "cancelled", "stopped_at": stored["started_at"]}


def breach_row(shared: Mapping[str, Any], clock: Clock, breach_id: str, clock_id: str, *, late: int | None, suppressed: str | None) -> Row:
    """All columns of a breach that is recorded now. `late`: open seconds until the answer; None: there is none yet."""
    due, is_open, at = clock.breached_at, clock.cycle.is_open, shared["judged_at"]
    assert due is not None
    return {
        "id": breach_id,
        "clock_id": clock_id,
        **{name: shared[name] for name in ("ticket_id", "revision", "source", "tier", "group", "assignee")},
        "metric": clock.cycle.metric,
        "cycle": clock.cycle.number,
        "policy": clock.cycle.policy,
        "priority": clock.cycle.priority and clock.cycle.priority[:200],
        "status": "open" if is_open else "answered",
        "breached_at": due,
        "detected_at": at,
        "detected_late": not is_open or at - due > LATE,
        "cause": clock.cause,
        "suppressed": suppressed,
        "answered_at": clock.cycle.stopped_at,
        "late_seconds": late,
        "evidence": _evidence(clock),
        "source_stale": False,
        **dict.fromkeys(("retracted_at", "retracted_by", "acknowledged_at", "acknowledged_by", "acknowledge_note")),
    }


def _evidence(clock: Clock) -> Row:
    """Why it is a breach, frozen when it was recorded."""
    cycle = clock.cycle
    return {
        "target": target_text(cycle.target),
        "calendar": cycle.terms.calendar.name,
        "started_at": cycle.anchor.isoformat(),
        "stopped_at": cycle.stopped_at.isoformat() if cycle.stopped_at else None,
        "stretches": [[s.start.isoformat(), s.end.isoformat() if s.end else None, s.kind, s.why] for s in cycle.stretches],
        "milestones": [[m.name, m.at.isoformat()] for m in clock.milestones],
    }


def _text(facts: Mapping[str, Any], name: str) -> str | None:
    value = facts.get(name)
    return None if value is None else str(value)[: _WIDTHS.get(name, 200)]
