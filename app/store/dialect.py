"""The few statements that SQLAlchemy spells differently for each database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import Connection


def _insert(conn: Connection, table: Table) -> Any:
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def insert_ignoring(conn: Connection, table: Table) -> Any:
    """An insert that leaves out rows whose key is there already."""
    return _insert(conn, table).on_conflict_do_nothing()


def upsert(conn: Connection, table: Table, *, key: Sequence[str]) -> Any:
    """An insert that replaces all columns of rows whose `key` is there already, except the primary key."""
    statement = _insert(conn, table)
    values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key and not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=values)
