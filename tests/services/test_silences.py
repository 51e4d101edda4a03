"""Silences, quiet hours and digests, where they meet the outbox, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from app.errors import SilenceNotFound
from app.rules.escalation_run import replay
from app.services import deliveries as by_people
from app.services import silences
from app.services.escalations import fire_steps
from app.services.silences import Wish
from app.services.summaries import tell_what_is_left
from app.store import escalations, wakes
from app.store.database import Database
from app.store.tables import deliveries, notices
from app.store.tables import escalations as runs
from app.store.tables import silences as silence_rows
from tests.services.world import World, event, world
from tests.support.clock import START, FakeClock

HOUR = timedelta(hours=1)
DOCUMENT = """
version: 1
calendars: {office: {timezone: Europe/Berlin, hours: {mon-fri: "08:00-17:00"}}}
policies: [{name: everyone, targets: {first_response: 1h}, escalation: ladder}]
escalations:
  ladder:
    steps:
      - {at: breach, notify: [chat, lead]}
      - {after: 30m, notify: [chat, lead], immediate: true}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*"]}
  chat:
    {kind: slack, url: "https://a.example.com/x", quiet: {outside: office, override: immediate}, fallback: {channel: upstream, after: 5m}}
  lead: {kind: slack, url: "https://lead.example.com/x", quiet: {outside: office}}
