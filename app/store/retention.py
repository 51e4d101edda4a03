"""Deleting what is not kept any longer, a bounded batch at a time, along the keys: our ids are ordered by time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, exists, false, select

from app.store import escalations
from app.store.database import Connection
from app.store.dialect import among, insert_ignoring
from app.store.tables import attempts, audit_log, breaches, clocks, deliveries, events, inbox, job_runs, notices, signals, tickets


@dataclass(frozen=True, slots=True)
class Batch:
    """What was deleted. `after`: where to go on; None: there is nothing older."""

    ids: list[str]
    after: str | None


async def claim_run(conn: Connection, job: str, scheduled_for: datetime, at: datetime) -> bool:
    """Whether this process is the one that does the job at its time; the first to ask is."""
    row = {"job": job, "scheduled_for": scheduled_for, "claimed_at": at}
    if (await conn.execute(insert_ignoring(conn, job_runs).values(row))).rowcount != 1:
        return False
    await conn.execute(delete(job_runs).where(job_runs.c.job == job, job_runs.c.scheduled_for < scheduled_for))
    return True


async def old_messages(conn: Connection, before: datetime, after: str, limit: int) -> Batch:
    """Delete messages that arrived before an instant. What is in quarantine stays until somebody has replayed it."""
    kept = (inbox.c.outcome == "quarantined") & inbox.c.replayed_at.is_(None)
    return await _delete(conn, inbox, inbox.c.received_at, kept, before, after, limit)


async def old_audit(conn: Connection, before: datetime, after: str, limit: int) -> Batch:
    """Delete entries of the audit log."""
    return await _delete(conn, audit_log, audit_log.c.at, false(), before, after, limit)


async def old_deliveries(conn: Connection, before: datetime, after: str, limit: int) -> Batch:
    """Delete deliveries made before an instant that are concluded, with their attempts."""
    kept = deliveries.c.state.in_(("pending", "paused"))
    found = await _old(conn, deliveries, deliveries.c.created_at, kept, before, after, limit)
    if found.ids:
        await conn.execute(delete(attempts).where(among(attempts.c.delivery_id, found.ids)))
        await conn.execute(delete(deliveries).where(among(deliveries.c.id, found.ids)))
    return found


async def old_notices(conn: Connection, before: datetime, after: str, limit: int) -> Batch:
    """Delete notices made before an instant of which there is no delivery any more."""
    kept = exists().where(deliveries.c.notice_id == notices.c.id)
    return await _delete(conn, notices, notices.c.created_at, kept, before, after, limit)


async def old_tickets(conn: Connection, before: datetime, after: str, limit: int) -> Batch:
    """Delete tickets without a running or paused clock that nothing was heard of since an instant, with all that is known, promised and
    broken of them. Those of which something is still to be said stay; what was said goes with the deliveries."""
    open_clock = exists().where(clocks.c.ticket_id == tickets.c.id, clocks.c.state.in_(("running", "paused")))
    kept = open_clock | exists().where(notices.c.ticket_id == tickets.c.id) | tickets.c.last_event_at.is_(None)
    query = select(tickets.c.id).where(tickets.c.last_event_at < before, tickets.c.id > after, ~kept).order_by(tickets.c.id).limit(limit)
    ids = list((await conn.execute(query.with_for_update(skip_locked=True))).scalars())
    if ids:
        await escalations.forget(conn, ids)
        for table in (*_OF_TICKETS, tickets):
            await conn.execute(delete(table).where(among(table.c.id if table is tickets else table.c.ticket_id, ids)))
    return Batch(ids, ids[-1] if len(ids) == limit else None)


_OF_TICKETS: Final = (signals, breaches, clocks, events)
"""What belongs to a ticket, in the order in which it can go."""


async def _delete(
    conn: Connection, table: Table, made_at: ColumnElement[Any], kept: ColumnElement[bool], before: datetime, after: str, limit: int
) -> Batch:
    found = await _old(conn, table, made_at, kept, before, after, limit)
    if found.ids:
        await conn.execute(delete(table).where(among(table.c.id, found.ids)))
    return found


async def _old(
    conn: Connection, table: Table, made_at: ColumnElement[Any], kept: ColumnElement[bool], before: datetime, after: str, limit: int
) -> Batch:
    """The next rows by age, up to the first one that is young enough: ids are ordered by time, so no index of times is needed."""
    query = select(table.c.id, made_at.label("made_at"), kept.label("kept")).where(table.c.id > after).order_by(table.c.id).limit(limit)
    rows = list(await conn.execute(query))
    old = [row for row in rows if row.made_at < before]
    return Batch([row.id for row in old if not row.kept], old[-1].id if old and len(old) == limit else None)
