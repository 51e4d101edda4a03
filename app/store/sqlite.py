"""SQLite, spoken to without a thread in between wherever its answer takes microseconds.

A statement of a write transaction, and the single question of `ask`, run where they are called, in the event loop: handing one to a
thread and back costs more than most of them take (ADR 0009). Beside the loop, in a thread, runs what may wait or walk far: the commit,
which waits for the disk; all statements of read transactions; and those of a write transaction that asks for it.

There is one writer at a time: a lock in this process gives the turn, BEGIN IMMEDIATE on the one writing connection takes the file's
lock against other processes (ADR 0003).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from time import monotonic, sleep
from typing import Any, Final, Literal, TypeVar, TypeVarTuple, cast, overload

from sqlalchemy import URL, Connection, CursorResult, Dialect, Engine, Executable, create_engine, event
from sqlalchemy.sql.selectable import TypedReturnsRows

from app.store import outages

READERS: Final = 4
"""Transactions that read at the same time; besides, one may ask."""
_POLL: Final = (0.001, 0.002, 0.005, 0.01, 0.02)
"""Seconds between looks at a lock that another process holds; the last one again and again."""
T = TypeVar("T")
_Columns = TypeVarTuple("_Columns")
Parameters = Any
Run = Callable[[Callable[[], T]], Any]


class _Cursor(sqlite3.Cursor):
    """Fetches all rows as soon as there are any: in the thread that ran the statement, and before the transaction ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._rows: deque[Any] = deque()

    def execute(self, sql: str, parameters: Any = (), /) -> "_Cursor":
        super().execute(sql, parameters)
        self._rows = deque(super().fetchall()) if self.description is not None else deque()
        return self

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(len(self._rows), size or self.arraysize))]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    def __iter__(self) -> "_Cursor":
        return self

    def __next__(self) -> Any:
        if not self._rows:
            raise StopIteration
        return self._rows.popleft()


class _Driver(sqlite3.Connection):
    """Makes cursors of that kind."""

    def cursor(self, factory: Any = _Cursor, /) -> Any:
        return super().cursor(factory)


