"""The outbox: what must be said (notices), to whom (deliveries), and what came of each try (attempts)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from app.store.database import Connection
from app.store.dialect import insert_ignoring
from app.store.tables import attempts, deliveries, notices

PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery this process may send now, until its lease ends."""

    id: str
    notice_id: str
    channel: str
    type: str
    attempt: int
    """From 1; counted at the claim, so that a crash loop is bounded."""
    fence: int
    expires_at: datetime | None
    body: bytes
    noticed_at: datetime


class Room:
    """How many more requests each channel may have on their way."""

    def __init__(self, busy: Mapping[str, int], *, most: int) -> None:
        self._free = {channel: most - count for channel, count in busy.items()}
        self._most = most

    @property
    def full(self) -> list[str]:
        """The channels that may have no more, sorted."""
        return sorted(channel for channel, free in self._free.items() if free <= 0)

    def choose(self, found: Iterable[tuple[str, str]]) -> list[str]:
        """Of (delivery id, channel) pairs, the ids that there is room for."""
        chosen = []
        for delivery_id, channel in found:
            free = self._free.get(channel, self._most)
            if free > 0:
                self._free[channel] = free - 1
                chosen.append(delivery_id)
        return chosen


async def add(conn: Connection, notice_rows: Sequence[Mapping[str, Any]], delivery_rows: Sequence[Mapping[str, Any]]) -> None:
    """Store notices and their deliveries; a delivery whose effect was enqueued before is left out: said once."""
    if notice_rows:
        await conn.execute(insert(notices), list(notice_rows))
    if delivery_rows:
        await conn.execute(insert_ignoring(conn, deliveries), list(delivery_rows))


async def claim(conn: Connection, at: datetime, *, lease: timedelta, limit: int, room: Room) -> list[Claim]:
    """Take ready deliveries, oldest first, as many as their channels have room for.

    A claim whose holder dies is ready again when its lease ends. What finds no room is left for a later claim.
    """
    ready = select(deliveries.c.id, deliveries.c.channel).where(deliveries.c.next_attempt_at <= at, deliveries.c.state == PENDING)
    if room.full:
        ready = ready.where(deliveries.c.channel.not_in(room.full))
    ready = ready.order_by(deliveries.c.next_attempt_at, deliveries.c.id).limit(limit).with_for_update(skip_locked=True)
    ids = room.choose((row.id, row.channel) for row in await conn.execute(ready))
    if not ids:
        return []
    taken = (
        update(deliveries)
        .where(deliveries.c.id.in_(ids), deliveries.c.next_attempt_at <= at, deliveries.c.state == PENDING)
        .values(attempts=deliveries.c.attempts + 1, fence=deliveries.c.fence + 1, leased_until=at + lease, next_attempt_at=at + lease)
        .returning(deliveries.c.id)
    )
    mine = list((await conn.execute(taken)).scalars())
    query = (
        select(deliveries, notices.c.body, notices.c.created_at.label("noticed_at"))
        .join(notices, notices.c.id == deliveries.c.notice_id)
        .where(deliveries.c.id.in_(mine))
        .order_by(notices.c.created_at, notices.c.id)
    )
    return [
        Claim(row.id, row.notice_id, row.channel, row.type, row.attempts, row.fence, row.expires_at, row.body, row.noticed_at)
        for row in await conn.execute(query)
    ]


async def release(conn: Connection, at: datetime) -> int:
    """End all leases now; how many there were. Their holders, should they live, find a newer fence when the delivery is claimed again."""
    held = update(deliveries).where(deliveries.c.leased_until > at, deliveries.c.state == PENDING)
    return (await conn.execute(held.values(leased_until=None, next_attempt_at=at))).rowcount


async def complete(conn: Connection, claimed: Claim, values: Mapping[str, Any], attempt_row: Mapping[str, Any]) -> bool:
    """Record what came of a claim; False when the lease was lost to another holder meanwhile: then nothing of the delivery changes.

    A delivery that was superseded while on its way stays so unless it was accepted.
    """
    statement = update(deliveries).where(deliveries.c.id == claimed.id, deliveries.c.fence == claimed.fence)
    if values["state"] != "delivered":
        statement = statement.where(deliveries.c.state == PENDING)
    done = await conn.execute(statement.values(leased_until=None, **values))
    await conn.execute(insert_ignoring(conn, attempts), [dict(attempt_row)])
    return done.rowcount == 1


async def supersede(conn: Connection, *, types: Collection[str], clock_ids: Collection[str]) -> list[Row[Any]]:
    """Take back what was not sent yet of some clocks; the rows (id, clock_id, breach_id, channel) that were taken back."""
    if not clock_ids:
        return []
    statement = (
        update(deliveries)
        .where(deliveries.c.clock_id.in_(list(clock_ids)), deliveries.c.type.in_(list(types)), deliveries.c.state == PENDING)
        .values(state="superseded", next_attempt_at=None, leased_until=None)
        .returning(deliveries.c.id, deliveries.c.clock_id, deliveries.c.breach_id, deliveries.c.channel)
    )
    return list(await conn.execute(statement))


async def told(conn: Connection, *, type_: str, clock_ids: Collection[str]) -> dict[str, set[str]]:
    """By clock id, the channels that have accepted a message of this type."""
    found: dict[str, set[str]] = {}
    if clock_ids:
        query = select(deliveries.c.clock_id, deliveries.c.channel).where(
            deliveries.c.clock_id.in_(list(clock_ids)), deliveries.c.type == type_, deliveries.c.state == "delivered"
        )
        for row in await conn.execute(query):
            found.setdefault(row.clock_id, set()).add(row.channel)
    return found


async def revive(conn: Connection, delivery_id: str, at: datetime) -> Row[Any] | None:
    """Make a dead, expired or superseded delivery ready again; the row as it was before, None when there is none."""
    row = (await conn.execute(select(deliveries).where(deliveries.c.id == delivery_id).with_for_update())).first()
    if row is not None and row.state not in ("delivered", PENDING):
        statement = update(deliveries).where(deliveries.c.id == delivery_id)
        await conn.execute(statement.values(state=PENDING, next_attempt_at=at, expires_at=None, fence=deliveries.c.fence + 1))
    elif row is not None and row.state == PENDING:
        await conn.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(next_attempt_at=at))
    return row


async def next_attempt_at(conn: Connection, *, without: Collection[str] = ()) -> datetime | None:
    """When the next delivery is ready, leaving out some channels; None when none is waiting."""
    query = select(deliveries.c.next_attempt_at).where(deliveries.c.next_attempt_at.is_not(None))
    if without:
        query = query.where(deliveries.c.channel.not_in(sorted(without)))
    at: datetime | None = (await conn.execute(query.order_by(deliveries.c.next_attempt_at).limit(1))).scalar()
    return at
