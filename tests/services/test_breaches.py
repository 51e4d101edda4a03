"""Detection: once, dated by the deadline, in order, and nothing stops the loop."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.delivery.express import Express, Handed
from app.services.breaches import Floor, fire_due, rejudge_stale
from app.services.judge import LOGGED_MAX, judge
from app.store.clocks import lock_due
from app.store.database import Database
from app.store.tables import audit_log, breaches, clocks, deliveries, notices, tickets
from app.store.tickets import lock_stale
from app.telemetry import metrics
from tests.services.world import DOCUMENT, World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def said(desk: World) -> list[tuple[str, str, str]]:
    """What is in the outbox: type, channel, state, oldest first."""
    order = {row.id: index for index, row in enumerate(await desk.rows(notices, "created_at", "id"))}
    rows = sorted(await desk.rows(deliveries), key=lambda row: (order[row.notice_id], row.channel))
    return [(row.type, row.channel, row.state) for row in rows]


async def test_before_the_deadline_nothing_at_the_deadline_one_breach_dated_by_it(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created"))
    desk.clock.set(start + HOUR / 2)
    await desk.tick()
    desk.clock.set(start + HOUR - timedelta(milliseconds=1))
    await desk.tick()
    assert [] == await desk.rows(breaches)

    desk.clock.set(start + HOUR + timedelta(milliseconds=7))
    await desk.tick()
    await desk.tick()
    [breach] = await desk.rows(breaches)

    assert (start + HOUR, start + HOUR + timedelta(milliseconds=7)) == (breach.breached_at, breach.detected_at)
    assert ("open", "elapsed", False, "first_response") == (breach.status, breach.cause, breach.detected_late, breach.metric)
    assert [
        ("sla.warning", "upstream", "superseded"),
        ("sla.breached", "lead", "pending"),
        ("sla.breached", "upstream", "pending"),
    ] == await said(desk)


async def test_after_downtime_everything_missed_fires_once_in_order(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created"))
    desk.clock.set(start + 9 * HOUR)
    passed = await desk.tick()
    again = await desk.tick()
    rows = await desk.rows(breaches, "breached_at")

    assert [(start + HOUR, True), (start + 4 * HOUR, True)] == [(row.breached_at, row.detected_late) for row in rows]
    assert ["50%", "breach"] == (await desk.rows(clocks, "metric"))[0].fired
    assert (1, 0, None) == (passed.tickets, again.tickets, again.next_check_at)


async def test_a_reply_that_arrives_after_its_deadline_is_a_breach_without_any_tick(desk: World) -> None:
    start = desk.clock()
    desk.clock.set(start + 2 * HOUR)
    await desk.tell(event(start, "created"), event(start + HOUR + MINUTE, "replies"))
    [breach] = await desk.rows(breaches)

    assert ("answered", start + HOUR, 60, True) == (breach.status, breach.breached_at, breach.late_seconds, breach.detected_late)
    assert [("sla.breached", "lead", "pending"), ("sla.breached", "upstream", "pending")] == (await said(desk))[:2]


async def test_a_reply_exactly_at_the_deadline_keeps_the_promise(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created"))
    desk.clock.set(start + HOUR)
    await desk.tell(event(start + HOUR, "replies"))
    await desk.tick()

    assert [] == await desk.rows(breaches)
    assert "met" == (await desk.rows(clocks, "metric"))[0].health


async def test_who_was_told_hears_of_the_recovery_and_who_was_not_hears_that_it_was_met_late(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created"))
    desk.clock.set(start + HOUR)
    await desk.tick()
    async with desk.db.begin() as conn:
        await conn.execute(deliveries.update().where(deliveries.c.channel == "lead").values(state="delivered", next_attempt_at=None))
    desk.clock.set(start + 2 * HOUR)
    await desk.tell(event(start + 2 * HOUR, "replies"))

    assert [
        ("sla.recovered", "lead", "pending"),
        ("sla.met_late", "upstream", "pending"),
    ] == (await said(desk))[-2:]
    assert ("sla.breached", "upstream", "superseded") in await said(desk)
    assert "answered" == (await desk.rows(breaches))[0].status


async def test_a_late_event_that_proves_the_promise_was_kept_retracts_the_breach_and_those_told_hear_of_it(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created"))
    desk.clock.set(start + HOUR)
    await desk.tick()
    async with desk.db.begin() as conn:
        await conn.execute(deliveries.update().where(deliveries.c.channel == "lead").values(state="delivered", next_attempt_at=None))
    desk.clock.set(start + HOUR + MINUTE)
    await desk.tell(event(start + HOUR / 2, "replies", key="the-proof"))
    [breach] = await desk.rows(breaches)

    assert ("retracted", "the-proof", start + HOUR) == (breach.status, breach.retracted_by, breach.breached_at)
    assert ("sla.retracted", "lead", "pending") == (await said(desk))[-1]
    assert "met" == (await desk.rows(clocks, "metric"))[0].health


async def test_two_loops_at_once_fire_each_milestone_once(desk: World) -> None:
    start = desk.clock()
    await asyncio.gather(*(desk.tell(event(start, "created", f"{n}")) for n in range(60)))
    desk.clock.set(start + HOUR)
    await asyncio.gather(*(fire_due(desk.db, desk.live, desk.clock, limit=25) for _ in range(8)))
    await desk.tick()

    assert 60 == len(await desk.rows(breaches))
    assert 120 == len([row for row in await said(desk) if row[0] == "sla.breached"])


async def test_what_has_fired_is_counted_once_and_dated_by_its_commit(desk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted() -> list[float]:
        """Breaches, what the histogram has seen, and the seconds of all of it."""
        sample = metrics.REGISTRY.get_sample_value
        names = ("slawatch_due_to_detected_seconds_count", "slawatch_due_to_detected_seconds_sum")
        breached = sample("slawatch_breaches_total", {"metric": "first_response"}) or 0.0
        return [breached, *(sample(name) or 0.0 for name in names)]

    def slowly() -> datetime:
        """Each look at the clock is a second after the one before."""
        return desk.clock.advance(seconds=1)

    async def lost(*given: Any, **named: Any) -> None:
        await judge(*given, **named)
        raise LookupError

    await desk.tell(event(desk.clock(), "created"))
    due = desk.clock() + HOUR / 2
    desk.clock.set(due)
    before = counted()
    with monkeypatch.context() as broken:
        broken.setattr("app.services.breaches.judge", lost)
        with pytest.raises(LookupError):
            await fire_due(desk.db, desk.live, slowly)
    failed = counted()
    await fire_due(desk.db, desk.live, slowly)
    after = counted()

    assert before == failed
    assert 1 == after[1] - before[1]
    assert 5 < after[2] - before[2] <= (desk.clock() - due).total_seconds()


async def test_several_workers_that_look_at_once_share_what_is_due_and_what_is_to_be_judged_anew(postgresql_desk: World) -> None:
    desk = postgresql_desk
    start = desk.clock()
    for number in range(3):
        desk.clock.set(start + number * MINUTE)
        await desk.tell(event(desk.clock(), "created", f"{number}"))
    desk.clock.set(start + HOUR)
    later = start + 2 * HOUR
    async with desk.db.begin() as one, desk.db.begin() as other, desk.db.begin() as third:
        due = [[ticket.external_id for ticket in await lock_due(conn, later, limit=1)] for conn in (one, other)]
        due.append([ticket.external_id for ticket in await lock_due(third, later, limit=9)])
        none = await lock_due(third, later - 3 * HOUR, limit=9)
    async with desk.db.begin() as one, desk.db.begin() as other:
        stale = [len(await lock_stale(conn, 99, limit=2)) for conn in (one, other)]

    assert ([["0"], ["1"], ["2"]], []) == (due, none)
    assert [2, 1] == stale


async def test_a_breach_that_was_retracted_and_is_one_after_all_is_the_same_breach_told_anew(desk: World) -> None:
    start = desk.clock()
    desk.clock.set(start + 12 * HOUR)
    await desk.tell(event(start, "created"), event(start + HOUR / 2, "replies"))
    [first] = await desk.rows(breaches)
    await desk.tell(event(start + HOUR, "updated", status="pending"))
    [between] = await desk.rows(breaches)
    await desk.tell(event(start + 2 * HOUR, "updated", status="open"))
    [last] = await desk.rows(breaches)
    told = [orjson.loads(row.body)["data"]["breach_id"] for row in await desk.rows(notices) if row.type == "sla.breached"]

    assert ("open", start + 4 * HOUR, "retracted") == (first.status, first.breached_at, between.status)
    assert ("open", start + 5 * HOUR, first.id) == (last.status, last.breached_at, last.id)
    assert [first.id, first.id] == told


async def test_a_ticket_that_cannot_be_judged_is_pushed_ahead_and_the_others_go_on(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created", "broken"))
    await desk.tell(event(start, "created", "sound"))
    async with desk.db.begin() as conn:
        await conn.execute(tickets.update().where(tickets.c.external_id == "broken").values(timeline=[["no", "event"]]))
    desk.clock.set(start + HOUR)
    done = await desk.tick()

    assert 1 == len(await desk.rows(breaches))
    assert done.next_check_at is not None
    assert done.next_check_at > start + HOUR
    assert 1 == max(row.failures for row in await desk.rows(clocks))


async def test_a_changed_document_rejudges_open_clocks_and_leaves_finished_ones_alone(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created"), event(start + HOUR / 2, "replies"))
    text = DOCUMENT.replace("resolution: 4h", "resolution: 2h").replace("first_response: 1h", "first_response: 10m")
    await desk.live.put(text, author="test", if_match=f'"{desk.live.current.etag}"')
    while await rejudge_stale(desk.db, desk.live, desk.clock):
        pass
    first, resolution = await desk.rows(clocks, "metric")

    assert ("met", start + HOUR) == (first.health, first.due_at)
    assert (start + 2 * HOUR, 2) == (resolution.due_at, resolution.revision)
    [moved] = [row for row in await desk.rows(audit_log) if row.action == "clock.retargeted"]
    assert (resolution.id, "2026-03-02T13:00:00.000Z") == (moved.subject, moved.detail["due_before"])
    assert "2026-03-02T11:00:00.000Z" == moved.detail["due_after"]


async def test_solving_and_reopening_keeps_the_clock_and_its_consumed_time(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created", status="open"))
    await desk.tell(event(start + HOUR, "updated", status="solved"))
    await desk.tell(event(start + 10 * HOUR, "updated", status="open"))
    resolution = (await desk.rows(clocks, "metric"))[-1]

    assert ("running", start + 13 * HOUR, 1) == (resolution.state, resolution.due_at, resolution.cycle)


async def test_a_step_with_a_condition_speaks_only_when_it_holds(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    only_urgent = "{at: breach, type: hierarchical, notify: lead, if: {priority: urgent}}"
    text = DOCUMENT.replace("{at: breach, type: hierarchical, notify: lead}", only_urgent)
    async with world(database, clock, tmp_path, text) as desk:
        for ticket, priority in (("1", "low"), ("2", "urgent")):
            await desk.tell(event(clock(), "created", ticket, priority=priority))
        clock.advance(hours=1)
        await desk.tick()

        assert ["lead"] == [channel for kind, channel, _ in await said(desk) if kind == "sla.breached" and channel == "lead"]


async def test_a_ticket_that_no_revision_can_judge_does_not_keep_the_others_or_the_loop_busy(desk: World) -> None:
    for ticket in ("broken", "sound"):
        await desk.tell(event(desk.clock(), "created", ticket))
    async with desk.db.begin() as conn:
        broken = tickets.c.external_id == "broken"
        await conn.execute(tickets.update().where(broken).values(timeline=[["no", "event"]], rejudge_at=desk.clock()))
    await desk.live.put(DOCUMENT.replace("4h", "2h"), author="test", if_match=f'"{desk.live.current.etag}"')
    counts = [await rejudge_stale(desk.db, desk.live, desk.clock) for _ in range(2)]
    [dated] = [row.rejudge_at for row in await desk.rows(tickets) if row.external_id == "broken"]

    assert [1, 0] == counts
    assert desk.clock() + MINUTE == dated


async def test_a_breach_goes_out_past_the_outbox_and_a_warning_that_comes_too_late_does_not(desk: World) -> None:
    started: list[Handed] = []
    express = Express(lambda _: 10, started.append)
    await desk.tell(event(desk.clock(), "created"))
    desk.clock.advance(hours=1)
    done = await fire_due(desk.db, desk.live, desk.clock, express=express)
    [handed] = started
    rows = {row.id: row for row in await desk.rows(deliveries)}

    assert ["upstream", "lead"] == [claim.channel for claim in handed.claims if claim.type == "sla.breached"]
    assert {"sla.breached", "sla.warning"} == {row.type for row in rows.values()}
    assert ["superseded"] == [row.state for row in rows.values() if row.type == "sla.warning" and row.clock_id == breached(rows)]
    assert {breached(rows)} == {rows[claim.id].clock_id for claim in handed.claims if claim.type == "sla.breached"}
    assert all(rows[claim.id].fence == claim.fence == 1 for claim in handed.claims)
    assert len(handed.claims) == done.handed


def breached(rows: Mapping[str, Any]) -> str:
    return str(next(row.clock_id for row in rows.values() if row.type == "sla.breached"))


async def test_what_a_pass_that_fails_would_have_said_is_not_sent(desk: World) -> None:
    class Breaks(Express):
        async def add(self, *given: Any) -> Handed:
            await super().add(*given)
            raise RuntimeError("the transaction ends here")

    started: list[Handed] = []
    await desk.tell(event(desk.clock(), "created"))
    desk.clock.advance(hours=1)
    with pytest.raises(RuntimeError):
        await fire_due(desk.db, desk.live, desk.clock, express=Breaks(lambda _: 10, started.append))

    assert [] == started
    assert [] == await desk.rows(deliveries)


async def test_what_a_pass_has_seen_coming_fires_when_it_is_due_and_what_came_nearer_since_too(desk: World) -> None:
    floor, start = Floor(), desk.clock()
    await desk.tell(event(start, "created"))
    first = await fire_due(desk.db, desk.live, desk.clock, floor=floor)
    await desk.tell(event(start - 10 * MINUTE, "created", "2"))
    desk.clock.set(start + HOUR / 2 - 10 * MINUTE)
    nearer = await fire_due(desk.db, desk.live, desk.clock, floor=floor)
    desk.clock.set(start + HOUR / 2)
    seen = await fire_due(desk.db, desk.live, desk.clock, floor=floor)

    assert (start + HOUR / 2, start + HOUR / 2) == (first.next_check_at, nearer.next_check_at)
    assert [(1, 1), (1, 1)] == [(each.tickets, each.deliveries) for each in (nearer, seen)]


async def test_a_ticket_whose_date_was_seen_coming_is_judged_then_though_no_clock_is_due(desk: World) -> None:
    floor, start = Floor(), desk.clock()
    await desk.tell(event(start, "created"))
    async with desk.db.begin() as conn:
        await conn.execute(tickets.update().values(rejudge_at=start + 5 * MINUTE))
    first = await fire_due(desk.db, desk.live, desk.clock, floor=floor)
    desk.clock.set(start + 5 * MINUTE)
    then = await fire_due(desk.db, desk.live, desk.clock, floor=floor)

    assert (start + 5 * MINUTE, 0, 1) == (first.next_check_at, first.tickets, then.tickets)


async def test_a_storm_is_logged_by_its_first_breaches_and_how_many_more_there_were(desk: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="app.services.judge")
    start = desk.clock()
    await desk.tell(*(event(start, "created", f"{n}") for n in range(LOGGED_MAX + 5)))
    desk.clock.set(start + HOUR)
    await desk.tick()
    lines = [(record.__dict__["event"], record.__dict__.get("count")) for record in caplog.records]

    assert [("clock.breached", None)] * LOGGED_MAX + [("clocks.breached", 5)] == lines
