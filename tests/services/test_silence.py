"""The silence alarm: said once, taken back once, and no clock waits for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.exchange import HttpRequest
from app.services import sources
from app.services.ingest import Arrival
from app.services.silence import Watch
from app.store.database import Database
from app.store.tables import breaches, deliveries, inbox, notices, source_states
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

DOCUMENT = """\
version: 1
policies: [{name: everyone, calendar: always, targets: {first_response: 1h}}]
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*"]}
  ops: {kind: webhook, url: "https://ops.example.com/sla", secret: "${env:SECRET}"}
delivery: {operations: ops}
sources:
  desk: {kind: zammad, verify: none, silent_after: 2h}
  shop: {kind: zammad, verify: none}
"""


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def look(desk: World) -> int:
    """A process that has not looked yet does."""
    return await Watch(desk.db, desk.live, desk.clock).run()


def arrival(source: str, at: datetime, via: Any = "webhook") -> Arrival:
    return Arrival(source, via, HttpRequest("POST", "/", {}, b"{}"), at, ignored="nothing")


async def speak(desk: World, source: str = "desk", *, via: Any = "webhook") -> None:
    await desk.ingest.submit(arrival(source, desk.clock(), via))


async def said(desk: World) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in await desk.rows(notices, "created_at", "id") if row.type.startswith("source.")]


async def test_silence_is_told_once_to_operations_and_its_end_once(desk: World) -> None:
    await speak(desk)
    spoke_at = desk.clock()
    told = [await look(desk)]
    for _ in range(3):
        desk.clock.advance(hours=1, seconds=1)
        told.append(await look(desk))
    await speak(desk)
    desk.clock.advance(minutes=1)
    told += [await look(desk)]
    desk.clock.advance(minutes=1)
    told += [await look(desk)]
    events = await said(desk)

    assert told == [0, 0, 1, 0, 1, 0]
    assert [("source.silent", "desk"), ("source.recovered", "desk")] == [(each["type"], each["data"]["source"]) for each in events]
    assert events[0]["data"]["last_delivery_at"].startswith(spoke_at.strftime("%Y-%m-%dT%H:%M:%S"))
    assert {"ops"} == {row.channel for row in await desk.rows(deliveries)}


async def test_a_source_that_never_spoke_is_missed_from_when_it_is_watched(desk: World) -> None:
    first = await look(desk)
    desk.clock.advance(hours=2, minutes=1)

    assert (0, 1) == (first, await look(desk))
    assert "last_delivery_at" not in (await said(desk))[0]["data"]


async def test_without_a_word_in_the_document_silence_is_measured_by_what_is_usual(desk: World) -> None:
    hours = [desk.clock() + timedelta(hours=n) for n in range(8 * 24)]
    desk.clock.set(hours[-1])
    await asyncio.gather(*(desk.ingest.submit(arrival(name, at)) for at in hours for name in ("desk", "shop")))
    before = await look(desk)
    desk.clock.advance(hours=19)
    await speak(desk)
    soon = await look(desk)
    desk.clock.advance(hours=1, minutes=30)
    late = await look(desk)
    [event] = await said(desk)

    assert (0, 0, 1) == (before, soon, late)
    assert ("shop", 3600) == (event["data"]["source"], event["data"]["usual_gap_seconds"])


async def test_what_we_fetch_ourselves_is_no_word_of_the_source(desk: World) -> None:
    await speak(desk)
    await look(desk)
    desk.clock.advance(hours=2, minutes=1)
    await speak(desk, via="poll")

    assert await look(desk) == 1


async def test_only_one_process_looks_at_a_time(desk: World) -> None:
    await look(desk)
    desk.clock.advance(hours=3)

    assert [await look(desk), await look(desk)] == [1, 0]


async def test_clocks_go_on_while_it_is_silent_and_breaches_are_marked(desk: World) -> None:
    await desk.tell(event(desk.clock(), "created", "early"))
    desk.clock.advance(minutes=90)
    await desk.tick()
    await desk.tell(event(desk.clock(), "created", "late"))
    desk.clock.advance(minutes=50)
    await look(desk)
    async with desk.db.begin() as conn:
        await conn.execute(source_states.update().values(silent_since=desk.clock()))
    desk.clock.advance(minutes=11)
    await desk.tick()
    marks = [row.source_stale for row in await desk.rows(breaches, "breached_at")]
    bodies = [json.loads(row.body)["data"] for row in await desk.rows(notices, "created_at") if row.type == "sla.breached"]

    assert marks == [False, True]
    assert [None, True] == [body.get("source_stale") for body in bodies]


async def test_the_overview_counts_and_says_since_when_it_is_silent_without_any_worker(desk: World) -> None:
    for _ in range(3):
        desk.clock.advance(minutes=20)
        await speak(desk)
    spoke_at = desk.clock()
    busy = await sources.one(desk.db, desk.live, desk.clock, "desk")
    desk.clock.advance(hours=3)
    quiet = await sources.one(desk.db, desk.live, desk.clock, "desk")

    assert (3, 3, False, None) == tuple(busy[name] for name in ("received_last_hour", "received_last_day", "silent", "silent_since"))
    assert (0, 3, True, spoke_at) == tuple(quiet[name] for name in ("received_last_hour", "received_last_day", "silent", "silent_since"))
    assert (7200, None, []) == (quiet["silent_after_seconds"], quiet["usual_gap_seconds"], quiet["jobs"])


async def test_every_arrival_is_learned_from_once(desk: World) -> None:
    for _ in range(2):
        await speak(desk)
        await speak(desk)
        await look(desk)
        desk.clock.advance(minutes=1)
    rows = await desk.rows(inbox)
    [state] = [row for row in await desk.rows(source_states) if row.source == "desk"]

    assert state.seen_id == rows[-1].id
    assert sum(count for _, count in state.rhythm["steps"]) == len(rows) == 4


async def test_a_source_that_is_not_configured_any_more_is_not_silent(desk: World) -> None:
    await look(desk)
    desk.clock.advance(hours=3)
    await look(desk)
    await desk.live.put(DOCUMENT.replace("  desk: {kind: zammad, verify: none, silent_after: 2h}\n", ""), author="test", if_match="*")
    desk.clock.advance(minutes=1)
    await look(desk)

    assert [row.silent_since for row in await desk.rows(source_states)] == [None, None]
