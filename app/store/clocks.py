"""Clocks and breaches: what the engine said last, and what is due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select, update

from app.store import bulk
from app.store.database import Connection
from app.store.dialect import among
from app.store.tables import breaches, clocks, tickets

_COLUMNS: Final = tuple(column.name for column in clocks.columns)


async def of_tickets(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """All clock rows of some tickets, by ticket id, oldest cycle first; each by the names of its columns."""
    found: dict[str, list[dict[str, Any]]] = {ticket_id: [] for ticket_id in ticket_ids}
    if found:
        query = select(clocks).where(among(conn, clocks.c.ticket_id, found)).order_by(clocks.c.ticket_id, clocks.c.metric, clocks.c.cycle)
        for row in await conn.execute(query):
            found[row.ticket_id].append(dict(zip(_COLUMNS, row, strict=True)))
    return found


async def save(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace clocks by id; every row with all columns."""
    await bulk.write(conn, clocks, "replace", rows)


async def due_tickets(conn: Connection, at: datetime, *, limit: int, above: datetime | None = None) -> list[str]:
    """Ids of the tickets that own the longest due clocks, at most `limit`, each once. `above`: only what is due after this instant."""
    query = select(clocks.c.ticket_id).where(clocks.c.next_check_at <= at).order_by(clocks.c.next_check_at).limit(limit)
    if above is not None:
        query = query.where(clocks.c.next_check_at > above)
    return list(dict.fromkeys((await conn.execute(query)).scalars()))


async def next_check_at(conn: Connection, *, above: datetime | None = None) -> datetime | None:
    """The nearest instant at which any clock has something to say, after `above` where that is given; None when none ever has."""
    column = clocks.c.next_check_at
    query = select(column).where(column.is_not(None) if above is None else column > above).order_by(column).limit(1)
    return (await conn.execute(query)).scalar()


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
    query = select(breaches).where(among(conn, breaches.c.clock_id, clock_ids))
    return {row.clock_id: row for row in await conn.execute(query)}


async def save_breaches(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace breaches by id; every row with all columns."""
    await bulk.write(conn, breaches, "replace", rows)


async def counts(conn: Connection) -> dict[str, int]:
    """How many clocks there are in each state."""
    return {row[0]: row[1] for row in await conn.execute(select(clocks.c.state, func.count()).group_by(clocks.c.state))}
