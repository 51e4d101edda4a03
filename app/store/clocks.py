"""Clocks and breaches: what the engine said last, and what is due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select, update

from app.store import bulk
from app.store.database import SERVER_TIME, Connection
from app.store.dialect import named_among
from app.store.tables import breaches, clocks, tickets
from app.store.tickets import LockedTicket, free, take
from app.store.types import UtcDateTime

_COLUMNS: Final = tuple(column.name for column in clocks.columns)
# Statements are made once: making one costs more than running it.
_OF_TICKETS: Final = (
    select(clocks).where(named_among(clocks.c.ticket_id, "tickets")).order_by(clocks.c.ticket_id, clocks.c.metric, clocks.c.cycle)
)
_BREACHES_OF: Final = select(breaches).where(named_among(breaches.c.clock_id, "clocks"))
_ABOVE: Final = clocks.c.next_check_at > bindparam("above", type_=UtcDateTime)
_DUE: Final = (
    free(clocks.join(tickets, tickets.c.id == clocks.c.ticket_id))
    .where(clocks.c.next_check_at <= bindparam("at", type_=UtcDateTime))
    .order_by(clocks.c.next_check_at)
)
_DUE_ABOVE: Final = _DUE.where(_ABOVE)
_NEXT: Final = select(clocks.c.next_check_at).order_by(clocks.c.next_check_at).limit(1)
_DATE: Final = select(tickets.c.rejudge_at).where(tickets.c.rejudge_at.is_not(None)).order_by(tickets.c.rejudge_at).limit(1)
_NEAREST: Final = select(SERVER_TIME, _NEXT.where(clocks.c.next_check_at.is_not(None)).scalar_subquery(), _DATE.scalar_subquery())
_NEAREST_ABOVE: Final = select(SERVER_TIME, _NEXT.where(_ABOVE).scalar_subquery(), _DATE.scalar_subquery())


async def of_tickets(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """All clock rows of some tickets, by ticket id, oldest cycle first; each by the names of its columns."""
    found: dict[str, list[dict[str, Any]]] = {ticket_id: [] for ticket_id in ticket_ids}
    if found:
        for row in await conn.execute(_OF_TICKETS, {"tickets": found}):
            found[row.ticket_id].append(dict(zip(_COLUMNS, row, strict=True)))
    return found


def save(sheaf: bulk.Sheaf, rows: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> None:
    """Write clocks, every row with all columns. `before`: those that are stored, by id, as they are; the others are new."""
    sheaf.add(clocks, "insert", [row for row in rows if row["id"] not in before])
    sheaf.update(clocks, [row for row in rows if row["id"] in before], before)


async def lock_due(conn: Connection, at: datetime, *, limit: int, above: datetime | None = None) -> list[LockedTicket]:
    """Lock the tickets that own the longest due clocks, at most `limit`, as `take` does. `above`: only what is due after this instant."""
    given = {"at": at, "most": limit} | ({} if above is None else {"above": above})
    return await take(conn, _DUE if above is None else _DUE_ABOVE, given)


async def nearest(conn: Connection, *, above: datetime | None = None) -> tuple[datetime | None, datetime | None, datetime | None]:
    """The database's own time (`Database.present`), and the nearest instants at which any clock has something to say (after `above` where
    that is given), and at which a ticket has to be judged though no clock is due (tier by date, signal ahead). None: there is none."""
    query, given = (_NEAREST, {}) if above is None else (_NEAREST_ABOVE, {"above": above})
    told, clock_at, date_at = (await conn.execute(query, given)).one()
    return told, clock_at, date_at


async def postpone(conn: Connection, ticket_id: str, until: datetime) -> None:
    """Push ahead what is due of a ticket that cannot be judged, its clocks and its dates, and count the failure."""
    statement = (
        update(clocks)
        .where(clocks.c.ticket_id == ticket_id, clocks.c.next_check_at < until)
        .values(next_check_at=until, failures=clocks.c.failures + 1)
    )
    await conn.execute(statement)
    mine = update(tickets).where(tickets.c.id == ticket_id)
    await conn.execute(mine.values(version=tickets.c.version + 1))
    await conn.execute(mine.where(tickets.c.rejudge_at < until).values(rejudge_at=until))


async def breaches_of(conn: Connection, clock_ids: Collection[str]) -> dict[str, Row[Any]]:
    """The breach rows of some clocks, by clock id."""
    if not clock_ids:
        return {}
    return {row.clock_id: row for row in await conn.execute(_BREACHES_OF, {"clocks": clock_ids})}


def save_breaches(sheaf: bulk.Sheaf, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace breaches by id; every row with all columns."""
    sheaf.add(breaches, "replace", rows)


async def counts(conn: Connection) -> dict[str, int]:
    """How many clocks there are in each state."""
    return {row[0]: row[1] for row in await conn.execute(select(clocks.c.state, func.count()).group_by(clocks.c.state))}
