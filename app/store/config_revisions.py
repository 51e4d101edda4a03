"""The stored revisions of the configuration document: numbered from 1, never changed, never deleted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, select

from app.store.database import Connection
from app.store.dialect import insert_ignoring
from app.store.tables import config_revisions


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision. `etag` is the SHA-256 of `body`, hexadecimal; `author` is `file` when it was read from one. `judges_as`: the number of
    the first revision of those in a row, up to this one, that promise the same; None: its own."""

    number: int
    body: str
    etag: str
    author: str
    note: str | None
    created_at: datetime
    judges_as: int | None = None


async def newest(conn: Connection, *, author: str | None = None) -> Revision | None:
    """The newest revision (of this author); None when there is none."""
    statement = select(config_revisions).order_by(config_revisions.c.number.desc()).limit(1)
    if author is not None:
        statement = statement.where(config_revisions.c.author == author)
    return _revision((await conn.execute(statement)).mappings().first())


async def newest_number(conn: Connection) -> int:
    """The number of the newest revision; 0 when there is none."""
    return (await conn.execute(select(func.max(config_revisions.c.number)))).scalar_one_or_none() or 0


async def add(conn: Connection, revision: Revision) -> bool:
    """Store a revision; False when another replica was first with this number."""
    row = {name: getattr(revision, name) for name in Revision.__dataclass_fields__}
    stored = await conn.execute(insert_ignoring(conn, config_revisions).values(row).returning(config_revisions.c.number))
    return stored.first() is not None


def _revision(row: RowMapping | None) -> Revision | None:
    return None if row is None else Revision(**row)
