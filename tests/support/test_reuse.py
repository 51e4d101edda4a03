"""A database that test after test takes is as good as a new one."""

import asyncpg
import pytest

from app.store import migrations
from app.store.database import Database
from tests.store.jobs import add
from tests.support.postgres import Postgres
from tests.support.reuse import Reused


@pytest.fixture
def reused(postgres: Postgres, postgresql_template: str) -> Reused:
    return Reused(postgres, postgresql_template)


async def test_rows_of_the_test_before_and_whoever_is_still_connected_are_gone(reused: Reused, postgres: Postgres) -> None:
    first = reused.take()
    database = Database(postgres.url(first))
    async with database.begin() as connection:
        await add(connection, "audit")
    await database.close()
    busy = await asyncpg.connect(postgres.url(first))
    await busy.execute("BEGIN; LOCK TABLE job_runs")
    reused.give_back(first)
    connected = postgres.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{first}'")
    busy.terminate()
    second = reused.take()

    assert (second, connected) == (first, "0")
    assert postgres.sql("SELECT count(*) FROM job_runs", second) == "0"
    assert migrations.current(postgres.url(second)) == migrations.head()
    postgres.drop(second)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE job_runs ADD COLUMN more text",
        "ALTER TABLE job_runs DROP COLUMN claimed_at",
        "ALTER TABLE job_runs ALTER COLUMN claimed_at DROP NOT NULL",
        "ALTER TABLE job_runs SET (fillfactor = 50)",
        "ALTER TABLE job_runs RENAME TO runs",
        "CREATE INDEX ON job_runs (claimed_at)",
        "CREATE TABLE more (id text)",
        "CREATE SCHEMA more",
        "DROP TABLE job_runs",
        "GRANT SELECT ON job_runs TO pg_monitor",
        "ANALYZE job_runs",
        "ALTER DATABASE {name} SET lock_timeout = '3s'",
        "UPDATE alembic_version SET version_num = '29991231_01'",
    ],
)
def test_what_is_more_than_rows_is_noticed(change: str, reused: Reused, postgres: Postgres) -> None:
    first = reused.take()
    postgres.sql("INSERT INTO job_runs (job, scheduled_for, claimed_at) VALUES ('audit', 0, 0)", first)
    postgres.sql(change.format(name=first), first)
    reused.give_back(first)
    second = reused.take()
    postgres.drop(second)

    assert second != first


def test_two_at_a_time_are_two(reused: Reused, postgres: Postgres) -> None:
    both = [reused.take(), reused.take()]
    for name in both:
        reused.give_back(name)
    one = reused.take()
    postgres.drop(one)

    assert both[0] != both[1]
    assert one == both[0]
