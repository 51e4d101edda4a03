"""A rung between claim and commit: its process is killed, or stopped for long and let go on. It speaks once, by whoever is left."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.store.database import Database
from tests.e2e.stage import Running, World, count_told, events, world
from tests.support.postgres import Postgres

TICKETS = 6
LADDER = """\
    escalation: ladder
escalations:
  ladder:
    acknowledge_for: 1h
    steps:
      - {at: breach, notify: upstream}
      - {after: 4s, notify: upstream}
"""
LEASE = 3.0
"""Seconds a transaction may last here before the server ends it: the lease of whoever holds a ticket. (That it may not stand idle for long
does not cover a process that was stopped in the middle of a message.)"""


@asynccontextmanager
async def two_workers(postgres: Postgres, folder: Path) -> AsyncIterator[tuple[World, dict[str, Running], str]]:
    """Two processes, by the name under which the database knows them, and the database's name."""
    name = postgres.create()
    url = f"{postgres.url(name)}&transaction_timeout={int(LEASE * 1000)}"
    async with world(folder, url) as place:
        document = place.config.read_text(encoding="utf-8").replace("    warn_at: [50%]\n", LADDER)
        place.config.write_text(document, encoding="utf-8")
        running = {}
        for worker in ("first", "second"):
            place.database_url = f"{url}&application_name={worker}"
            running[worker] = await place.start()
        yield place, running, name
    postgres.drop(name)


async def until(condition: Callable[[], Any], patience: float = 60) -> Any:
    """What a question answers as soon as the answer is not nothing."""
    async with asyncio.timeout(patience):
        while True:
            if found := condition():
                return found
            await asyncio.sleep(0.05)


@asynccontextmanager
async def caught_between_claim_and_commit(place: World, running: dict[str, Running], name: str, postgres: Postgres) -> AsyncIterator[str]:
    """The name of the process that has taken the tickets and cannot write the log of their runs for as long as the block lasts."""
    assert await place.send(events(TICKETS), [worker.url for worker in running.values()]) == []
    await until(lambda: len(place.ids_told("sla.breached")) == TICKETS)
    database = Database(postgres.url(name))
    await database.open()
    asked = (
        "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE 'insert into escalation_log%' "
        f"AND datname = '{name}'"
    )
    try:
        async with database.begin() as conn:
            await conn.execute(text("LOCK TABLE escalation_log IN EXCLUSIVE MODE"))
            yield (await until(lambda: postgres.sql(asked))).splitlines()[0]
    finally:
        await database.close()


async def check(place: World, left: Running) -> None:
    """Every rung was said once, and every log is whole."""
    await until(lambda: len(place.ids_told("escalation.step")) == TICKETS)
    await place.settle(left, TICKETS)
    found = await place.api(left).rows("escalations")

    assert count_told(place.ids_told("sla.breached")) == {1: TICKETS}
    assert count_told(place.ids_told("escalation.step")) == {1: TICKETS}
    assert [("active", 2)] * TICKETS == [(row["state"], row["step"]) for row in found]


@pytest.mark.timeout(120)
async def test_a_worker_that_is_killed_between_claim_and_commit_leaves_its_rungs_to_the_other(postgres: Postgres, tmp_path: Path) -> None:
    async with two_workers(postgres, tmp_path) as (place, running, name):
        async with caught_between_claim_and_commit(place, running, name, postgres) as doomed:
            await running[doomed].kill()
        [left] = [worker for each, worker in running.items() if each != doomed]
        await check(place, left)

        assert await left.stop() == 0


@pytest.mark.timeout(120)
async def test_a_worker_that_is_stopped_for_two_leases_says_nothing_again_when_it_goes_on(postgres: Postgres, tmp_path: Path) -> None:
    async with two_workers(postgres, tmp_path) as (place, running, name):
        async with caught_between_claim_and_commit(place, running, name, postgres) as stopped:
            running[stopped].child.process.send_signal(signal.SIGSTOP)
        [left] = [worker for each, worker in running.items() if each != stopped]
        await asyncio.sleep(2 * LEASE)
        await check(place, left)
        running[stopped].child.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(1)
        await check(place, running[stopped])

        assert [await worker.stop() for worker in running.values()] == [0, 0]
