"""What PostgreSQL alone promises: row locks, one clock for all; and what its outages look like."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.errors import Unavailable
from app.store.database import Database
from app.store.tables import job_runs
from tests.store.jobs import add, stored
from tests.support.clock import START
from tests.support.postgres import Postgres


@pytest.fixture
async def postgresql(postgresql_url: str) -> AsyncIterator[Database]:
    opened = Database(postgresql_url)
    await opened.open()
    yield opened
    await opened.close()


async def test_postgresql_skips_locked_rows(postgresql: Database) -> None:
    async with postgresql.begin() as connection:
        await add(connection, "audit")
        await add(connection, "digest")
    free = select(job_runs.c.job).order_by(job_runs.c.job).with_for_update(skip_locked=True)
    async with postgresql.begin() as first, postgresql.begin() as second:
        one = (await first.execute(free.limit(1))).scalars().all()
        two = (await second.execute(free)).scalars().all()

    assert (one, two) == (["audit"], ["digest"])


async def test_postgresql_tells_the_time_for_all_replicas(postgresql: Database) -> None:
    async with postgresql.begin() as connection:
        at = await postgresql.now(connection, lambda: START)

    assert at.tzinfo is UTC
    assert abs(at.timestamp() - datetime.now(UTC).timestamp()) < 60


async def test_a_restart_of_postgresql_is_not_noticed_between_transactions(postgresql: Database, postgres: Postgres) -> None:
    async with postgresql.begin() as one, postgresql.begin() as other:
        await add(one, "audit")
        await add(other, "digest")
    await asyncio.to_thread(throw_everybody_out, postgres)

    assert await stored(postgresql) == ["audit", "digest"]


async def test_a_restart_of_postgresql_inside_a_transaction_is_unavailable(postgresql: Database, postgres: Postgres) -> None:
    async def work() -> None:
        async with postgresql.begin() as connection:
            await add(connection, "audit")
            await asyncio.to_thread(throw_everybody_out, postgres)
            await add(connection, "digest")

    with pytest.raises(Unavailable):
        await work()

    assert await stored(postgresql) == []


def throw_everybody_out(postgres: Postgres) -> None:
    postgres.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@127.0.0.1:1/sla", "postgresql://u:hunter2@/sla?host=/nowhere"])
async def test_an_unreachable_postgresql_is_unavailable(url: str) -> None:
    database = Database(url)
    with pytest.raises(Unavailable) as starting:
        await database.open()
    with pytest.raises(Unavailable) as serving:
        async with database.begin():
            pass
    with pytest.raises(Unavailable):
        await database.ping()
    await database.close()

    assert starting.value.headers == serving.value.headers == {"Retry-After": "1"}
    assert serving.value.detail == "The database cannot be reached."
    assert "hunter2" not in starting.value.detail


async def test_a_database_that_does_not_exist_is_named_at_the_start(postgres: Postgres) -> None:
    database = Database(postgres.url("nowhere"))
    with pytest.raises(Unavailable, match=r"opened: database \"nowhere\" does not exist$"):
        await database.open()
    await database.close()


async def test_too_many_connections_for_the_server_is_unavailable(postgresql_url: str, postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.sql, "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    database = Database(postgresql_url.replace("postgres@", "crowded@"))
    with pytest.raises(Unavailable):
        async with database.read():
            pass
    await database.close()
    await asyncio.to_thread(postgres.sql, "DROP ROLE crowded")


async def test_a_pool_that_is_used_up_is_unavailable(postgresql_url: str) -> None:
    database = Database(postgresql_url, pool=1, patience=timedelta(milliseconds=50))
    async with database.begin():
        with pytest.raises(Unavailable, match="busy"):
            await stored(database)
    await database.close()


async def test_an_option_of_the_url_wins_and_a_statement_that_takes_too_long_is_unavailable(postgresql_url: str) -> None:
    database = Database(f"{postgresql_url}&statement_timeout=20")
    with pytest.raises(Unavailable):
        async with database.begin() as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))
    await database.close()


async def test_a_table_that_changes_under_us_is_unavailable_once(postgresql: Database, postgresql_url: str, postgres: Postgres) -> None:
    everything = text("SELECT * FROM job_runs")
    async with postgresql.begin() as connection:
        await connection.execute(everything)
    await asyncio.to_thread(postgres.sql, "ALTER TABLE job_runs ADD COLUMN more text", name_of(postgresql_url))
    with pytest.raises(Unavailable):
        async with postgresql.begin() as connection:
            await connection.execute(everything)

    async with postgresql.begin() as connection:
        await connection.execute(everything)


def name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


async def test_postgresql_sessions_are_named_limited_and_in_utc(postgresql: Database) -> None:
    names = ("application_name", "timezone", "statement_timeout", "lock_timeout", "transaction_timeout", "transaction_isolation")
    async with postgresql.begin() as connection:
        found = [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]

    assert found == ["slawatch", "UTC", "30s", "5s", "1min", "read committed"]


async def test_behind_pgbouncer_no_statement_outlives_its_transaction(postgresql_url: str) -> None:
    async def twice(url: str) -> list[str]:
        database = Database(url, pool=1)
        try:
            async with database.begin() as connection:
                await add(connection, "audit")
            # What a pooler does when the next transaction lands on another server connection.
            async with database.begin() as connection:
                await connection.exec_driver_sql("DEALLOCATE ALL")
                await connection.execute(text("DELETE FROM job_runs"))
            async with database.begin() as connection:
                await add(connection, "audit")
            return await stored(database)
        finally:
            await database.close()

    with pytest.raises(DBAPIError, match="prepared statement"):
        await twice(postgresql_url)
    assert await twice(f"{postgresql_url}&pgbouncer=true") == ["audit"]
