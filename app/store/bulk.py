"""Many rows by one statement, for the hot paths: written once for a table and its keys, handed to the driver as it likes it best.

SQLite takes a list of tuples; PostgreSQL all rows as one JSON text, which the server makes rows of again, plans and answers once (an array
for each column costs us twice as much: the driver looks at every value). No row passes through SQLAlchemy's own machinery, which would cost
more than the database does. Names come from the tables, values are parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final, Literal

import orjson
from sqlalchemy import LargeBinary, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.default import StrCompileDialect

from app.store.database import Connection
from app.store.sqlite import SqliteConnection
from app.store.types import JsonBytes, UtcDateTime, to_microseconds

Mode = Literal["insert", "insert_new", "replace", "update"]
"""`insert_new` leaves out rows whose unique key is there already; `replace` writes all given columns of a row whose primary key is there;
`update` changes the given columns of rows by their primary key."""

Convert = Callable[[Any], Any]
_POSTGRESQL: Final[Any] = postgresql.dialect()  # type: ignore[no-untyped-call]
_QUOTES: Final = StrCompileDialect().identifier_preparer


class Sheaf:
    """Writes of one transaction that may go to the database together: PostgreSQL gets them as one statement, and is waited for once.

    A row comes after those it refers to, and no row is in it twice. Until `write` no statement of the transaction sees any of it.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._dialect = conn.dialect.name
        self._parts: list[tuple[_Statement, Sequence[Mapping[str, Any]]]] = []

    def add(self, table: Table, mode: Mode, rows: Sequence[Mapping[str, Any]], *, only: tuple[str, ...] | None = None) -> None:
        """Rows to write; each with the same keys, the primary key among them. Of rows with one primary key the last counts.

        `only`: the keys that matter, the primary key among them; None: all.
        """
        if rows:
            statement = _statement(self._dialect, table, mode, only or tuple(rows[0]))
            self._parts.append((statement, _once(rows, statement.primary)))

    def update(self, table: Table, rows: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> None:
        """Rows to update by their `id`. `before`: rows as they are stored, by id; of one that is missing everything is written.

        SQLite touches the index of every column that is written, so there a column that is in one is written only where it has changed.
        PostgreSQL looks for itself.
        """
        if self._dialect == "postgresql":
            self.add(table, "update", rows)
            return
        groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
        plain, indexed = _kinds(table, tuple(rows[0])) if rows else ((), ())
        for row in rows:
            old = before.get(row["id"])
            changed = indexed if old is None else tuple([name for name in indexed if row[name] != old[name]])
            groups.setdefault(changed, []).append(row)
        for changed, group in groups.items():
            self.add(table, "update", group, only=("id", *plain, *changed))

    async def write(self) -> int:
        """Write all that was added so far; how many rows the last part wrote."""
        parts, self._parts = self._parts, []
        count = 0
        if isinstance(self._conn, SqliteConnection):
            for statement, rows in parts:
                count = await self._conn.write(statement.sql, [statement.tuple_of(row) for row in rows])
        elif parts:
            sql = _together(tuple(statement.sql for statement, _ in parts))
            given = tuple(each for statement, rows in parts for each in (statement.text_of(rows), len(rows)))
            count = (await self._conn.exec_driver_sql(sql, given)).rowcount
        return count


async def write(conn: Connection, table: Table, mode: Mode, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write rows at once, as `Sheaf.add` takes them; how many were written."""
    sheaf = Sheaf(conn)
    sheaf.add(table, mode, rows)
    return await sheaf.write()


@cache
def _together(statements: tuple[str, ...]) -> str:
    """One statement of PostgreSQL for several that write; each has two parameters."""
    *others, last = (
        sql.replace("$rows", f"${number}").replace("$count", f"${number + 1}")
        for number, sql in zip(range(1, 2 * len(statements), 2), statements, strict=True)
    )
    return f"WITH {', '.join(f'part_{number} AS ({sql})' for number, sql in enumerate(others))} {last}" if others else last


@cache
def _kinds(table: Table, keys: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of these keys that are in no index, and those that are; without the id."""
    indexed = {column.name for index in table.indexes for column in index.columns}
    others = [key for key in keys if key != "id"]
    return tuple([key for key in others if key not in indexed]), tuple([key for key in others if key in indexed])


def _once(rows: Sequence[Mapping[str, Any]], primary: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Each key once, and in the order of the keys, so that two writers never wait for each other."""
    key = itemgetter(*primary)
    if len(rows) == 1:
        return rows
    by_key = {key(row): row for row in rows}
    return [by_key[each] for each in sorted(by_key)]


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    order: tuple[tuple[str, Convert | None], ...]
    """The key of each parameter, and what turns its value into what the driver takes (never called for None)."""
    primary: tuple[str, ...]

    def tuple_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """One row as SQLite's driver takes it."""
        return tuple([row[name] if convert is None or row[name] is None else convert(row[name]) for name, convert in self.order])

    def text_of(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Rows as JSON objects for PostgreSQL."""
        order = self.order
        return orjson.dumps(
            [{name: row[name] if convert is None or row[name] is None else convert(row[name]) for name, convert in order} for row in rows]
        ).decode()


@cache
def _statement(dialect: str, table: Table, mode: Mode, keys: tuple[str, ...]) -> _Statement:
    primary = tuple(column.name for column in table.primary_key)
    values = [key for key in keys if key not in primary]
    order = [*values, *primary] if mode == "update" else list(keys)
    write = _update if mode == "update" else _insert
    sql = write(dialect, table, mode, order, values, primary)
    return _Statement(sql, tuple((str(key), _convert(dialect, table, key)) for key in order), primary)


def _insert(dialect: str, table: Table, mode: Mode, order: list[str], values: list[str], primary: tuple[str, ...]) -> str:
    names = ", ".join(_quoted(key) for key in order)
    given = f"SELECT {names} FROM {_recordset(table, order)}" if dialect == "postgresql" else f"VALUES ({', '.join('?' * len(order))})"  # noqa: S608
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
    return f"UPDATE {table.name} SET {settings} FROM {_recordset(table, order)} WHERE {which}"  # noqa: S608


def _recordset(table: Table, order: list[str]) -> str:
    # The limit is how many there are. Without it the planner takes them for a hundred, and of a table of some ten thousand rows it then
    # would rather read everything than look up one.
    columns = ", ".join(f"{_quoted(key)} {table.c[key].type.compile(dialect=_POSTGRESQL)}" for key in order)
    return f"(SELECT * FROM json_to_recordset($rows::json) AS given ({columns}) LIMIT $count) AS given"  # noqa: S608


def _convert(dialect: str, table: Table, key: str) -> Convert | None:
    kind = table.c[key].type
    if isinstance(kind, UtcDateTime):
        return to_microseconds
    if isinstance(kind, JsonBytes):
        return _json if dialect == "sqlite" else _hex_of_json
    return _hex if isinstance(kind, LargeBinary) and dialect == "postgresql" else None


def _hex_of_json(value: Any) -> str:
    return _hex(_json(value))


def _hex(value: bytes) -> str:
    """Bytes as PostgreSQL reads them in a text."""
    return f"\\x{value.hex()}"


def _json(value: Any) -> bytes:
    """Bytes are JSON already."""
    return value if isinstance(value, bytes) else orjson.dumps(value)


def _quoted(name: str) -> str:
    return _QUOTES.quote(name)
