"""What rungs want written to tickets, as rows of the outbox: one delivery for each rung, to the API of the ticket's helpdesk.

There is one note for each clock, whatever its ladder says how often; of what a helpdesk cannot do nothing is ordered.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.helpdesks.writing import PREFIX, TYPE, Order, WriteBackConfig, config_of, dump
from app.ids import MESSAGE, new_id
from app.rules.escalation import Step, WriteBack
from app.rules.evaluate import Clock, Verdict, target_text
from app.services.configuration import Current
from app.store import outbox, write_backs
from app.store.database import Connection
from app.store.tickets import LockedTicket

log = logging.getLogger(__name__)

BUILT_IN = "breach"
"""The note that stands for the built-in text."""
_NOTE_MAX = 4000


@dataclass(frozen=True, slots=True)
class Wish:
    """A rung has spoken that wants something written. `row` is its run, `clock` None when no clock is its cause."""

    ticket: LockedTicket
    verdict: Verdict
    row: Mapping[str, Any]
    ladder: str
    step: Step
    clock: Clock | None

    @property
    def subject(self) -> str:
        """What a note is written about, once: the clock, or the run that has none."""
        return str(self.row["clock_id"] or self.row["id"])


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the outbox."""

    notices: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]


async def rows(conn: Connection, wishes: Sequence[Wish], current: Current, at: datetime) -> Rows:
    """The notices and deliveries that carry these wishes; none for a ticket whose helpdesk is not written back to."""
    clocks = {wish.row["clock_id"] for wish in wishes if wish.row["clock_id"] is not None}
    runs = {wish.row["id"] for wish in wishes if wish.row["clock_id"] is None}
    noted = await write_backs.noted(conn, clocks, runs) if wishes else set()
    notices: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for wish in wishes:
        order = _order(wish, current, at, is_noted=wish.subject in noted)
        if order is None:
            log.info("A rung wants written what cannot be.", extra={"event": "write_back.impossible", "ticket_id": wish.ticket.id})
            continue
        noted |= {wish.subject} if order.note is not None else set()
        notice, delivery = _rows(wish, order, at)
        notices.append(notice)
        deliveries.append(delivery)
    return Rows(notices, deliveries)


def _order(wish: Wish, current: Current, at: datetime, *, is_noted: bool) -> Order | None:
    """What is to be done; None when nothing of it can be."""
    source = current.loaded.sources.get(wish.ticket.source)
    config = config_of(source) if source is not None else None
    wanted = wish.step.write_back
    if config is None or wanted is None:
        return None
    known = wish.verdict.ticket
    marker = f"slawatch {wish.subject}"
    order = Order(
        ticket=wish.ticket.external_id,
        at=at,
        marker=marker,
        tags=wanted.tags,
        priority=wanted.priority,
        note=None if is_noted else _note(wish, wanted, marker),
        group=wanted.group,
        assignee=wanted.assignee,
        known_priority=known.text("priority") if known is not None else None,
        was_solved=known.is_solved if known is not None else False,
    )
    order = _possible(order, config)
    return order if order.actions else None


def _possible(order: Order, config: WriteBackConfig) -> Order:
    """Without what the helpdesk cannot do."""
    nothing: dict[str, Any] = {action: () if action == "tags" else None for action in order.actions if action not in config.actions}
    return replace(order, **nothing)


def _note(wish: Wish, wanted: WriteBack, marker: str) -> str | None:
    if wanted.note is None:
        return None
    said = _built_in(wish) if wanted.note == BUILT_IN else wanted.note[:_NOTE_MAX]
    return f"{said}\n\n({marker})"


def _built_in(wish: Wish) -> str:
    """`SLA breached: first response was promised within 1h (policy gold) and was due at 2026-03-02 10:00 UTC.`"""
    clock = wish.clock
    rung = f"Escalated by rung {wish.step.index + 1} of {wish.ladder}."
    if clock is None:
        reason = wish.row.get("reason")
        return f"{rung} {reason}" if reason else rung
    metric, promise = clock.cycle.metric.replace("_", " "), f"within {target_text(clock.cycle.target)} (policy {clock.cycle.policy})"
    if clock.breached_at is None:
        due = f" and is due at {_moment(clock.due_at)}" if clock.due_at is not None else ""
        return f"SLA at risk: {metric} is promised {promise}{due}. {rung}"
    return f"SLA breached: {metric} was promised {promise} and was due at {_moment(clock.breached_at)}. {rung}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _rows(wish: Wish, order: Order, at: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    notice_id, run = new_id(MESSAGE), wish.row
    milestone = f"step {wish.step.index + 1} write back"
    shared = {"ticket_id": wish.ticket.id, "clock_id": run["clock_id"], "breach_id": run["breach_id"], "escalation_id": run["id"]}
    notice = {
        "id": notice_id,
        "type": TYPE,
        "milestone": f"{milestone} {write_backs.NOTE}" if order.note is not None else milestone,
        "body": dump(order),
        "created_at": at,
        **shared,
    }
    effect = f"{run['id']}:{milestone}"
    return notice, outbox.fresh(notice_id, TYPE, f"{PREFIX}{wish.ticket.source}", effect, at, **shared)
