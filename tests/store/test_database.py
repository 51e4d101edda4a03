"""Transactions on both databases: what holds, and who waits."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.store.database import Database
from app.store.tables import job_runs
from tests.store.jobs import add, jobs, stored
from tests.support.clock import START, FakeClock


async def test_what_is_committed_is_there(database: Database) -> None:
    async with database.begin() as connection:
        await add(connection, "digest")

    assert await stored(database) == ["digest"]


async def test_a_database_that_was_closed_can_be_used_again(database: Database) -> None:
    async with database.begin() as connection:
        await add(connection, "digest")
    await database.close()
    async with database.begin() as connection:
        await add(connection, "audit")

    assert await stored(database) == ["audit", "digest"]


async def test_an_exception_rolls_back(database: Database) -> None:
    async def work() -> None:
        async with database.begin() as connection:
            await add(connection, "digest")
            raise LookupError

    with pytest.raises(LookupError):
        await work()

    assert await stored(database) == []


async def test_a_taken_key_is_an_error_of_the_data(database: Database) -> None:
    async def work() -> None:
        async with database.begin() as connection:
            await add(connection, "digest")
            await add(connection, "digest")

    with pytest.raises(IntegrityError):
        await work()

    assert await stored(database) == []


async def test_a_mistake_in_the_sql_is_no_outage(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"no such table|does not exist"):
        async with database.begin() as connection:
            await connection.execute(text("SELECT 1 FROM nowhere"))


async def test_a_cancelled_task_rolls_back_and_gives_its_turn_away(database: Database) -> None:
    reached = asyncio.Event()

    async def work() -> None:
        async with database.begin() as connection:
            await add(connection, "digest")
            reached.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.begin() as connection:
        await add(connection, "audit")

    assert await stored(database) == ["audit"]


async def test_a_task_cancelled_in_the_middle_of_a_statement_rolls_back_too(database: Database) -> None:
    slow = {
        "postgresql": "SELECT pg_sleep(30)",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n",
    }
    started = asyncio.Event()

    async def work() -> None:
        async with database.begin(aside=True) as connection:
            await add(connection, "digest")
            started.set()
            await connection.execute(text(slow[database.dialect]))

    task = asyncio.create_task(work())
    await started.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.begin() as connection:
        await add(connection, "audit")

    assert await stored(database) == ["audit"]


async def test_many_writers_at_once_lose_nothing(database: Database) -> None:
    async def count_up() -> None:
        async with database.begin() as connection:
            before = (await connection.execute(select(job_runs.c.claimed_at).with_for_update())).scalar_one()
            await connection.execute(update(job_runs).values(claimed_at=before + timedelta(seconds=1)))

    async with database.begin() as connection:
        await add(connection, "counter")
    await asyncio.gather(*(count_up() for _ in range(20)))
    async with database.read() as connection:
        counted = (await connection.execute(select(job_runs.c.claimed_at))).scalar_one()

    assert counted == START + timedelta(seconds=20)


async def test_a_reader_sees_one_moment_and_blocks_no_writer(database: Database) -> None:
    async with database.read() as reader:
        before = await jobs(reader)
        async with database.begin() as connection:
            await add(connection, "digest")
        after = await jobs(reader)

    assert (before, after) == ([], [])
    assert await stored(database) == ["digest"]


async def test_a_writer_blocks_no_reader(database: Database) -> None:
    async with database.begin() as connection:
        await add(connection, "digest")
        seen = await stored(database)

    assert seen == []


async def test_a_read_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        async with database.read() as connection:
            await add(connection, "digest")

    assert await stored(database) == []


async def test_ping_answers(database: Database) -> None:
    await database.ping()


async def test_a_simulated_clock_holds_on_both(database: Database, clock: FakeClock) -> None:
    clock.advance(days=400)
    async with database.begin() as connection:
        at = await database.now(connection, clock)

    assert at == START + timedelta(days=400)
