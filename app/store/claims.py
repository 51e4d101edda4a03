"""Deliveries in hand: claimed with a lease and a fencing number, recorded under that number.

Channels are looked at one by one through an index that begins with the channel, so the backlog of one costs the others nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Row, Text, bindparam, column, false, literal, select, text, true, update

from app.store import bulk, wakes
from app.store.database import SERVER_TIME, Connection
from app.store.dialect import among, named_among
from app.store.outbox import PENDING
from app.store.tables import attempts, deliveries, notices
from app.store.types import UtcDateTime, from_microseconds, to_microseconds

End = Literal["delivered", "pending", "dead", "expired", "superseded"]

_HEADS: Final = (
    text("""
    WITH RECURSIVE names(channel) AS (
        SELECT min(channel) FROM deliveries WHERE next_attempt_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(d.channel) FROM deliveries d WHERE d.next_attempt_at IS NOT NULL AND d.channel > names.channel)
        FROM names WHERE names.channel IS NOT NULL
    )
    SELECT channel,
        (SELECT min(d.next_attempt_at) FROM deliveries d
            WHERE d.channel = names.channel AND d.lane = 0 AND d.next_attempt_at IS NOT NULL) AS live,
        (SELECT min(d.next_attempt_at) FROM deliveries d
            WHERE d.channel = names.channel AND d.lane = 1 AND d.next_attempt_at IS NOT NULL) AS replayed
    FROM names WHERE channel IS NOT NULL
""")
    .columns(column("channel", Text), column("live", UtcDateTime), column("replayed", UtcDateTime))
    .subquery("heads")
)
_LOOK: Final = select(SERVER_TIME, _HEADS).select_from(select(literal(1)).subquery("always").outerjoin(_HEADS, true()))
_CHOOSE: Final = {
    "sqlite": text("""
        SELECT d.id, d.notice_id, d.channel, d.type, d.ticket_id, d.attempts, d.earlier_attempts, d.fence, d.lane,
            d.created_at, d.expires_at, d.withdrawn, d.waits_for, d.waits_if
        FROM json_each(:wants) want JOIN deliveries d ON d.id IN (
            SELECT i.id FROM deliveries i
            WHERE i.channel = json_extract(want.value, '$[0]') AND i.lane = json_extract(want.value, '$[1]') AND i.next_attempt_at <= :at
            ORDER BY i.next_attempt_at, i.id LIMIT :most)
    """),
    "postgresql": text("""
        SELECT d.id, d.notice_id, d.channel, d.type, d.ticket_id, d.attempts, d.earlier_attempts, d.fence, d.lane,
            d.created_at, d.expires_at, d.withdrawn, d.waits_for, d.waits_if
        FROM json_array_elements(CAST(:wants AS json)) want, LATERAL (
            SELECT i.* FROM deliveries i
            WHERE i.channel = want ->> 0 AND i.lane = CAST(want ->> 1 AS int) AND i.next_attempt_at <= :at
            ORDER BY i.next_attempt_at, i.id LIMIT CAST(want ->> 2 AS int) FOR UPDATE SKIP LOCKED) d
    """),
}
_TAKE: Final = (
    update(deliveries)
    .where(named_among(deliveries.c.id, "ids"), deliveries.c.next_attempt_at <= bindparam("now"), deliveries.c.state == PENDING)
    .values(
        attempts=deliveries.c.attempts + 1,
        fence=deliveries.c.fence + 1,
        leased_until=bindparam("until"),
        next_attempt_at=bindparam("until"),
    )
    .returning(deliveries.c.id)
)
_KNOWN: Final = select(deliveries.c.id).where(named_among(deliveries.c.id, "ids"))
_BODIES: Final = select(notices.c.id, notices.c.body).where(named_among(notices.c.id, "ids"))
_OF_OURS: Final = (
    select(*(deliveries.c[name] for name in ("id", "fence", "state", "withdrawn", "attempts", "fallback_at")))
    .where(named_among(deliveries.c.id, "ids"))
    .order_by(deliveries.c.id)
    .with_for_update()
)
_MADE: Final = attrgetter("created_at", "id")
"""The order in which deliveries were made."""


@dataclass(frozen=True, slots=True)
class Head:
    """The delivery of a channel's lane that is ready first."""

    channel: str
    lane: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Want:
    """How many deliveries of a channel's lane may be claimed, at least one."""

    channel: str
    lane: int
    room: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery this process may send now, until its lease ends."""

    id: str
    notice_id: str
    channel: str
    type: str
    ticket_id: str | None
    attempts: int
    """Which attempt it is, from 1; counted at the claim, so that a crash loop is bounded."""
    earlier_attempts: int
    """Of these, how many were made before it was revived: the schedule counts from there."""
    fence: int
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a claim. `attempt_row` None: nothing was sent, and the attempt is not counted."""

    claim: Claim
    state: End
    at: datetime
    next_attempt_at: datetime | None = None
    error_class: str | None = None
    detail: str | None = None
    attempt_row: Mapping[str, Any] | None = None


