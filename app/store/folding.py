"""Folding many notices of a channel into one digest: what goes by itself, what waits, what a digest stands for.

A delivery of a channel that groups is looked at once, when it is ready: it goes by itself, or waits until the span is over. What has been
tried already, is being sent, or is immediate is left alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update

from app.store.database import Connection
from app.store.dialect import insert_ignoring
from app.store.tables import breaches, clocks, deliveries, grouping_spans, tickets

UNSEEN: Final = 0
ALONE: Final = 1
WAITS: Final = 2

COMMON: Final = ("source", "tier", "group", "priority", "policy")
"""What notices may have in common, by the columns of tickets."""


async def span(conn: Connection, channel: str, at: datetime) -> tuple[datetime, int]:
    """When the channel's span began and how many notices went by themselves in it, in the hands of the caller alone."""
    await conn.execute(insert_ignoring(conn, grouping_spans), [{"channel": channel, "since": at, "said": 0}])
    query = select(grouping_spans.c.since, grouping_spans.c.said).where(grouping_spans.c.channel == channel)
    row = (await conn.execute(query.with_for_update())).one()
    return row.since, row.said


async def count(conn: Connection, channel: str, since: datetime, said: int) -> None:
    """Note a span."""
    await conn.execute(update(grouping_spans).where(grouping_spans.c.channel == channel).values(since=since, said=said))


async def let_go(conn: Connection, channel: str, at: datetime, *, room: int) -> int:
    """The oldest of those that are ready go by themselves, at most `room`; how many."""
    if room <= 0:
        return 0
    oldest = select(deliveries.c.id).where(_ready(channel, at, UNSEEN)).order_by(deliveries.c.created_at, deliveries.c.id).limit(room)
    statement = update(deliveries).where(deliveries.c.id.in_(oldest.scalar_subquery())).values(grouping=ALONE)
    return (await conn.execute(statement)).rowcount


async def put_off(conn: Connection, channel: str, at: datetime, until: datetime) -> int:
    """The others that are ready wait for a digest; how many."""
    statement = update(deliveries).where(_ready(channel, at, UNSEEN)).values(grouping=WAITS, next_attempt_at=until)
    return (await conn.execute(statement)).rowcount


async def waiting(conn: Connection, channel: str, at: datetime) -> dict[str, int]:
    """What has waited long enough: how many of each type."""
    query = select(deliveries.c.type, func.count()).where(_ready(channel, at, WAITS)).group_by(deliveries.c.type)
    return {row[0]: row[1] for row in await conn.execute(query.order_by(deliveries.c.type))}


async def release(conn: Connection, channel: str, at: datetime) -> None:
    """What has waited goes by itself after all."""
    await conn.execute(update(deliveries).where(_ready(channel, at, WAITS)).values(grouping=ALONE))


async def first(conn: Connection, channel: str, at: datetime, *, limit: int) -> Sequence[Row[Any]]:
    """The oldest of what has waited: a row for each (type, and what it is about)."""
    columns = (
        *(deliveries.c[name] for name in ("type", "ticket_id", "breach_id")),
        *(tickets.c[name] for name in ("source", "external_id", "subject", "tier", "group", "priority", "policy")),
        *(clocks.c[name] for name in ("metric", "due_at", "breached_at")),
    )
    joined = deliveries.outerjoin(tickets, tickets.c.id == deliveries.c.ticket_id).outerjoin(clocks, clocks.c.id == deliveries.c.clock_id)
    query = select(*columns).select_from(joined).where(_ready(channel, at, WAITS))
    return (await conn.execute(query.order_by(deliveries.c.created_at, deliveries.c.id).limit(limit))).all()


async def common(conn: Connection, channel: str, at: datetime) -> dict[str, str]:
    """What all tickets have in common that are told of by what has waited."""
    columns = [part for name in COMMON for part in (func.min(tickets.c[name]), func.max(tickets.c[name]), func.count(tickets.c[name]))]
    joined = deliveries.outerjoin(tickets, tickets.c.id == deliveries.c.ticket_id)
    row = (await conn.execute(select(func.count(), *columns).select_from(joined).where(_ready(channel, at, WAITS)))).one()
    total, found = row[0], dict[str, str]()
    for place, name in enumerate(COMMON):
        least, greatest, stated = row[1 + 3 * place : 4 + 3 * place]
        if stated == total and least == greatest:
            found[name] = least
    return found


async def fold(conn: Connection, channel: str, at: datetime, digest_id: str, detail: str) -> int:
    """End what has waited: the delivery of a digest stands for it; how many."""
    values = {"state": "suppressed", "next_attempt_at": None, "fallback_at": None, "detail": detail, "waits_for": digest_id}
    return (await conn.execute(update(deliveries).where(_ready(channel, at, WAITS)).values(**values))).rowcount


async def told_by(conn: Connection, digest_id: str, at: datetime) -> Sequence[Row[Any]]:
    """The deliveries that a digest stands for, as far as they are still worth saying; the oldest first."""
    joined = deliveries.outerjoin(breaches, breaches.c.id == deliveries.c.breach_id)
    lasts = or_(breaches.c.status.is_(None), breaches.c.status == "open")
    is_worth_saying = or_(deliveries.c.expires_at.is_(None), deliveries.c.expires_at > at)
    folded = (deliveries.c.waits_for == digest_id, deliveries.c.state == "suppressed")
    query = select(deliveries).select_from(joined).where(*folded, lasts, is_worth_saying)
    return (await conn.execute(query.order_by(deliveries.c.created_at, deliveries.c.id))).all()


def _ready(channel: str, at: datetime, grouping: int) -> ColumnElement[bool]:
    """Live ones about a ticket that are ready, were never tried, and are not held by anything else."""
    return and_(
        deliveries.c.channel == channel,
        deliveries.c.lane == 0,
        deliveries.c.next_attempt_at <= at,
        deliveries.c.state == "pending",
        deliveries.c.grouping == grouping,
        deliveries.c.attempts == 0,
        deliveries.c.immediate.is_(False),
        deliveries.c.withdrawn.is_(False),
        deliveries.c.waits_for.is_(None),
        deliveries.c.ticket_id.is_not(None),
    )
