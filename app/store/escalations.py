"""Runs of ladders and their logs. Whoever holds the ticket may change its runs; the fence keeps out who has lost it meanwhile."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, delete, select, update
from sqlalchemy.exc import IntegrityError

from app.errors import Conflict
from app.rules.calendar import Calendar
from app.rules.escalation import Ladder
from app.rules.escalation_log import Entry
from app.rules.escalation_run import Run, replay
from app.store import bulk, escalation_codec, outbox
from app.store.database import SERVER_TIME, Connection
from app.store.dialect import among, insert_ignoring, named_among
from app.store.tables import deliveries, escalation_log, escalations, service_keys, tickets
from app.store.tickets import LockedTicket, free, take
from app.store.types import UtcDateTime

_RUNGS: Final = ("escalation.step", "sla.warning")
"""Events by which a rung speaks, and of which the breach's own all-clear says nothing."""

_OPEN: Final = (
    select(escalations).where(named_among(escalations.c.ticket_id, "tickets"), escalations.c.closed_at.is_(None)).order_by(escalations.c.id)
)
_CAUSES: Final = select(escalations.c.clock_id, escalations.c.generation, escalations.c.cause).where(
    named_among(escalations.c.clock_id, "clocks")
)
_NEXT: Final = (
    select(escalations.c.next_step_at).where(escalations.c.next_step_at.is_not(None)).order_by(escalations.c.next_step_at).limit(1)
)
_DUE: Final = (
    free(escalations.join(tickets, tickets.c.id == escalations.c.ticket_id))
    .where(escalations.c.next_step_at <= bindparam("at", type_=UtcDateTime))
    .order_by(escalations.c.next_step_at)
)
_NEAREST: Final = select(SERVER_TIME, _NEXT.scalar_subquery())
_LOGS: Final = (
    select(escalation_log)
    .where(named_among(escalation_log.c.escalation_id, "runs"))
    .order_by(escalation_log.c.escalation_id, escalation_log.c.number)
)


@dataclass(frozen=True)
class Stored:
    """A run as it was read: its row and its log, oldest line first."""

    row: Row[Any]
    log: tuple[Entry, ...]

    @cached_property
    def snapshot(self) -> tuple[Ladder, Calendar]:
        """The ladder and calendar it was opened with."""
        return escalation_codec.load(self.row.snapshot)

    @cached_property
    def run(self) -> Run:
        """Where it stands, as its log tells."""
        return replay(self.log, self.snapshot[1])


async def open_of_tickets(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[Stored]]:
    """The runs of some tickets that are not closed, by ticket id, oldest first; a ticket without one is left out."""
    if not ticket_ids:
        return {}
    found: dict[str, list[Stored]] = {}
    for stored in await _with_logs(conn, list(await conn.execute(_OPEN, {"tickets": ticket_ids}))):
        found.setdefault(stored.row.ticket_id, []).append(stored)
    return found


async def lock(conn: Connection, escalation_id: str) -> Stored | None:
    """A run with its ticket's row locked; None when there is none of this id."""
    ticket_id = (await conn.execute(select(escalations.c.ticket_id).where(escalations.c.id == escalation_id))).scalar_one_or_none()
    if ticket_id is None:
        return None
    await conn.execute(select(tickets.c.id).where(tickets.c.id == ticket_id).with_for_update())
    return await one(conn, escalation_id)


async def one(conn: Connection, escalation_id: str) -> Stored | None:
    """A run as it is; None when there is none of this id."""
    rows = list(await conn.execute(select(escalations).where(escalations.c.id == escalation_id)))
    return (await _with_logs(conn, rows))[0] if rows else None


async def open_of_breach(conn: Connection, breach_id: str) -> list[str]:
    """Ids of the runs of a breach that are not closed."""
    query = select(escalations.c.id).where(escalations.c.breach_id == breach_id, escalations.c.closed_at.is_(None))
    return list((await conn.execute(query.order_by(escalations.c.id))).scalars())


async def causes(conn: Connection, clock_ids: Collection[str]) -> set[tuple[str, int, str]]:
    """What some clocks have opened runs for already: (clock id, generation, cause)."""
    if not clock_ids:
        return set()
    return {(row.clock_id, row.generation, row.cause) for row in await conn.execute(_CAUSES, {"clocks": clock_ids})}


async def lock_due(conn: Connection, at: datetime, *, limit: int) -> list[LockedTicket]:
    """Lock the tickets that own the longest due runs, at most `limit`, as `take` does."""
    return await take(conn, _DUE, {"at": at, "most": limit})


async def nearest(conn: Connection) -> tuple[datetime | None, datetime | None]:
    """The database's own time (`Database.present`), and the nearest instant at which any run has something to do; None when none has."""
    told, next_step_at = (await conn.execute(_NEAREST)).one()
    return told, next_step_at