async def look(conn: Connection) -> tuple[datetime | None, list[Head]]:
    """The database's own time (`Database.present`), and what is ready first of each channel and lane, by channel: in one statement."""
    found = list(await conn.execute(_LOOK))
    heads = [
        Head(channel, lane, at)
        for _, channel, live, replayed in found
        for lane, at in enumerate((live, replayed))
        if at is not None
    ]  # fmt: skip
    return found[0][0], heads


async def claim(conn: Connection, at: datetime, wants: Sequence[Want], *, lease: timedelta, ordered: Collection[str] = ()) -> list[Claim]:
    """Take ready deliveries, the longest ready first, as many as wanted; in the order in which they were made.

    A claim whose holder dies is ready again when its lease ends. On the way some find their end (expired, withdrawn, decided by
    the one they waited for), and some are put off: of `ordered` channels only a ticket's oldest delivery goes.
    """
    rows = await _chosen(conn, at, wants)
    mine = await _screen(conn, rows, at, ordered, lease) if rows else []
    if not mine:
        return []
    claimed = set((await conn.execute(_TAKE, {"ids": mine, "now": at, "until": at + lease})).scalars())
    return [_claim(row) for row in rows if row.id in claimed]


def claimed(row: Mapping[str, Any], lease: timedelta) -> tuple[dict[str, Any], Claim]:
    """A new row of `deliveries` that is ready when it is made, as its maker claims it in the same breath; and the claim."""
    at = row["created_at"]
    ours = {**row, "attempts": 1, "fence": 1, "leased_until": at + lease, "next_attempt_at": at + lease}
    names = ("id", "notice_id", "channel", "type", "ticket_id", "expires_at", "created_at")
    return ours, Claim(**{name: row[name] for name in names}, attempts=1, earlier_attempts=0, fence=1)


async def known(conn: Connection, ids: Collection[str]) -> set[str]:
    """Of these ids, those under which there is a delivery."""
    return set((await conn.execute(_KNOWN, {"ids": ids})).scalars())


def _claim(row: Any) -> Claim:
    return Claim(
        id=row.id,
        notice_id=row.notice_id,
        channel=row.channel,
        type=row.type,
        ticket_id=row.ticket_id,
        attempts=row.attempts + 1,
        earlier_attempts=row.earlier_attempts,
        fence=row.fence + 1,
        expires_at=None if row.expires_at is None else from_microseconds(row.expires_at),
        created_at=from_microseconds(row.created_at),
    )


async def bodies(conn: Connection, notice_ids: Collection[str]) -> dict[str, bytes]:
    """The exact bytes of notices, by id."""
    if not notice_ids:
        return {}
    return {row.id: row.body for row in await conn.execute(_BODIES, {"ids": notice_ids})}


