"""What notices tell of a ticket beside its events: signals it has raised, escalations it has had."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select

from app.store.database import Connection
from app.store.dialect import among
from app.store.tables import escalations, signals


async def escalations_of(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
    """The escalations of some tickets by ticket id, oldest first; a ticket without one is left out."""
    names = ("id", "ticket_id", "cause", "state", "ladder", "signal", "opened_at", "closed_at", "closed_because")
    query = select(*(escalations.c[name] for name in names)).where(among(conn, escalations.c.ticket_id, ticket_ids))
    return _by_ticket(list(await conn.execute(query.order_by(escalations.c.opened_at, escalations.c.id)))) if ticket_ids else {}


async def signals_of(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
    """The signals some tickets have raised by ticket id, oldest first, without those that were taken back."""
    query = select(signals).where(among(conn, signals.c.ticket_id, ticket_ids), signals.c.status == "raised")
    return _by_ticket(list(await conn.execute(query.order_by(signals.c.raised_at, signals.c.id)))) if ticket_ids else {}


def _by_ticket(rows: Collection[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.ticket_id, []).append(row)
    return found
