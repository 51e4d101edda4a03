"""Silences as they are stored, and what they kept quiet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, RowMapping, bindparam, insert, select, update

from app.store import bulk
from app.store.database import Connection
from app.store.tables import breaches, clocks, deliveries, escalations, silences, tickets


async def add(conn: Connection, row: Mapping[str, Any]) -> None:
    """Store a silence: a mapping with all columns."""
    await conn.execute(insert(silences).values(**row))


async def one(conn: Connection, silence_id: str) -> RowMapping | None:
    """One silence; None when there is none of this id. In a transaction that writes its row is locked."""
    query = select(silences).where(silences.c.id == silence_id).with_for_update()
    return (await conn.execute(query)).mappings().first()


async def end(conn: Connection, silence_id: str, at: datetime, by: str) -> None:
    """End one before its time: what is still broken is told at once, and ladders that stand still look whether they go on."""
    values = {"ended_at": at, "ended_by": by, "over_at": at, "next_summary_at": at}
    await conn.execute(update(silences).where(silences.c.id == silence_id).values(**values))
    still = (escalations.c.paused.is_(True), escalations.c.closed_at.is_(None))
    await conn.execute(update(escalations).where(*still).values(next_step_at=at))


_SINCE: Final = (
    select(silences)
    .where(silences.c.over_at > bindparam("begin"), silences.c.starts_at <= bindparam("at"))
    .order_by(silences.c.over_at.desc(), silences.c.id)
)


async def since(conn: Connection, begin: datetime, at: datetime) -> Sequence[Row[Any]]:
    """Those that have begun by `at` and hold then, or were over later than `begin`; the one that ends last first."""
    return (await conn.execute(_SINCE, {"begin": begin, "at": at})).all()


async def next_summary_at(conn: Connection) -> datetime | None:
    """When the next summary is due; None: there is none to come."""
    query = select(silences.c.next_summary_at).where(silences.c.next_summary_at.is_not(None)).order_by(silences.c.next_summary_at)
    return (await conn.execute(query.limit(1))).scalar()


async def due(conn: Connection, at: datetime) -> Row[Any] | None:
    """The silence whose summary is due the longest, in the hands of the caller alone; None when none is."""
    query = select(silences).where(silences.c.next_summary_at <= at).order_by(silences.c.next_summary_at).limit(1)
    return (await conn.execute(query.with_for_update(skip_locked=True))).first()


async def plan(conn: Connection, silence_id: str, next_summary_at: datetime | None) -> None:
    """When its next summary is due; None: there is none any more."""
    await conn.execute(update(silences).where(silences.c.id == silence_id).values(next_summary_at=next_summary_at))


async def still_broken(conn: Connection, silence_id: str) -> Sequence[Row[Any]]:
    """What a silence kept from channels and no digest has told them since, of breaches that are still open: a row for each delivery
    (id, channel, type, and what it is about), the oldest breach first."""
    columns = (
        *(deliveries.c[name] for name in ("id", "channel", "type", "ticket_id", "breach_id")),
        *(tickets.c[name] for name in ("source", "external_id", "subject", "tier", "group")),
        *(breaches.c[name] for name in ("metric", "breached_at", "priority", "policy")),
        clocks.c.due_at,
    )
    joined = (
        deliveries.join(breaches, breaches.c.id == deliveries.c.breach_id)
        .join(tickets, tickets.c.id == breaches.c.ticket_id)
        .join(clocks, clocks.c.id == breaches.c.clock_id)
    )
    kept = (deliveries.c.silence_id == silence_id, deliveries.c.state == "suppressed", deliveries.c.waits_for.is_(None))
    query = select(*columns).select_from(joined).where(*kept, breaches.c.status == "open")
    return (await conn.execute(query.order_by(breaches.c.breached_at, deliveries.c.id))).all()


async def note_told(conn: Connection, told: Mapping[str, str]) -> None:
    """By the ids of deliveries, the delivery that tells what they would have told: whoever accepts it has heard them."""
    await bulk.write(conn, deliveries, "update", [{"id": each, "waits_for": teller} for each, teller in told.items()])


async def hand_over(conn: Connection, silence_id: str, ticket_id: str, other_id: str) -> None:
    """What a silence kept quiet about a ticket is from now on what another one keeps quiet."""
    mine = (deliveries.c.silence_id == silence_id, deliveries.c.ticket_id == ticket_id, deliveries.c.waits_for.is_(None))
    await conn.execute(update(deliveries).where(*mine, deliveries.c.state == "suppressed").values(silence_id=other_id))