def engine(file: str, role: Literal["writer", "reader", "migration"], *, patience: timedelta) -> Engine:
    """`writer`: one connection that never waits for a lock by itself. `reader`: a few, and they refuse to write.

    `migration`: as the writer, but it takes the write lock when a transaction begins and waits `patience` for it, and foreign keys are
    off, because rebuilding a table drops and renames it.
    """
    made = create_engine(
        URL.create("sqlite", database=file),
        # Python's driver would begin transactions by itself, late and deferred; with isolation_level None we say BEGIN.
        connect_args={"isolation_level": None, "timeout": patience.total_seconds(), "check_same_thread": False, "factory": _Driver},
        pool_size=READERS + 1 if role == "reader" else 1,
        max_overflow=0,
        pool_timeout=patience.total_seconds(),
        hide_parameters=True,
        execution_options={outages.READS: role == "reader"},
    )
    pragmas = {
        "synchronous": "FULL",
        "foreign_keys": "OFF" if role == "migration" else "ON",
        "query_only": "ON" if role == "reader" else "OFF",
        "busy_timeout": "0" if role == "writer" else str(round(patience.total_seconds() * 1000)),
    }

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:
        _keep_a_log(connection, patience.total_seconds())
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name} = {value}")

    if role == "migration":
        event.listen(made, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    event.listen(made, "handle_error", outages.translate, retval=True)
    return made


def _keep_a_log(connection: Any, patience: float) -> None:
    """Write-ahead logging. Of several connections that turn it on in a new file at once SQLite refuses all but one, without waiting."""
    until = monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not outages.is_locked(error) or monotonic() > until:
                raise
            sleep(_POLL[-1])
        else:
            return


@contextmanager
def connected(pool: Engine) -> Iterator[Connection]:
    """A connection of the engine; Unavailable when there is none to be had."""
    with outages.connecting():
        connection = pool.connect()
    with connection:
        yield connection


class SqliteConnection:
    """A connection inside a transaction, with those methods of SQLAlchemy's AsyncConnection that the store uses.

    `run`: what runs a statement beside the event loop; None: it runs at once.
    """

    __slots__ = ("_run", "sync_connection")

    def __init__(self, connection: Connection, run: Run[Any] | None) -> None:
        self.sync_connection = connection
        self._run = run

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's SQLite dialect."""
        return self.sync_connection.dialect

    @overload
    async def execute(self, statement: TypedReturnsRows[*_Columns], parameters: Parameters = None) -> CursorResult[*_Columns]: ...
    @overload
    async def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[*tuple[Any, ...]]: ...
    async def execute(self, statement: Any, parameters: Parameters = None) -> Any:
        """The result of a statement; its rows are here already."""
        if self._run is None:
            return self.sync_connection.execute(statement, parameters)
        return await self._run(partial(self.sync_connection.execute, statement, parameters))

    async def exec_driver_sql(self, statement: str, parameters: Parameters = None) -> CursorResult[*tuple[Any, ...]]:
        """The same for SQL as the driver takes it."""
        if self._run is None:
            return self.sync_connection.exec_driver_sql(statement, parameters)
        found: CursorResult[*tuple[Any, ...]] = await self._run(partial(self.sync_connection.exec_driver_sql, statement, parameters))
        return found

    async def write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run a statement that writes once for each row, as the driver takes it, without SQLAlchemy in between; how many were written.

        Errors are the same as from `execute`.
        """
        call = partial(_write, self.sync_connection, statement, rows)
        if self._run is None:
            return call()
        count: int = await self._run(call)
        return count

    async def run_sync(self, work: Callable[..., T], *arguments: Any) -> T:
        """What `work` makes of the synchronous connection."""
        call = partial(work, self.sync_connection, *arguments)
        if self._run is None:
            return call()
        found: T = await self._run(call)
        return found


class Sqlite:
    """The connections of one process to one file. `patience`: how long a transaction waits for its turn or a lock: then Unavailable."""

    def __init__(self, file: str, patience: timedelta) -> None:
        self._patience = patience.total_seconds()
        self._writer = engine(file, "writer", patience=patience)
        self._reader = engine(file, "reader", patience=patience)
        self._writing: Connection | None = None
        self._turn = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None
        self._seats = asyncio.Semaphore(READERS)
        self._one_asks = asyncio.Lock()
        self._threads = ThreadPoolExecutor(READERS + 1, thread_name_prefix="sqlite")

    async def close(self) -> None:
        """Give all connections back. Transactions still open are rolled back."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.close()
        self._writer.dispose()
        self._reader.dispose()

    @asynccontextmanager
    async def begin(self, *, aside: bool = False) -> AsyncIterator[SqliteConnection]:
        """A write transaction. `aside`: its statements may take long and run beside the event loop."""
        async with self._my_turn():
            connection = self._the_writing_one()
            await self._take(connection)
            try:
                with connection.begin() as transaction:
                    yield SqliteConnection(connection, partial(self._beside, connection) if aside else None)
                    await self._in_thread(transaction.commit)
            finally:  # a commit that has failed leaves both of them in the middle of it
                connection.rollback()
                _driver(connection).rollback()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqliteConnection]:
        """A read transaction; its statements run beside the event loop."""
        async with self._seat():
            with connected(self._reader) as connection:
                _driver(connection).execute("BEGIN")
                yield SqliteConnection(connection, partial(self._beside, connection))

    @asynccontextmanager
    async def ask(self) -> AsyncIterator[SqliteConnection]:
        """A connection for one quick statement that only reads. It waits for no list, however many of them are walking far."""
        async with self._one_asks:
            with connected(self._reader) as connection:
                yield SqliteConnection(connection, None)

    def _the_writing_one(self) -> Connection:
        """Kept from transaction to transaction: to ask a pool for the only one each time costs more than a statement."""
        if self._writing is None:
            with outages.connecting():
                self._writing = self._writer.connect()
        return self._writing

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if self._holder is task:
            raise RuntimeError("begin() inside begin() of the same task would wait for itself")
        await self._acquire(self._turn, "Another transaction takes too long.")
        self._holder = task
        try:
            yield
        finally:
            self._holder = None
            self._turn.release()

    @asynccontextmanager
    async def _seat(self) -> AsyncIterator[None]:
        await self._acquire(self._seats, "All connections to the database are busy.")
        try:
            yield
        finally:
            self._seats.release()

    async def _acquire(self, lock: asyncio.Lock | asyncio.Semaphore, refusal: str) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise outages.unavailable(refusal) from error

    async def _take(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE, again and again while another process holds the file's lock. Nothing waits for it inside the driver."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        for wait in _forever(_POLL):
            try:
                _driver(connection).execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not outages.is_outage(error):
                    raise
                if not outages.is_locked(error) or loop.time() + wait > until:
                    raise outages.unavailable() from error
            await asyncio.sleep(wait)

    async def _beside(self, connection: Connection, work: Callable[[], T]) -> T:
        """A statement in a thread; who is cancelled ends it."""
        return await self._in_thread(work, _driver(connection).interrupt)

    async def _in_thread(self, work: Callable[[], T], cancelled: Callable[[], None] = lambda: None) -> T:
        """Run it in a thread. Who is cancelled meanwhile waits all the same until the thread has let go of the connection."""
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            cancelled()
            await _end(job)
            raise


async def _end(job: "asyncio.Future[Any]") -> None:
    while not job.done():
        try:
            await asyncio.wait([job])
        except asyncio.CancelledError:
            continue  # we are being cancelled already
    job.exception()  # seen


def _forever(waits: Sequence[float]) -> Iterator[float]:
    yield from waits
    while True:
        yield waits[-1]


def _write(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    try:
        return _driver(connection).executemany(statement, rows).rowcount
    except sqlite3.Error as error:
        raise outages.of_driver(error, statement, reads=connection.get_execution_options()[outages.READS]) from error


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)
