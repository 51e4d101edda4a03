"""The few statements that SQLAlchemy spells differently for each database."""

import json
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Dialect, Table, Text, TypeDecorator, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine

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


_UNTYPED: Final[Any] = NullType()
"""Of a Boolean SQLAlchemy would make `... = 1` for SQLite, which then goes by no index."""


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
    type = _UNTYPED
    inherit_cache = True


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = [compiler.process(clause, **options) for clause in element.clauses]
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608


@compiles(_Among, "postgresql")
def _any_of_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = [compiler.process(clause, **options) for clause in element.clauses]
    return f"{column} = ANY ({texts})"


def named_among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a text column is one of the values that are given under this name when the statement is run.

    For statements that are made once: making one costs more than running it.
    """
    return _Among(column, bindparam(name, type_=_Texts))


def among(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a text column is one of many values: one parameter, however many there are, so the statement is always the same one."""
    return _Among(column, bindparam(None, values, type_=_Texts))


class _Pairs(TypeDecorator[Collection[tuple[str, str]]]):
    """Many pairs of texts as one parameter: JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[tuple[str, str]] | None, dialect: Dialect) -> str:  # noqa: ARG002
        return json.dumps(sorted(set(value or ())))


class _AmongPairs(FunctionElement[bool]):
    """Two text columns and the pairs they may be; each database spells it otherwise."""

    name = "among_pairs"
    type = _UNTYPED
    inherit_cache = True


@compiles(_AmongPairs, "sqlite")
def _in_json_pairs(element: _AmongPairs, compiler: SQLCompiler, **options: Any) -> str:
    first, second, pairs = [compiler.process(clause, **options) for clause in element.clauses]
    return f"({first}, {second}) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({pairs}))"  # noqa: S608


@compiles(_AmongPairs, "postgresql")
def _in_jsonb_pairs(element: _AmongPairs, compiler: SQLCompiler, **options: Any) -> str:
    first, second, pairs = [compiler.process(clause, **options) for clause in element.clauses]
    return f"({first}, {second}) IN (SELECT pair ->> 0, pair ->> 1 FROM jsonb_array_elements(CAST({pairs} AS jsonb)) AS given (pair))"  # noqa: S608


def named_among_pairs(first: ColumnElement[Any], second: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """As `named_among`, for pairs of text columns."""
    return _AmongPairs(first, second, bindparam(name, type_=_Pairs))
