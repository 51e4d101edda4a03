"""The outbox: what must be said (notices), to whom (deliveries); taking it back, and making it ready again.

How a process takes a delivery in hand and records what came of it: `app.store.claims`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, false, func, or_, select, update

from app.ids import DELIVERY, new_id
from app.store import bulk, wakes
from app.store.database import Connection
from app.store.dialect import among, named_among
from app.store.tables import deliveries, notices

PENDING: Final = "pending"
PAUSED: Final = "paused"
LIVE: Final = 0
REPLAYED: Final = 1
"""The lanes: what is replayed goes after what is live."""

_NOTICE: Final[Mapping[str, Any]] = dict.fromkeys(column.name for column in notices.columns)
_DELIVERY: Final[Mapping[str, Any]] = dict.fromkeys(column.name for column in deliveries.columns) | {
    "state": PENDING, "attempts": 0, "fence": 0, "lane": LIVE, "withdrawn": False, "earlier_attempts": 0,
    "immediate": False, "grouping": 0,
}  # fmt: skip
_REVIVED: Final[Mapping[str, Any]] = {
    "state": PENDING, "expires_at": None, "leased_until": None, "withdrawn": False, "waits_for": None, "waits_if": None,
}  # fmt: skip


def fresh(notice_id: str, type_: str, channel: str, effect: str, at: datetime, **more: Any) -> dict[str, Any]:
    """A row of `deliveries`, made at `at` and ready at once. `more` are further columns."""
    own = {"id": new_id(DELIVERY), "notice_id": notice_id, "type": type_, "channel": channel, "effect": effect}
    return {**_DELIVERY, **own, "created_at": at, "next_attempt_at": at, **more}


async def add(conn: Connection, notice_rows: Sequence[Mapping[str, Any]], delivery_rows: Sequence[Mapping[str, Any]]) -> int:
    """Store notices and their deliveries; columns that a row does not name have their defaults. How many deliveries are new.

    A delivery whose effect was enqueued before is left out: said once.
    """
    await bulk.write(conn, notices, "insert", [{**_NOTICE, **row} for row in notice_rows])
    return await bulk.write(conn, deliveries, "insert_new", [{**_DELIVERY, **row} for row in delivery_rows])


async def supersede(conn: Connection, *, types: Collection[str], clock_ids: Collection[str]) -> list[Row[Any]]:
    """Take back what has not been accepted yet of some clocks; the rows as `take_back` gives them."""
    if not clock_ids:
        return []
    waiting = await conn.execute(_WAITING, {"clocks": clock_ids, "types": types})
    return await _take_back(conn, list(waiting.scalars()))


async def take_back(conn: Connection, *which: ColumnElement[bool]) -> list[Row[Any]]:
    """Take back deliveries that wait or are held; the rows (id, ticket_id, clock_id, breach_id, escalation_id, channel, withdrawn).

    One that is on its way cannot be stopped: it is `withdrawn`. If that attempt is accepted it is delivered, else superseded. What
    depends on how that ends may be enqueued with `waits_for` (its id) and `waits_if`.
    """
    return await _take_back(conn, list((await conn.execute(_waiting(*which))).scalars()))


def _waiting(*which: ColumnElement[bool]) -> Select[Any]:
    """Locked in the order of their ids, as those who record attempts do: so neither waits for the other for ever."""
    free = (deliveries.c.state.in_([PENDING, PAUSED]), deliveries.c.withdrawn == false())
    return select(deliveries.c.id).where(*which, *free).order_by(deliveries.c.id).with_for_update()


_WAITING: Final = _waiting(named_among(deliveries.c.clock_id, "clocks"), named_among(deliveries.c.type, "types"))


async def _take_back(conn: Connection, ids: Collection[str]) -> list[Row[Any]]:
    if not ids:
        return []
    on_its_way = deliveries.c.leased_until.is_not(None)
    statement = (
        update(deliveries)
        .where(among(deliveries.c.id, ids))
        .values(
            state=case((on_its_way, deliveries.c.state), else_="superseded"),
            next_attempt_at=case((on_its_way, deliveries.c.next_attempt_at), else_=None),
            withdrawn=on_its_way,
        )
        .returning(*(deliveries.c[name] for name in ("id", "ticket_id", "clock_id", "breach_id", "escalation_id", "channel", "withdrawn")))
    )
    return list(await conn.execute(statement))


async def told(conn: Connection, *, type_: str, clock_ids: Collection[str]) -> dict[str, set[str]]:
    """By clock id, the channels that have accepted a message of this type."""
    found: dict[str, set[str]] = {}
    if clock_ids:
        query = select(deliveries.c.clock_id, deliveries.c.channel).where(
            among(deliveries.c.clock_id, clock_ids), deliveries.c.type == type_, heard()
        )
        for row in await conn.execute(query):
            found.setdefault(row.clock_id, set()).add(row.channel)
    return found


def heard() -> ColumnElement[bool]:
    """The channel has accepted it, or the digest that tells it."""
    accepted = or_(deliveries.c.state == "delivered", deliveries.c.delivered_at.is_not(None))  # it may be on its way again
    digest = deliveries.alias("digest")
    by_digest = exists().where(digest.c.id == deliveries.c.waits_for, digest.c.delivered_at.is_not(None))
    return or_(accepted, and_(deliveries.c.state == "suppressed", by_digest))


async def in_digests(conn: Connection, *, type_: str, clock_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """By clock id and channel, the digest (id of its delivery) that tells a message of this type and has not ended yet."""
    if not clock_ids:
        return {}
    digest = deliveries.alias("digest")
    query = select(deliveries.c.clock_id, deliveries.c.channel, digest.c.id).join_from(
        deliveries, digest, digest.c.id == deliveries.c.waits_for
    )
    mine = (among(deliveries.c.clock_id, clock_ids), deliveries.c.type == type_, deliveries.c.state == "suppressed")
    found = await conn.execute(query.where(*mine, digest.c.state.in_([PENDING, PAUSED])))
    return {(row.clock_id, row.channel): row.id for row in found}


async def revive(conn: Connection, delivery_id: str, at: datetime) -> Row[Any] | None:
    """Make a delivery ready again that waits or has ended unaccepted; the row as it was before, None when there is none.

    One that was accepted, or is on its way (`leased_until` after `at`), stays as it is.
    """
    row = (await conn.execute(select(deliveries).where(deliveries.c.id == delivery_id).with_for_update())).first()
    if row is None or row.state == "delivered" or is_on_its_way(row, at):
        return row
    values: dict[str, Any] = {"next_attempt_at": at, "lane": LIVE, "grouping": 1}
    if row.state != PENDING:
        values |= {**_REVIVED, "fence": deliveries.c.fence + 1, "earlier_attempts": deliveries.c.attempts}
    await conn.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))
    return row


async def let_go(conn: Connection, delivery_ids: Collection[str], ready_at: datetime, fallback_at: datetime | None) -> None:
    """What was suppressed goes by itself after all, from `ready_at` on; `fallback_at`: when the fallback hears it too, None: never."""
    ready = {"next_attempt_at": ready_at, "fallback_at": fallback_at, "grouping": 1}
    suppressed = (among(deliveries.c.id, delivery_ids), deliveries.c.state == "suppressed")
    await conn.execute(update(deliveries).where(*suppressed).values(**_REVIVED, **ready, fence=deliveries.c.fence + 1))


def is_on_its_way(row: Row[Any], at: datetime) -> bool:
    """Whether some process may be sending it at this moment."""
    return bool(row.state == PENDING and row.leased_until is not None and row.leased_until > at)


def _replayable(channel: str, at: datetime, since: datetime | None, until: datetime | None, only_missing: bool) -> ColumnElement[bool]:
    """Held or dead, or with `only_missing` False delivered too; made in [since, until); still worth saying."""
    states = [PAUSED, "dead"] if only_missing else [PAUSED, "dead", "delivered"]
    conditions = [deliveries.c.channel == channel, deliveries.c.state.in_(states)]
    conditions += [deliveries.c.created_at >= since] if since is not None else []
    conditions += [deliveries.c.created_at < until] if until is not None else []
    return and_(*conditions, or_(deliveries.c.expires_at.is_(None), deliveries.c.expires_at > at))


async def replay(
    conn: Connection,
    channel: str,
    at: datetime,
    *,
    since: datetime | None,
    until: datetime | None,
    only_missing: bool,
    states: Sequence[str] = (),
) -> int:
    """Make ready again what a channel has missed, behind its live traffic and with the schedule from its beginning; how many.

    What was made in [since, until), None: no bound; held or dead ones, without `only_missing` also those it had accepted. `states`
    narrows it.
    """
    which = _replayable(channel, at, since, until, only_missing)
    if states:
        which = and_(which, deliveries.c.state.in_(states))
    values = {"state": PENDING, "next_attempt_at": at, "lane": REPLAYED, "leased_until": None, "withdrawn": False}
    statement = update(deliveries).where(which).values(**values, fence=deliveries.c.fence + 1, earlier_attempts=deliveries.c.attempts)
    return (await conn.execute(statement)).rowcount


async def count_replayable(
    conn: Connection, channel: str, at: datetime, *, since: datetime | None, until: datetime | None, only_missing: bool
) -> int:
    """How many `replay` would make ready."""
    which = _replayable(channel, at, since, until, only_missing)
    return (await conn.execute(select(func.count()).select_from(deliveries).where(which))).scalar_one()


async def hold(conn: Connection, channel: str, at: datetime) -> int:
    """Hold back what waits for a channel that is disabled; how many. What is on its way is left to its sender."""
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= at)
    which = and_(deliveries.c.channel == channel, deliveries.c.next_attempt_at.is_not(None), deliveries.c.state == PENDING, free)
    state = case((deliveries.c.withdrawn, "superseded"), else_=PAUSED)
    held_back = (await conn.execute(update(deliveries).where(which).values(state=state, next_attempt_at=None, leased_until=None))).rowcount
    if held_back:
        await wakes.wake_held(conn, channel, at)
    return held_back


async def held(conn: Connection) -> dict[str, int]:
    """How many deliveries are held back, by channel."""
    query = select(deliveries.c.channel, func.count()).where(deliveries.c.state == PAUSED).group_by(deliveries.c.channel)
    return {row[0]: row[1] for row in await conn.execute(query)}


async def expire(conn: Connection, at: datetime) -> int:
    """End what is not worth saying any more and not on its way; how many."""
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= at)
    ended = 0
    for state in (PENDING, PAUSED):  # one by one, as the index has it
        which = and_(deliveries.c.state == state, deliveries.c.expires_at <= at, free)
        values = {"state": "expired", "next_attempt_at": None, "leased_until": None, "detail": "not worth saying any more"}
        ended += (await conn.execute(update(deliveries).where(which).values(**values))).rowcount
    return ended


async def unanswered(conn: Connection, at: datetime, *, limit: int) -> list[Row[Any]]:
    """Deliveries whose fallback was to be told by now, the longest waiting first; they are taken: none comes twice."""
    query = select(deliveries).where(deliveries.c.fallback_at <= at).order_by(deliveries.c.fallback_at).limit(limit)
    rows = list(await conn.execute(query.with_for_update(skip_locked=True)))
    if rows:
        taken = update(deliveries).where(among(deliveries.c.id, [row.id for row in rows]))
        await conn.execute(taken.values(fallback_at=None))
    return [row for row in rows if row.state in (PENDING, PAUSED, "dead")]


async def hearers(conn: Connection, notice_ids: Collection[str]) -> set[tuple[str, str]]:
    """The (notice id, channel) pairs for which there is a delivery already."""
    query = select(deliveries.c.notice_id, deliveries.c.channel).where(among(deliveries.c.notice_id, notice_ids))
    return {(row.notice_id, row.channel) for row in await conn.execute(query)}
