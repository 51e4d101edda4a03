"""The inbox: every message that arrived, as it arrived, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from app.store import bulk
from app.store.database import Connection
from app.store.tables import inbox


async def add(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store messages; every row with all columns but `replayed_at`."""
    await bulk.write(conn, inbox, "insert", rows)


async def get(conn: Connection, message_id: str) -> Row[Any] | None:
    """One message; None when there is none of this id."""
    return (await conn.execute(select(inbox).where(inbox.c.id == message_id))).first()


async def conclude(
    conn: Connection, message_id: str, *, outcome: str, reason: str | None, tickets: Sequence[str], replayed_at: datetime
) -> None:
    """What a replay made of a message."""
    statement = update(inbox).where(inbox.c.id == message_id)
    await conn.execute(statement.values(outcome=outcome, reason=reason, tickets=list(tickets), replayed_at=replayed_at))
