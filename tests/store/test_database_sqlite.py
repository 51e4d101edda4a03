"""What SQLite alone promises: one writer at a time, in turn, durable."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.errors import Unavailable
from app.store.database import Database
from app.store.sqlite import READERS, engine
from tests.store.jobs import add, stored

_WALK = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n{end}) SELECT max(i) FROM n"
_FAR = text(_WALK.format(end=" WHERE i < 300000"))
_ENDLESS = text(_WALK.format(end=""))


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    opened = Database(sqlite_url, patience=timedelta(milliseconds=50))
    await opened.open()
    yield opened
    await opened.close()


async def test_sqlite_takes_the_write_lock_before_the_first_statement(sqlite: Database, sqlite_url: str) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
    try:
        async with sqlite.begin():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


async def test_sqlite_locked_by_another_process_is_unavailable(sqlite: Database, sqlite_url: str) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable) as caught:
            async with sqlite.begin():
                pass
    finally:
        other.close()
    async with sqlite.begin() as connection:
        await add(connection, "digest")

    assert caught.value.headers == {"Retry-After": "1"}


async def test_a_lock_of_another_process_is_waited_for_while_the_loop_goes_on(sqlite_url: str) -> None:
    patient = Database(sqlite_url, patience=timedelta(seconds=60))
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with patient.begin() as connection:
            await add(connection, "digest")

    task = asyncio.create_task(write())
    for _ in range(3):  # looks, and waits
        await asyncio.sleep(0.005)
    was_waiting = not task.done()
    other.close()
    await task
    found = await stored(patient)
    await patient.close()

    assert (was_waiting, found) == (True, ["digest"])


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_a_statement_that_walks_far_does_not_stop_the_loop(sqlite: Database, kind: str) -> None:
    async def walk() -> int:
        async with sqlite.read() if kind == "read" else sqlite.begin(aside=True) as connection:
            return int((await connection.execute(_FAR)).scalar_one())

    task = asyncio.create_task(walk())
    turns = 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1

    assert (await task, turns > 5) == (300_000, True)


async def test_who_is_cancelled_while_reading_ends_the_statement(sqlite: Database) -> None:
    async def walk() -> None:
        async with sqlite.read() as connection:
            await connection.execute(_ENDLESS)

    task = asyncio.create_task(walk())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await stored(sqlite) == []


async def test_who_is_cancelled_during_the_commit_leaves_a_connection_that_works(sqlite: Database) -> None:
    async def write() -> None:
        async with sqlite.begin() as connection:
            await add(connection, "digest")

    task = asyncio.create_task(write())
    await asyncio.sleep(0)  # its statements run at once; it waits for the commit
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with sqlite.begin() as connection:
        await add(connection, "audit")

    assert await stored(sqlite) == ["audit", "digest"]


async def test_a_commit_that_fails_leaves_nothing_and_a_connection_that_works(sqlite: Database) -> None:
    async def work() -> None:
        async with sqlite.begin() as connection:
            await add(connection, "digest")
            await connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
            await connection.execute(text("CREATE TABLE orphan (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"))
            await connection.execute(text("INSERT INTO orphan VALUES (7)"))  # seen by the commit

    with pytest.raises(DBAPIError, match="FOREIGN KEY"):
        await work()
    async with sqlite.begin() as connection:
        await add(connection, "audit")

    assert await stored(sqlite) == ["audit"]


async def test_more_readers_than_connections_wait_only_so_long_and_who_asks_waits_for_none(sqlite: Database) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(READERS):
            await stack.enter_async_context(sqlite.read())
        with pytest.raises(Unavailable, match="busy"):
            async with sqlite.read():
                pass
        async with sqlite.ask() as connection:
            asked = (await connection.execute(text("SELECT 1"))).scalar_one()
    found = await stored(sqlite)

    assert (asked, found) == (1, [])


@pytest.mark.parametrize("rows", [0, 1, 3])
async def test_rows_outlive_their_transaction(sqlite: Database, rows: int) -> None:
    async with sqlite.begin() as connection:
        for number in range(rows):
            await add(connection, f"job {number}")
        within = await connection.execute(text("SELECT job FROM job_runs ORDER BY job"))
    async with sqlite.read() as connection:
        result = await connection.execute(text("SELECT job FROM job_runs ORDER BY job"))
        some = (await connection.execute(text("SELECT job FROM job_runs ORDER BY job"))).fetchmany(2)

    assert [row.job for row in result] == within.scalars().all() == [f"job {number}" for number in range(rows)]
    assert len(some) == min(rows, 2)


async def test_sqlite_writers_take_turns_in_order(sqlite_url: str) -> None:
    order: list[str] = []
    patient = Database(sqlite_url, patience=timedelta(seconds=60))

    async def write(name: str) -> None:
        async with patient.begin() as connection:
            order.append(f"{name} begins")
            await add(connection, name)
            order.append(f"{name} ends")

    await asyncio.gather(write("a"), write("b"), write("c"))
    await patient.close()

    assert order == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


async def test_sqlite_waits_for_its_turn_only_so_long(sqlite: Database) -> None:
    async def other() -> None:
        async with sqlite.begin():
            pass

    async with sqlite.begin():
        with pytest.raises(Unavailable):
            await asyncio.create_task(other())


async def test_a_transaction_inside_a_transaction_is_refused_rather_than_waiting_for_itself(sqlite: Database) -> None:
    async with sqlite.begin():
        with pytest.raises(RuntimeError, match="itself"):
            async with sqlite.begin():
                pass


async def test_sqlite_is_durable_and_checks_references(sqlite: Database) -> None:
    async with sqlite.begin() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert found == ["wal", 2, 1]


def test_connections_that_are_the_first_ones_to_a_new_file_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    def first(number: int) -> str:
        pool = engine(str(tmp_path / f"new-{number // 8}.db"), "writer", patience=timedelta(seconds=20))
        with pool.connect() as connection:
            mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
        pool.dispose()
        return mode

    with ThreadPoolExecutor(8) as threads:
        assert {"wal"} == set(threads.map(first, range(160)))


async def test_sqlite_makes_the_folder_of_its_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a/b/slawatch.db")
    await database.open()
    await database.close()

    assert (tmp_path / "a/b/slawatch.db").is_file()


async def test_a_file_that_is_no_database_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("Dear diary, today I was mistaken for a database. " * 100)
    database = Database(f"sqlite:///{tmp_path}/notes.db")
    try:
        with pytest.raises(Unavailable, match="file is not a database"):
            await database.open()
    finally:
        await database.close()
