"""The one function that judges tickets: used by ingest, detection and re-judging alike, on tickets whose rows are held.

Whatever it finds due is fired, and what must be said about it is written by the same transaction.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.rules.evaluate import evaluate
from app.schemas.events_out import rfc3339
from app.services.configuration import Current
from app.services.consequences import Consequences, Move, follow
from app.services.notices import Saying, audience, notice
from app.store import audit, outbox, tickets
from app.store import clocks as clock_store
from app.store.database import Connection
from app.store.tickets import LockedTicket
from app.telemetry import metrics

log = logging.getLogger(__name__)

SETBACK = timedelta(minutes=1)
"""How long a ticket that cannot be judged is left alone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging came to. `next_check_at`: the nearest instant at which one of the judged clocks has something to say."""

    tickets: int
    breaches: int
    deliveries: int
    next_check_at: datetime | None


async def judge(conn: Connection, held: Sequence[LockedTicket], current: Current, at: datetime, *, tolerant: bool = False) -> Judged:
    """Judge tickets at the instant `at` and write all that follows.

    `tolerant`: a ticket whose judging fails is pushed ahead and counted instead of failing the others.
    """
    stored = await clock_store.of_tickets(conn, [ticket.id for ticket in held])
    broken = [row.id for rows in stored.values() for row in rows if row.breached_at is not None]
    breaches = await clock_store.breaches_of(conn, broken)
    found = Consequences()
    for ticket in held:
        own = Consequences()
        try:
            verdict = evaluate(ticket.timeline, current.book, at)
            follow(own, ticket, verdict, stored[ticket.id], breaches, revision=current.revision, at=at)
            found.add(own)
        except Exception:
            if not tolerant:
                raise
            log.exception("A ticket could not be judged.", extra={"event": "judge.failed", "ticket_id": ticket.id})
            metrics.JUDGE_FAILURES.inc()
            await clock_store.postpone(conn, ticket.id, at + SETBACK)
    return await _write(conn, found, current, at)


async def _write(conn: Connection, found: Consequences, current: Current, at: datetime) -> Judged:
    await tickets.save(conn, found.ticket_rows)
    await clock_store.save(conn, found.clock_rows)
    await clock_store.save_breaches(conn, found.breach_rows)
    notices: list[dict[str, object]] = []
    deliveries: list[dict[str, object]] = []
    for saying, channels in [*_announced(found.sayings, current), *await _closed(conn, found)]:
        if channels:
            row, rows = notice(saying, current, channels, at)
            notices.append(row)
            deliveries += rows
    await audit.record_all(conn, at, "document", "clock.retargeted", {move.clock_id: _moved(move) for move in found.moves})
    await outbox.add(conn, notices, deliveries)
    await outbox.supersede(conn, types=("sla.warning",), clock_ids=found.quiet_clocks)
    for saying in found.sayings:
        _note(saying, at)
    return Judged(len(found.ticket_rows), len(found.breach_rows), len(deliveries), found.next_check_at)


def _moved(move: Move) -> dict[str, object]:
    return {
        "due_before": rfc3339(move.due_before) if move.due_before else None,
        "due_after": rfc3339(move.due_after) if move.due_after else None,
        "revision_before": move.revision_before,
        "revision_after": move.revision_after,
    }


def _note(saying: Saying, at: datetime) -> None:
    metrics.DUE_TO_DETECTED.observe(max(0.0, (at - saying.timestamp).total_seconds()))
    if saying.type == "sla.breached":
        metrics.BREACHES.labels(metric=saying.clock.cycle.metric).inc()
        late = (at - saying.timestamp).total_seconds()
        log.info("Clock breached.", extra={"event": "clock.breached", "clock_id": saying.clock_id, "late_seconds": late})
    else:
        metrics.WARNINGS.labels(metric=saying.clock.cycle.metric).inc()


def _announced(sayings: Sequence[Saying], current: Current) -> list[tuple[Saying, list[str]]]:
    return [(saying, audience(saying, current)) for saying in sayings]


async def _closed(conn: Connection, found: Consequences) -> list[tuple[Saying, list[str]]]:
    """The all-clears: to those who were told of the breach. Who was not told yet need not be any more, and hears that it was met late."""
    ids = [saying.clock_id for saying in found.closings]
    taken_back: dict[str, set[str]] = {}
    for row in await outbox.supersede(conn, types=("sla.breached",), clock_ids=ids):
        taken_back.setdefault(row.clock_id, set()).add(row.channel)
    told = await outbox.told(conn, type_="sla.breached", clock_ids=ids)
    result: list[tuple[Saying, list[str]]] = []
    for saying in found.closings:
        result.append((saying, sorted(told.get(saying.clock_id, ()))))
        if saying.type == "sla.recovered":
            late = replace(saying, type="sla.met_late", milestone=saying.milestone.replace("recovered", "met_late"))
            result.append((late, sorted(taken_back.get(saying.clock_id, ()))))
    return result
