"""Forgetting what is old: by whom, how much, and what stays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from app.services.retention import Sweeper
from app.store.database import Database
from app.store.tables import attempts, audit_log, breaches, clocks, deliveries, events, inbox, notices, tickets
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

DOCUMENT = """\
version: 1
policies: [{name: everyone, calendar: always, targets: {first_response: 1h}}]
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secrets: "${env:SECRET}", events: ["sla.*"]}
retention: {messages: 30d, deliveries: 60d, tickets: 365d, audit: 400d}
"""
EVERYTHING = (inbox, notices, deliveries, attempts, tickets, events, clocks, breaches, audit_log)


async def counts(world: World) -> dict[str, int]:
    async with world.db.read() as conn:
        return {table.name: (await conn.execute(select(func.count()).select_from(table))).scalar_one() for table in EVERYTHING}


@pytest.fixture
async def world_of(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def an_old_story(desk: World) -> None:
    """A breach, told and answered, long ago; one message that nobody could read; then a ticket of today that is still open."""
    start = desk.clock()
    await desk.tell(event(start, "created"))
    desk.clock.advance(hours=2)
    await desk.tick()
    await desk.tell(event(desk.clock(), "replies"))
    await desk.tell(quarantined="cannot be read")
    async with desk.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="delivered", delivered_at=desk.clock(), next_attempt_at=None))
    desk.clock.advance(days=401)
    await desk.tell(event(desk.clock(), "created", "2"))


async def test_old_rows_go_and_the_ticket_of_today_stays(world_of: World) -> None:
    await an_old_story(world_of)
    gone = await Sweeper(world_of.db, world_of.live, world_of.clock).run()
    left = await counts(world_of)

    assert gone > 0
    assert left == {
        "inbox": 2, "notices": 0, "deliveries": 0, "attempts": 0, "tickets": 1, "events": 1, "clocks": 1, "breaches": 0, "audit_log": 0,
    }  # fmt: skip
    assert [row.outcome for row in await world_of.rows(inbox)] == ["quarantined", "applied"]


async def test_what_waits_to_be_said_keeps_its_ticket(world_of: World) -> None:
    await an_old_story(world_of)
    async with world_of.db.begin() as conn:
        await conn.execute(update(deliveries).values(state="paused"))
    await Sweeper(world_of.db, world_of.live, world_of.clock).run()
    left = await counts(world_of)

    assert (left["tickets"], left["breaches"]) == (2, 1)
    assert left["deliveries"] > 0


async def test_only_one_process_does_it_and_once_an_hour(world_of: World) -> None:
    await an_old_story(world_of)
    first, second = (Sweeper(world_of.db, world_of.live, world_of.clock) for _ in range(2))
    done = [await first.run(), await second.run(), await first.run()]
    world_of.clock.advance(hours=1)
    world_of.clock.advance(days=400)
    done.append(await second.run())

    assert done[0] > 0
    assert done[1:3] == [0, 0]
    assert done[3] > 0


async def test_many_rows_go_in_small_transactions(world_of: World) -> None:
    start = world_of.clock()
    for number in range(3):
        await world_of.tell(*(event(start, "created", f"{number}-{index}") for index in range(400)), event(start, "replies", f"{number}-0"))
    async with world_of.db.begin() as conn:
        await conn.execute(update(clocks).values(state="stopped"))
    world_of.clock.advance(days=500)

    assert await Sweeper(world_of.db, world_of.live, world_of.clock).run() == 3 + 1200 + 1  # messages, tickets, an entry of the log
