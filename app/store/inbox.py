"""The inbox: every message that arrived, as it arrived, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update

from app.store import bulk
from app.store.database import Connection
from app.store.dialect import among
from app.store.tables import inbox


def add(sheaf: bulk.Sheaf, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store messages; every row with all columns but `replayed_at`."""
    sheaf.add(inbox, "insert", rows)


async def get(conn: Connection, message_id: str) -> Row[Any] | None:
    """One message; None when there is none of this id."""
    return (await conn.execute(select(inbox).where(inbox.c.id == message_id))).first()


async def some(conn: Connection, ids: Sequence[str]) -> list[Row[Any]]:
    """These messages, by id."""
    return list(await conn.execute(select(inbox).where(among(inbox.c.id, ids)).order_by(inbox.c.id)))


async def count_replayable(conn: Connection, source: str, outcome: str, since: datetime | None, until: datetime | None) -> int:
    """How many messages there are to read again."""
    query = select(func.count()).select_from(inbox).where(*_replayable(source, outcome, since, until))
    return int((await conn.execute(query)).scalar_one())


async def replayable(
    conn: Connection, source: str, outcome: str, since: datetime | None, until: datetime | None, *, limit: int
) -> list[str]:
    """The ids of the oldest webhooks of a source with this outcome whose body was kept, that came in [since, until)."""
    query = select(inbox.c.id).where(*_replayable(source, outcome, since, until)).order_by(inbox.c.id).limit(limit)
    return list((await conn.execute(query)).scalars())


def _replayable(source: str, outcome: str, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    where = [inbox.c.source == source, inbox.c.outcome == outcome, inbox.c.via.in_(("webhook", "import")), inbox.c.body.is_not(None)]
    where += [inbox.c.received_at >= since] if since is not None else []
    return where + ([inbox.c.received_at < until] if until is not None else [])


async def conclude(
    conn: Connection, message_id: str, *, outcome: str, reason: str | None, tickets: Sequence[str], replayed_at: datetime
) -> None:
    """What a replay made of a message."""
    statement = update(inbox).where(inbox.c.id == message_id)
    await conn.execute(statement.values(outcome=outcome, reason=reason, tickets=list(tickets), replayed_at=replayed_at))
