"""The few statements that SQLAlchemy spells differently for each database."""

import json
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Table, Text, cast, func, literal, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import Connection


def insert_ignoring(conn: Connection, table: Table) -> Any:
    """An insert that leaves out rows whose key is there already."""
    return _insert_ignoring(conn.dialect.name, table)


def upsert(conn: Connection, table: Table, *, key: Sequence[str]) -> Any:
    """An insert that replaces all columns of rows whose `key` is there already, except the primary key."""
    return _upsert(conn.dialect.name, table, tuple(key))


def _insert(dialect: str, table: Table) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _insert_ignoring(dialect: str, table: Table) -> Any:
    """Made once: making a statement costs more than running it."""
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _upsert(dialect: str, table: Table, key: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table)
    values = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key and not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=values)


def among(conn: Connection, column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a text column is one of many values: one parameter, however many there are, so the statement is always the same one."""
    wanted = sorted(set(values))
    if conn.dialect.name == "sqlite":
        return column.in_(select(func.json_each(json.dumps(wanted)).table_valued("value").c.value))
    return column == func.any(cast(literal(wanted, ARRAY(Text)), ARRAY(Text)))


def among_pairs(
    conn: Connection, first: ColumnElement[Any], second: ColumnElement[Any], values: Collection[tuple[str, str]]
) -> ColumnElement[bool]:
    """As `among`, for pairs of text columns."""
    wanted = sorted(set(values))
    if conn.dialect.name == "sqlite":
        value = func.json_each(json.dumps(wanted)).table_valued("value").c.value
        return tuple_(first, second).in_(select(func.json_extract(value, "$[0]"), func.json_extract(value, "$[1]")))
    firsts, seconds = (literal([pair[place] for pair in wanted], ARRAY(Text)) for place in (0, 1))
    given = func.unnest(cast(firsts, ARRAY(Text)), cast(seconds, ARRAY(Text))).table_valued("first", "second").render_derived()
    return tuple_(first, second).in_(select(given.c.first, given.c.second))
