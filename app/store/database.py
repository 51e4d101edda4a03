"""The database: write transactions, read transactions, and its clock.

SQLite has one writer at a time (`app.store.sqlite`), PostgreSQL locks rows (`app.store.postgresql`).

A task that is cancelled inside a transaction rolls it back and gives its turn to the next; cancelled during the commit itself, it may
have been committed.
"""

import asyncio
import sqlite3
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from sqlalchemy import DateTime, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.errors import Unavailable
from app.settings import InvalidSettings
from app.store import outages
from app.store.addresses import Address, make_folder, parse
from app.store.sqlite import Sqlite, SqliteConnection
from app.telemetry import metrics
from app.timesource import Now, utc_now

if TYPE_CHECKING:  # with SQLite nobody needs it, and its import is a tenth of the start
    from sqlalchemy.ext.asyncio import AsyncConnection

    from app.store.postgresql import Postgresql

Connection: TypeAlias = "AsyncConnection | SqliteConnection"

PING: Final = timedelta(seconds=2)
_NOISE: Final = timedelta(seconds=1)
"""Clocks that differ by less are taken for equal: that may be the way to the database and back."""
_SQLITE_FLOOR: Final = (3, 35)  # RETURNING
_POSTGRESQL_FLOOR: Final = 150_000


class _ServerTime(FunctionElement[datetime]):
    """The present by the database's own clock; NULL on SQLite, which has none."""

    name = "server_time"
    type = DateTime(timezone=True)
    inherit_cache = True


@compiles(_ServerTime, "sqlite")
def _no_time(_element: _ServerTime, _compiler: SQLCompiler, **_options: Any) -> str:
    return "NULL"


@compiles(_ServerTime, "postgresql")
def _clock_timestamp(_element: _ServerTime, _compiler: SQLCompiler, **_options: Any) -> str:
    return "clock_timestamp()"


SERVER_TIME: Final = _ServerTime()
"""For `Database.present`."""
_NOW: Final = select(SERVER_TIME)


class Database:
    """One database, opened once per process. Use between `open` and `close`, from one event loop.

    `pool`: connections to PostgreSQL (SQLite has one writer and four readers). `patience`: how long a transaction waits for its
    turn, a connection or a lock before it is Unavailable. `database_time`: False lets `now` ask the caller on PostgreSQL too, so
    that a simulated clock holds.
    """

    dialect: Literal["sqlite", "postgresql"]

    def __init__(self, url: str, *, pool: int = 8, patience: timedelta = timedelta(seconds=5), database_time: bool = True) -> None:
        self._address = parse(url)
        self.dialect = self._address.dialect
        self._patience = patience
        self._database_time = database_time and self.dialect == "postgresql"
        self._machine: Now = utc_now
        self._ahead = timedelta(0)
        self._server = _server(self._address, pool, patience)

    async def open(self) -> None:
        """Connect, and see that the database is one we can work with. Unavailable (with the reason) or InvalidSettings."""
        make_folder(self._address)
        try:
            async with self.read() as connection:
                await self._check(connection)
        except Unavailable as error:
            cause = error.__cause__
            reason = getattr(cause, "orig", cause) or error.detail  # the driver's own words, without SQLAlchemy's around them
            raise outages.unavailable(f"The database cannot be opened: {reason}") from error

    async def close(self) -> None:
        """Give all connections back. Transactions still open are rolled back."""
        await self._server.close()

    def begin(self, *, aside: bool = False) -> AbstractAsyncContextManager[Connection]:
        """A write transaction: committed on leaving, rolled back by any exception. Unavailable when the database is not there.

        `aside`: its statements may take long; on SQLite they then run beside the event loop. Errors of the data (a key that is taken) pass
        as they are. Not to be opened inside another one of the same task.
        """
        return self._server.begin(aside=aside)

    def read(self) -> AbstractAsyncContextManager[Connection]:
        """A read transaction: all its statements see one moment, and it can neither write nor block a writer."""
        return self._server.read()

    def ask(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for one quick statement that only reads: no transaction around it."""
        return self._server.ask()

    async def now(self, connection: Connection, fallback: Now) -> datetime:
        """The present, aware, in UTC: PostgreSQL's own clock, the same for all replicas; on SQLite `fallback` (same machine)."""
        if not self._database_time:
            return fallback()
        return self.present((await connection.execute(_NOW)).scalar_one(), fallback)

    def present(self, told: datetime | None, fallback: Now) -> datetime:
        """The same, where a statement has asked for `SERVER_TIME` and this is what it was told."""
        if not self._database_time or told is None:
            return fallback()
        self._compare(told)
        return told.astimezone(UTC)

    def clock(self, machine: Now) -> Now:
        """A `Now` that needs no connection and goes by the database's clock, whatever `machine` (this machine's) says: PostgreSQL's as it
        was when last asked, which is at the start and with each batch; on SQLite `machine` itself. Good to a second.
        """
        if not self._database_time:
            return machine
        self._machine = machine
        return lambda: machine() + self._ahead

    def _compare(self, at: datetime) -> None:
        ahead = at - self._machine()
        if abs(ahead - self._ahead) >= _NOISE:
            self._ahead = ahead if abs(ahead) >= _NOISE else timedelta(0)
            metrics.DATABASE_AHEAD.set(self._ahead.total_seconds())

    async def ping(self) -> None:
        """Unavailable unless the database answers a question within two seconds."""
        try:
            async with asyncio.timeout(PING.total_seconds()), self.read() as connection:
                await connection.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise outages.unavailable() from error

    async def _check(self, connection: Connection) -> None:
        if self.dialect == "postgresql":
            version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one())
            if version < _POSTGRESQL_FLOOR:
                raise InvalidSettings(f"SLAWATCH_DATABASE_URL: PostgreSQL {version // 10_000} is too old, 15 or later is needed")
            await self.now(connection, self._machine)
        elif sqlite3.sqlite_version_info < _SQLITE_FLOOR:
            raise InvalidSettings(f"SLAWATCH_DATABASE_URL: SQLite {sqlite3.sqlite_version} is too old, 3.35 or later is needed")
        elif (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() != "wal":
            raise InvalidSettings("SLAWATCH_DATABASE_URL: this file system cannot hold SQLite's write-ahead log; use a local disk")


def _server(address: Address, pool: int, patience: timedelta) -> "Sqlite | Postgresql":
    if address.dialect == "sqlite":
        return Sqlite(address.location, patience)
    from app.store.postgresql import Postgresql

    return Postgresql(address, pool, patience)
