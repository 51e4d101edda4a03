"""The few statements that SQLAlchemy spells differently for each database."""

import json
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, Table, Text, TypeDecorator, bindparam, cast, func, literal, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

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


class _Texts(TypeDecorator[Collection[str]]):
    """Many texts as one parameter: an array; JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Text))

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        wanted = sorted(set(value or ()))
        return json.dumps(wanted) if dialect.name == "sqlite" else wanted


class _Among(FunctionElement[bool]):
    """A text column and the texts it may be; each database spells it otherwise."""

    name = "among"
    type = Boolean()
    inherit_cache = True


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = [compiler.process(clause, **options) for clause in element.clauses]
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(_Among, "postgresql")
def _any_of_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = [compiler.process(clause, **options) for clause in element.clauses]
    return f"{column} = ANY ({texts})"


def named_among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a text column is one of the values that are given under this name when the statement is run.

    For statements that are made once: making one costs more than running it.
    """
    return _Among(column, bindparam(name, type_=_Texts))


def among(conn: Connection, column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:  # noqa: ARG001
    """Whether a text column is one of many values: one parameter, however many there are, so the statement is always the same one."""
    return _Among(column, bindparam(None, values, type_=_Texts))


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