async def release(conn: Connection, at: datetime) -> int:
    """End all leases now; how many there were. Their holders, should they live, find a newer fence when the delivery is claimed again."""
    held = update(deliveries).where(deliveries.c.leased_until > at, deliveries.c.state == PENDING)
    return (await conn.execute(held.values(leased_until=None, next_attempt_at=at))).rowcount


async def still_wanted(conn: Connection, claims: Sequence[Claim]) -> set[str]:
    """Of claims that are not sent yet, the ids of those that nobody has taken back."""
    query = select(deliveries.c.id).where(
        among(deliveries.c.id, [each.id for each in claims]), deliveries.c.state == PENDING, deliveries.c.withdrawn == false()
    )
    return set((await conn.execute(query)).scalars())


async def complete(conn: Connection, results: Sequence[Ended]) -> list[bool]:
    """Record what came of claims; for each whether it was kept: False when the lease was lost to another holder or the delivery has
    ended otherwise meanwhile. Then only the attempt is noted.

    A delivery that was withdrawn while on its way is superseded unless it was accepted, and what waits for its end is woken.
    """
    rows = {row.id: row for row in await conn.execute(_OF_OURS, {"ids": [each.claim.id for each in results]})}
    kept = [_holds(rows.get(each.claim.id), each) for each in results]
    changes = [_change(rows[each.claim.id], each) for each, mine in zip(results, kept, strict=True) if mine]
    await bulk.write(conn, deliveries, "update", changes)
    await bulk.write(conn, attempts, "insert_new", [each.attempt_row for each in results if each.attempt_row is not None])
    given_up = [each.claim.id for each, mine in zip(results, kept, strict=True) if mine and each.state in ("dead", "expired")]
    await wakes.wake(conn, given_up, max(each.at for each in results))
    await _wake(conn, [row.id for row in rows.values() if row.withdrawn], max(each.at for each in results))
    return kept


def _holds(row: Any, ended: Ended) -> bool:
    return row is not None and row.fence == ended.claim.fence and (row.state == PENDING or ended.state == "delivered")


def _change(row: Any, ended: Ended) -> dict[str, Any]:
    state = "superseded" if row.withdrawn and ended.state != "delivered" else ended.state
    return {
        "id": row.id,
        "state": state,
        "next_attempt_at": ended.next_attempt_at if state == PENDING else None,
        "leased_until": None,
        "attempts": row.attempts if ended.attempt_row is not None else row.attempts - 1,
        "error_class": ended.error_class,
        "detail": ended.detail,
        "delivered_at": ended.at if state == "delivered" else None,
        "fallback_at": None if state == "delivered" else row.fallback_at,
    }


async def followers(conn: Connection, done: Iterable[Claim], at: datetime) -> None:
    """Let go what was put off behind deliveries of ordered channels that have ended."""
    behind = {each.ticket_id for each in done if each.ticket_id is not None}
    if behind:
        which = among(deliveries.c.ticket_id, sorted(behind))
        waiting = deliveries.c.next_attempt_at.is_not(None) & deliveries.c.leased_until.is_(None) & (deliveries.c.attempts == 0)
        await conn.execute(update(deliveries).where(which, waiting, deliveries.c.next_attempt_at > at).values(next_attempt_at=at))


async def _wake(conn: Connection, ids: Collection[str], at: datetime) -> None:
    """Let the deliveries be looked at that wait for the end of these."""
    if ids:
        which = (among(deliveries.c.waits_for, ids), deliveries.c.state == PENDING, deliveries.c.leased_until.is_(None))
        await conn.execute(update(deliveries).where(*which).values(next_attempt_at=at))


