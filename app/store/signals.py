"""Signals that tickets have raised, and the tickets that a repeat ticket repeats."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select

from app.rules.signals import Related
from app.store import bulk
from app.store.database import Connection
from app.store.dialect import among, named_among_pairs
from app.store.tables import signals, tickets

LOOKED_AT: Final = 2_000
"""Other tickets that are looked at for one batch: the newest."""
_SPAN: Final = timedelta(days=366)
"""How far back repeat tickets are looked for where the document does not say."""
_EDGE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose earlier tickets are wanted: those of a ticket with these facts. `category` None: it has none."""

    ticket_id: str
    source: str
    requester: str | None
    organization: str | None
    category: str | None
    created_at: datetime


async def of_tickets(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
    """What some tickets have raised, by ticket id, the oldest first; withdrawn ones too. A ticket that raised nothing is left out."""
    found: dict[str, list[Row[Any]]] = {}
    if ticket_ids:
        query = select(signals).where(among(signals.c.ticket_id, ticket_ids))
        for row in await conn.execute(query.order_by(signals.c.raised_at, signals.c.id)):
            found.setdefault(row.ticket_id, []).append(row)
    return found


async def save(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace raised signals; every row with all columns."""
    await bulk.write(conn, signals, "replace", rows)


async def related(conn: Connection, asked: Iterable[Asked], within: timedelta | None) -> dict[str, list[Related]]:
    """By ticket id, the earlier tickets of the same source and kind, created less than `within` (None: a year) before it.

    The same requester, and the same category where both have one; or the same organization, and the same category, which both must have.
    Deleted and merged tickets are left out.
    """
    wanted = list(asked)
    if not wanted:
        return {}
    span = within or _SPAN
    first, last = min(one.created_at for one in wanted) - span - _EDGE, max(one.created_at for one in wanted)
    by_requester = {(one.source, one.requester) for one in wanted if one.requester is not None}
    by_organization = {(one.source, one.organization) for one in wanted if one.organization is not None and one.category is not None}
    rows = {
        row.id: row
        for column, pairs in ((tickets.c.requester, by_requester), (tickets.c.organization, by_organization))
        for row in (await _others(conn, column, pairs, first, last) if pairs else ())
    }
    found = {one.ticket_id: [other for row in rows.values() if (other := _relation(one, row, span)) is not None] for one in wanted}
    return {ticket_id: others for ticket_id, others in found.items() if others}


async def _others(
    conn: Connection, column: ColumnElement[Any], pairs: Collection[tuple[str, str]], first: datetime, last: datetime
) -> list[Row[Any]]:
    columns = ("id", "source", "external_id", "requester", "organization", "category", "created_at")
    query = select(*(tickets.c[name] for name in columns)).where(
        named_among_pairs(tickets.c.source, column, "pairs"),
        tickets.c.created_at >= first,
        tickets.c.created_at < last,
        tickets.c.deleted.is_(False),
        tickets.c.merged_into.is_(None),
    )
    return list(await conn.execute(query.order_by(tickets.c.created_at.desc()).limit(LOOKED_AT), {"pairs": pairs}))


def _relation(one: Asked, row: Row[Any], span: timedelta) -> Related | None:
    """How another ticket is related to one; None: it is not."""
    if row.id == one.ticket_id or row.source != one.source or not one.created_at - span < row.created_at < one.created_at:
        return None
    if (
        row.requester is not None
        and row.requester == one.requester
        and (None in (row.category, one.category) or row.category == one.category)
    ):
        return Related(row.id, row.external_id, row.created_at, "requester")
    if row.organization is not None and row.organization == one.organization and row.category == one.category is not None:
        return Related(row.id, row.external_id, row.created_at, "organization")
    return None