async def postpone(conn: Connection, ticket_id: str, until: datetime) -> None:
    """Push ahead what is due of the runs of a ticket that cannot be judged."""
    mine = (escalations.c.ticket_id == ticket_id, escalations.c.next_step_at < until)
    await conn.execute(update(escalations).where(*mine).values(next_step_at=until))


async def save(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store runs: mappings with all columns, `fence` as it was read (0: a new run), and under `log` the new lines.

    Conflict when somebody else has written a line since the run was read: then nothing of this transaction may stay.
    """
    fresh = [_values(row) for row in rows if row["fence"] == 0]
    known = [_values(row) for row in rows if row["fence"] > 0]
    await bulk.write(conn, escalations, "insert", fresh)
    await bulk.write(conn, escalations, "update", known)
    lines = [
        {"escalation_id": row["id"], "number": row["fence"] + place, **escalation_codec.dump_entry(entry)}
        for row in rows
        for place, entry in enumerate(row["log"], start=1)
    ]
    if not lines:
        return
    try:
        await bulk.write(conn, escalation_log, "insert", lines)
    except IntegrityError as error:  # a line of this number is there: the lock on the ticket was lost
        raise Conflict("The escalation was changed by somebody else at the same moment; try again.") from error


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "log"} | {"fence": row["fence"] + len(row["log"])}


async def reached(conn: Connection, notice_ids: Collection[str], escalation_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """By notice id, what became of the deliveries of some runs: (channel, state) each."""
    digest = deliveries.alias("digest")  # what a digest tells fares as the digest does
    is_folded = (deliveries.c.state == "suppressed") & digest.c.id.is_not(None)
    state = case((is_folded, digest.c.state), else_=deliveries.c.state).label("state")
    joined = deliveries.outerjoin(digest, digest.c.id == deliveries.c.waits_for)
    query = select(deliveries.c.notice_id, deliveries.c.channel, state).select_from(joined)
    query = query.where(among(deliveries.c.escalation_id, escalation_ids), deliveries.c.notice_id.in_(list(notice_ids)))
    found: dict[str, list[tuple[str, str]]] = {}
    for row in await conn.execute(query.order_by(deliveries.c.id)):
        found.setdefault(row.notice_id, []).append((row.channel, row.state))
    return found


async def told(conn: Connection, escalation_ids: Collection[str]) -> dict[str, set[str]]:
    """By run, the channels that have accepted what one of its rungs said, be it a step or a warning."""
    found: dict[str, set[str]] = {}
    if escalation_ids:
        query = select(deliveries.c.escalation_id, deliveries.c.channel).where(
            among(deliveries.c.escalation_id, escalation_ids), deliveries.c.type.in_(_RUNGS), outbox.heard()
        )
        for row in await conn.execute(query):
            found.setdefault(row.escalation_id, set()).add(row.channel)
    return found


async def take_back(conn: Connection, escalation_ids: Collection[str]) -> list[Row[Any]]:
    """Take back what rungs of some runs said and was not accepted yet; the rows as `outbox.take_back` gives them."""
    if not escalation_ids:
        return []
    which = (among(deliveries.c.escalation_id, escalation_ids), deliveries.c.type == "escalation.step")
    return await outbox.take_back(conn, *which)


async def forget(conn: Connection, ticket_ids: Collection[str]) -> None:
    """Delete the runs of some tickets, with their logs."""
    mine = among(escalations.c.ticket_id, ticket_ids)
    await conn.execute(delete(escalation_log).where(escalation_log.c.escalation_id.in_(select(escalations.c.id).where(mine))))
    await conn.execute(delete(escalations).where(mine))


async def log_of(conn: Connection, escalation_id: str) -> list[dict[str, Any]]:
    """The lines of a run's log as stored, oldest first."""
    query = select(escalation_log).where(escalation_log.c.escalation_id == escalation_id).order_by(escalation_log.c.number)
    return [dict(row) for row in (await conn.execute(query)).mappings()]


async def key(conn: Connection, name: str, at: datetime) -> bytes:
    """A secret of the service's own, the same for every process on this database; made when it is first asked for."""
    secret = await known_key(conn, name)
    if secret is None:
        row = {"name": name, "secret": secrets.token_bytes(32), "created_at": at}
        await conn.execute(insert_ignoring(conn, service_keys), [row])
        secret = await known_key(conn, name)
    assert secret is not None
    return secret


async def known_key(conn: Connection, name: str) -> bytes | None:
    """The secret of this name; None when it was never asked for."""
    query = select(service_keys.c.secret).where(service_keys.c.name == name)
    secret: bytes | None = (await conn.execute(query)).scalar_one_or_none()
    return secret


async def _with_logs(conn: Connection, rows: Sequence[Row[Any]]) -> list[Stored]:
    logs: dict[str, list[Entry]] = {row.id: [] for row in rows}
    if logs:
        for line in await conn.execute(_LOGS, {"runs": logs}):
            logs[line.escalation_id].append(escalation_codec.load_entry(line))
    return [Stored(row, tuple(logs[row.id])) for row in rows]
