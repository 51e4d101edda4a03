"""Many rows by one statement, for the hot paths: written once for a table and its keys, handed to the driver as it likes it best.

SQLite takes a list of tuples; PostgreSQL one array for each column, unnested on the server, which plans and answers once. No row passes
through SQLAlchemy's own machinery, which would cost more than the database does. Names come from the tables, values are parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.default import StrCompileDialect

from app.store.database import Connection
from app.store.types import JsonBytes, UtcDateTime, to_microseconds

Mode = Literal["insert", "insert_new", "replace", "update"]
"""`insert_new` leaves out rows whose unique key is there already; `replace` writes all given columns of a row whose primary key is there;
`update` changes the given columns of rows by their primary key."""

Convert = Callable[[Any], Any]
_POSTGRESQL: Final[Any] = postgresql.dialect()  # type: ignore[no-untyped-call]
_QUOTES: Final = StrCompileDialect().identifier_preparer


async def write(conn: Connection, table: Table, mode: Mode, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows; each with the same keys, the primary key among them. Of rows with one primary key the last counts."""
    if not rows:
        return
    statement = _statement(conn.dialect.name, table, mode, tuple(rows[0]))
    given = _once(rows, statement.primary)
    if conn.dialect.name == "postgresql":
        await conn.exec_driver_sql(statement.sql, tuple([_column(given, name, convert) for name, convert in statement.order]))
    else:
        await conn.exec_driver_sql(statement.sql, [statement.tuple_of(row) for row in given])


def _once(rows: Sequence[Mapping[str, Any]], primary: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Each key once, and in the order of the keys, so that two writers never wait for each other."""
    key = itemgetter(*primary)
    if len(rows) == 1:
        return rows
    by_key = {key(row): row for row in rows}
    return [by_key[each] for each in sorted(by_key)]


def _column(rows: Sequence[Mapping[str, Any]], name: str, convert: Convert | None) -> list[Any]:
    """One column of many rows, as the driver takes it."""
    if convert is None:
        return [row[name] for row in rows]
    return [None if (value := row[name]) is None else convert(value) for row in rows]


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    order: tuple[tuple[str, Convert | None], ...]
    """The key of each parameter, and what turns its value into what the driver takes (never called for None)."""
    primary: tuple[str, ...]

    def tuple_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """One row as the driver takes it."""
        return tuple([row[name] if convert is None or row[name] is None else convert(row[name]) for name, convert in self.order])


@cache
def _statement(dialect: str, table: Table, mode: Mode, keys: tuple[str, ...]) -> _Statement:
    primary = tuple(column.name for column in table.primary_key)
    values = [key for key in keys if key not in primary]
    order = [*values, *primary] if mode == "update" else list(keys)
    write = _update if mode == "update" else _insert
    sql = write(dialect, table, mode, order, values, primary)
    return _Statement(sql, tuple((key, _convert(table, key)) for key in order), primary)


def _insert(dialect: str, table: Table, mode: Mode, order: list[str], values: list[str], primary: tuple[str, ...]) -> str:
    names = ", ".join(_quoted(key) for key in order)
    given = f"SELECT * FROM {_unnested(table, order)}" if dialect == "postgresql" else f"VALUES ({', '.join('?' * len(order))})"  # noqa: S608
    conflict = {
        "insert": "",
        "insert_new": " ON CONFLICT DO NOTHING",
        "replace": f" ON CONFLICT ({', '.join(map(_quoted, primary))}) DO UPDATE SET "
        + ", ".join(f"{_quoted(key)} = excluded.{_quoted(key)}" for key in values),
    }[mode]
    return f"INSERT INTO {table.name} ({names}) {given}{conflict}"


def _update(dialect: str, table: Table, mode: Mode, order: list[str], values: list[str], primary: tuple[str, ...]) -> str:  # noqa: ARG001
    if dialect != "postgresql":
        settings = ", ".join(f"{_quoted(key)} = ?" for key in values)
        return f"UPDATE {table.name} SET {settings} WHERE {' AND '.join(f'{_quoted(key)} = ?' for key in primary)}"  # noqa: S608
    settings = ", ".join(f"{_quoted(key)} = given.{_quoted(key)}" for key in values)
    which = " AND ".join(f"{table.name}.{_quoted(key)} = given.{_quoted(key)}" for key in primary)
    names = ", ".join(_quoted(key) for key in order)
    return f"UPDATE {table.name} SET {settings} FROM {_unnested(table, order)} AS given ({names}) WHERE {which}"  # noqa: S608


def _unnested(table: Table, order: list[str]) -> str:
    return f"unnest({', '.join(f'${number}::{_array(table, key)}' for number, key in enumerate(order, start=1))})"


def _array(table: Table, key: str) -> str:
    return f"{table.c[key].type.compile(dialect=_POSTGRESQL)}[]"


def _convert(table: Table, key: str) -> Convert | None:
    kind = table.c[key].type
    if isinstance(kind, UtcDateTime):
        return to_microseconds
    return _json if isinstance(kind, JsonBytes) else None


def _json(value: Any) -> bytes:
    """Bytes are JSON already."""
    return value if isinstance(value, bytes) else orjson.dumps(value)


def _quoted(name: str) -> str:
    return _QUOTES.quote(name)