async def _chosen(conn: Connection, at: datetime, wants: Sequence[Want]) -> list[Row[Any]]:
    """The ready rows, on PostgreSQL locked, in the order in which they were made; instants as they are stored."""
    if not wants:
        return []
    asked = {"wants": orjson.dumps([[want.channel, want.lane, want.room] for want in wants]).decode(), "at": to_microseconds(at)}
    if conn.dialect.name == "sqlite":
        asked["most"] = max(want.room for want in wants)
    rows = sorted(await conn.execute(_CHOOSE[conn.dialect.name], asked), key=_MADE)
    left = {(want.channel, want.lane): want.room for want in wants}
    return [row for row in rows if _has_room(left, row)]


def _has_room(left: dict[tuple[str, int], int], row: Row[Any]) -> bool:
    left[row.channel, row.lane] -= 1
    return left[row.channel, row.lane] >= 0


async def _screen(conn: Connection, rows: Sequence[Row[Any]], at: datetime, ordered: Collection[str], lease: timedelta) -> list[str]:
    """The ids that may go now; the others are ended or put off."""
    fates = await _fates(conn, {row.waits_for for row in rows if row.waits_for is not None})
    first = await _first_of_tickets(conn, [row for row in rows if row.channel in ordered and row.ticket_id is not None])
    decided = {row.id: _decide(row, at, fates, first) for row in rows}
    for end in ("expired", "superseded"):
        await _end(conn, [each for each, decision in decided.items() if decision == end], end, at)
    await _put_off(conn, [each for each, decision in decided.items() if decision == "later"], at + lease)
    return [each for each, decision in decided.items() if decision == "go"]


def _decide(row: Row[Any], at: datetime, fates: Mapping[str, str], first: Mapping[tuple[str, int, str], str]) -> str:
    """`go`, `later`, or the end it has found: `expired`, `superseded`."""
    if row.expires_at is not None and row.expires_at <= to_microseconds(at):
        return "expired"
    if row.withdrawn:  # its holder has died on the way
        return "superseded"
    if row.waits_for is not None and (fate := fates.get(row.waits_for, "superseded")) != row.waits_if:
        return "later" if fate == PENDING else "superseded"
    return "go" if first.get((row.channel, row.lane, row.ticket_id), row.id) == row.id else "later"


async def _fates(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """What became of deliveries: `delivered`, still `pending`, or, whatever else it was, `superseded`."""
    if not ids:
        return {}
    query = select(deliveries.c.id, deliveries.c.state).where(among(deliveries.c.id, sorted(ids)))
    return {row.id: row.state if row.state in ("delivered", PENDING) else "superseded" for row in await conn.execute(query)}


async def _first_of_tickets(conn: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[str, int, str], str]:
    """By channel, lane and ticket the id of the oldest delivery that is not ended. In the lane of replays all count, in the live one
    only live ones: what is replayed holds nothing up."""
    if not rows:
        return {}
    columns = (deliveries.c.id, deliveries.c.channel, deliveries.c.lane, deliveries.c.ticket_id, deliveries.c.created_at)
    query = select(*columns).where(
        among(deliveries.c.ticket_id, sorted({row.ticket_id for row in rows})), deliveries.c.next_attempt_at.is_not(None)
    )
    waiting = sorted(await conn.execute(query), key=_MADE)
    first: dict[tuple[str, int, str], str] = {}
    for row in waiting:
        for lane in (0, 1) if row.lane == 0 else (1,):
            first.setdefault((row.channel, lane, row.ticket_id), row.id)
    return first


async def _end(conn: Connection, ids: Collection[str], state: str, at: datetime) -> None:
    if ids:
        statement = update(deliveries).where(among(deliveries.c.id, ids), deliveries.c.state == PENDING)
        await conn.execute(statement.values(state=state, next_attempt_at=None, leased_until=None))
        await _wake(conn, ids, at)


async def _put_off(conn: Connection, ids: Collection[str], until: datetime) -> None:
    """Look at them again then, unless the end of what they wait for wakes them before."""
    if ids:
        await conn.execute(update(deliveries).where(among(deliveries.c.id, ids)).values(next_attempt_at=until))
