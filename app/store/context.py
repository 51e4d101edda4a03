"""What notices tell of a ticket beside its events: signals it has raised, escalations it has had."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, select

from app.store.database import Connection
from app.store.dialect import named_among
from app.store.tables import escalations, signals

_NAMES: Final = ("id", "ticket_id", "cause", "state", "ladder", "signal", "opened_at", "closed_at", "closed_because")
_ESCALATIONS: Final = (
    select(*(escalations.c[name] for name in _NAMES))
    .where(named_among(escalations.c.ticket_id, "tickets"))
    .order_by(escalations.c.opened_at, escalations.c.id)
)
_SIGNALS: Final = (
    select(signals)
    .where(named_among(signals.c.ticket_id, "tickets"), signals.c.status == "raised")
    .order_by(signals.c.raised_at, signals.c.id)
)


async def escalations_of(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
    """The escalations of some tickets by ticket id, oldest first; a ticket without one is left out."""
    return _by_ticket(list(await conn.execute(_ESCALATIONS, {"tickets": ticket_ids}))) if ticket_ids else {}


async def signals_of(conn: Connection, ticket_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
    """The signals some tickets have raised by ticket id, oldest first, without those that were taken back."""
    return _by_ticket(list(await conn.execute(_SIGNALS, {"tickets": ticket_ids}))) if ticket_ids else {}


def _by_ticket(rows: Collection[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.ticket_id, []).append(row)
    return found