"""


@pytest.fixture
async def place(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


def parts(place: World) -> tuple[Any, Any, Any]:
    return place.db, place.live, place.clock


async def quiet(place: World, hours: float = 4, **more: Any) -> str:
    return await silences.create(*parts(place), Wish({"source": "desk"}, "moving house", "jo", span=hours * HOUR, **more))


async def broken(place: World, count: int = 1) -> None:
    """So many tickets, whose breach comes an hour later."""
    await place.tell(*(event(place.clock(), "created", f"{n}") for n in range(1, count + 1)))
    place.clock.advance(hours=1)
    await place.tick()


async def of(place: World, channel: str, type_: str = "sla.breached") -> Sequence[Any]:
    return [row for row in await place.rows(deliveries, "created_at", "id") if (row.channel, row.type) == (channel, type_)]


async def accept(place: World) -> None:
    """Every channel accepts what waits for it."""
    async with place.db.begin() as conn:
        accepted = {"state": "delivered", "next_attempt_at": None, "delivered_at": place.clock()}
        await conn.execute(update(deliveries).where(deliveries.c.state == "pending").values(**accepted))


async def test_what_is_suppressed_says_by_whom_and_why_and_waits_for_nothing(place: World) -> None:
    silence = await quiet(place)
    await broken(place)
    [row] = await of(place, "chat")

    assert ("suppressed", None, None, silence) == (row.state, row.next_attempt_at, row.fallback_at, row.silence_id)
    assert f"silence {silence} by jo until 2026-03-02T13:00:00.000Z: moving house" == row.detail
    assert ["pending"] == [row.state for row in await of(place, "upstream")]


async def test_somebody_may_send_what_was_suppressed_all_the_same(place: World) -> None:
    await quiet(place)
    await broken(place)
    [row] = await of(place, "chat")
    await by_people.retry(place.db, place.clock, row.id, by="jo")
    [again] = await of(place, "chat")

    assert ("pending", place.clock()) == (again.state, again.next_attempt_at)


async def test_the_summary_is_told_once_however_many_processes_look(place: World) -> None:
    silence = await quiet(place)
    await broken(place, 3)
    place.clock.advance(hours=3)
    told = await asyncio.gather(*(tell_what_is_left(*parts(place)) for _ in range(3)))
    bodies = [orjson.loads(row.body)["data"] for row in await place.rows(notices) if row.type == "sla.digest"]

    assert 2 == sum(told)
    assert ["chat", "lead"] == sorted(body["channel"] for body in bodies)
    assert {("silence", "3 breaches: source desk, policy everyone", silence, "jo")} == {
        (body["cause"], body["title"], body["silence"]["id"], body["silence"]["author"]) for body in bodies
    }
    assert {"1", "2", "3"} == {item["external_id"] for item in bodies[0]["items"]}
    assert 0 == await tell_what_is_left(*parts(place))


async def test_whoever_has_heard_the_summary_hears_the_all_clear(place: World) -> None:
    await quiet(place)
    await broken(place)
    place.clock.advance(hours=3)
    await tell_what_is_left(*parts(place))
    await accept(place)
    await place.tell(event(place.clock(), "replies"))

    assert [1, 1, 1] == [len(await of(place, channel, "sla.recovered")) for channel in ("chat", "lead", "upstream")]


async def test_an_all_clear_waits_for_the_summary_that_is_on_its_way(place: World) -> None:
    await quiet(place)
    await broken(place)
    place.clock.advance(hours=3)
    await tell_what_is_left(*parts(place))
    await place.tell(event(place.clock(), "replies"))
    [digest] = await of(place, "chat", "sla.digest")
    [clear] = await of(place, "chat", "sla.recovered")

    assert (digest.id, "delivered") == (clear.waits_for, clear.waits_if)


async def test_a_silence_suppresses_what_comes_not_what_waits_already(place: World) -> None:
    await broken(place)
    await quiet(place)
    place.clock.advance(minutes=1)
    await place.tell(event(place.clock(), "replies"))

    assert ["superseded"] == [row.state for row in await of(place, "chat")]
    assert ["pending"] == [row.state for row in await of(place, "chat", "sla.met_late")]


async def test_ladders_stand_still_and_their_logs_tell_their_state(place: World) -> None:
    await quiet(place, hours=1.25)
    await broken(place)
    [frozen] = await place.rows(runs)
    place.clock.set(frozen.next_step_at)
    await fire_steps(*parts(place))
    [moving] = await place.rows(runs)
    async with place.db.read() as conn:
        run = await escalations.one(conn, moving.id)
    assert run is not None

    assert (True, START + 1.25 * HOUR) == (frozen.paused, frozen.next_step_at)
    assert (False, START + 1.75 * HOUR) == (moving.paused, moving.next_step_at)
    assert ["opened", "spoke", "held", "went_on"] == [entry.kind for entry in run.log]
    assert run.run == replay(run.log, run.snapshot[1])


async def test_an_ended_silence_counts_also_where_another_clock_breaks_in_the_same_pass(place: World) -> None:
    await quiet(place, hours=1.25)
    await place.tell(event(START, "created", "1"))
    place.clock.set(START + HOUR / 4)
    await place.tell(event(place.clock(), "created", "2"))
    place.clock.set(START + HOUR)
    await place.tick()
    place.clock.set(START + 1.25 * HOUR)
    await place.tell(*(event(place.clock(), "updated", ticket, priority="high") for ticket in "12"))
    first, second = await place.rows(runs, "opened_at")

    assert (False, START + 1.75 * HOUR) == (first.paused, first.next_step_at)
    assert (False, START + 1.75 * HOUR) == (second.paused, second.next_step_at)


async def test_a_silence_may_be_ended_once_and_only_if_there_is_one(place: World) -> None:
    silence = await quiet(place)
    place.clock.advance(hours=1)
    await silences.end(place.db, place.clock, silence, by="ann")
    place.clock.advance(hours=1)
    await silences.end(place.db, place.clock, silence, by="bob")
    [row] = await place.rows(silence_rows)

    assert ("ann", START + HOUR, START + HOUR) == (row.ended_by, row.ended_at, row.over_at)
    with pytest.raises(SilenceNotFound):
        await silences.end(place.db, place.clock, "sil_none", by="ann")


async def in_the_evening(place: World) -> datetime:
    """A breach at 19:00 in Berlin; when the office opens again."""
    place.clock.set(datetime(2026, 3, 2, 17, tzinfo=UTC))
    await broken(place)
    return datetime(2026, 3, 3, 7, tzinfo=UTC)


async def test_in_quiet_hours_a_notice_waits_until_the_calendar_opens_and_the_fallback_from_then_on(place: World) -> None:
    opens = await in_the_evening(place)
    [chat], [upstream] = await of(place, "chat"), await of(place, "upstream")

    assert ("pending", opens, opens + timedelta(minutes=5)) == (chat.state, chat.next_attempt_at, chat.fallback_at)
    assert place.clock() == upstream.next_attempt_at


async def test_what_is_immediate_is_heard_in_quiet_hours_where_the_channel_allows_it(place: World) -> None:
    opens = await in_the_evening(place)
    place.clock.advance(minutes=30)
    await fire_steps(*parts(place))
    [chat], [lead] = await of(place, "chat", "escalation.step"), await of(place, "lead", "escalation.step")

    assert (place.clock(), True) == (chat.next_attempt_at, chat.immediate)
    assert opens == lead.next_attempt_at


async def test_what_is_answered_in_quiet_hours_is_told_as_met_late_in_the_morning(place: World) -> None:
    opens = await in_the_evening(place)
    place.clock.advance(minutes=1)
    await place.tell(event(place.clock(), "replies"))

    assert ["superseded"] == [row.state for row in await of(place, "chat")]
    assert [opens] == [row.next_attempt_at for row in await of(place, "chat", "sla.met_late")]


async def test_a_summary_waits_for_the_morning_too(place: World) -> None:
    place.clock.set(datetime(2026, 3, 2, 15, tzinfo=UTC))
    await quiet(place, hours=3)
    await broken(place)
    place.clock.advance(hours=2)
    await tell_what_is_left(*parts(place))
    [digest] = await of(place, "chat", "sla.digest")

    assert datetime(2026, 3, 3, 7, tzinfo=UTC) == digest.next_attempt_at


async def test_a_summary_that_nobody_accepts_has_the_ladder_look_who_was_reached(place: World) -> None:
    await quiet(place)
    await broken(place)
    place.clock.advance(hours=3)
    await fire_steps(*parts(place))
    await tell_what_is_left(*parts(place))
    [digest] = await of(place, "chat", "sla.digest")
    async with place.db.begin() as conn:
        await wakes.wake(conn, [digest.id], place.clock())
    [run] = await place.rows(runs)

    assert (True, place.clock()) == (run.woken, run.next_step_at)
