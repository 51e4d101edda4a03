"""Acknowledging a breach, under the lock of its ticket."""

from datetime import datetime

from sqlalchemy import RowMapping, select, update

from app.store.database import Connection
from app.store.tables import breaches, tickets


async def lock(conn: Connection, breach_id: str) -> RowMapping | None:
    """The breach (status, acknowledged_at, clock_id), with its ticket's row locked; None when there is none of this id."""
    ticket_id = (await conn.execute(select(breaches.c.ticket_id).where(breaches.c.id == breach_id))).scalar_one_or_none()
    if ticket_id is None:
        return None
    await conn.execute(select(tickets.c.id).where(tickets.c.id == ticket_id).with_for_update())
    query = select(breaches.c.status, breaches.c.acknowledged_at, breaches.c.clock_id).where(breaches.c.id == breach_id)
    return (await conn.execute(query)).mappings().one()


async def save(conn: Connection, breach_id: str, *, at: datetime, by: str, note: str | None) -> None:
    """Note who acknowledged it, when and why."""
    values = {"acknowledged_at": at, "acknowledged_by": by, "acknowledge_note": note}
    await conn.execute(update(breaches).where(breaches.c.id == breach_id).values(values))
