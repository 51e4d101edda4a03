"""Runs of ladders on both databases: races, crashes of a transaction, many at once, and what is stored of them."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from app.errors import Conflict, EscalationNotFound, InvalidBody, TicketNotFound
from app.rules.escalation_log import Entry
from app.rules.escalation_run import replay
from app.services import escalations
from app.services.acknowledge import acknowledge, acknowledge_escalation
from app.services.escalations import changing, fire_steps, open_by_hand
from app.services.judge import judge
from app.store import escalations as stored
from app.store import tickets
from app.store.database import Database
from app.store.tables import breaches, deliveries, escalation_log, notices
from app.store.tables import escalations as runs
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DOCUMENT = """
version: 1
policies:
  - name: everyone
    targets: {first_response: 1h}
    escalation: ladder
escalations:
  ladder:
    acknowledge_for: 2h
    steps:
      - {at: 50%, notify: lead}
      - {at: breach, type: functional, notify: lead, write_back: {tags: [late], priority: urgent}}
      - {after: 30m, type: hierarchical, notify: head}
      - {after: 30m, type: hierarchical, notify: head}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*", "escalation.*"]}
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}"}
  head: {kind: webhook, url: "https://head.example.com/sla", secret: "${env:SECRET}"}
"""


@pytest.fixture
async def place(database: Database, clock: FakeClock, tmp_path: Path) -> Any:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def step(place: World, limit: int = 500) -> escalations.Pass:
    return await fire_steps(place.db, place.live, place.clock, limit=limit)


async def broken(place: World, count: int = 1) -> None:
    """So many tickets, an hour and a minute ago, each with a breach and a run."""
    start = place.clock()
    for first in range(1, count + 1, 2000):
        await asyncio.gather(*(place.tell(event(start, "created", f"{n}")) for n in range(first, min(first + 2000, count + 1))))
    for at in (start + HOUR / 2, start + HOUR):
        place.clock.set(at)
        while (await place.tick()).more:
            pass
    place.clock.set(start + HOUR + MINUTE)


async def said(place: World, type_: str) -> list[tuple[str, str]]:
    """Channel and state of the deliveries of a type, oldest first."""
    return [(row.channel, row.state) for row in await place.rows(deliveries, "created_at", "channel") if row.type == type_]


async def only(place: World) -> Any:
    [run] = await place.rows(runs)
    return run


async def check_logs(place: World) -> None:
    """Each run's row is what its log tells."""
    for row in await place.rows(runs):
        async with place.db.read() as conn:
            found = await stored.one(conn, row.id)
        assert found is not None
        run = replay(found.log, found.snapshot[1])
        assert (row.state, row.step, row.loop, row.paused) == (run.state, run.step + 1, run.loop, run.frozen)
        assert (row.waits_until, row.closed_at, row.acknowledged_at) == (run.until, run.closed_at, run.acknowledged_at)
        assert row.fence == len(found.log)


async def test_a_run_is_opened_by_the_warning_and_its_first_rung_is_that_warning(place: World) -> None:
    start = place.clock()
    await place.tell(event(start, "created"))
    place.clock.set(start + HOUR / 2)
    await place.tick()
    run = await only(place)
    body = next(orjson.loads(row.body) for row in await place.rows(notices) if row.type == "sla.warning")

    assert ("warning", "active", 1, 4, None) == (run.cause, run.state, run.step, run.steps, run.breach_id)
    assert {"lead", "upstream"} == {channel for channel, _ in await said(place, "sla.warning")}
    assert {"ladder": "ladder", "step": 1, "type": "automatic", "next": "lead at the breach"} == body["data"]["step"]
    await check_logs(place)


async def test_at_the_breach_the_same_run_goes_on_with_the_breach_and_says_who_is_next(place: World) -> None:
    await broken(place)
    run = await only(place)
    [breach] = await place.rows(breaches)
    body = next(orjson.loads(row.body) for row in await place.rows(notices) if row.type == "sla.breached")

    assert (breach.id, "functional", 2) == (run.breach_id, run.type, run.step)
    assert "head in 30m" == body["data"]["step"]["next"]
    assert {(run.id, "lead"), (None, "upstream")} == {
        (row.escalation_id, row.channel) for row in await place.rows(deliveries) if row.type == "sla.breached"
    }
    assert run.next_step_at == breach.breached_at + 30 * MINUTE


async def test_what_a_rung_wants_written_to_the_ticket_is_in_the_log(place: World) -> None:
    await broken(place)

    assert [("write_back", "tags late; priority urgent")] == [
        (row.kind, row.note) for row in await place.rows(escalation_log) if row.kind == "write_back"
    ]


async def test_the_times_to_acknowledge_and_to_resolve_are_kept(place: World) -> None:
    await broken(place)
    run = await only(place)
    place.clock.advance(minutes=9)
    await acknowledge_escalation(place.db, place.live, place.clock, run.id, by="jo", note="on it")
    place.clock.advance(minutes=20)
    await place.tell(event(place.clock(), "replies"))
    closed = await only(place)

    assert (40 * 60, HOUR.total_seconds()) == (closed.acknowledge_seconds, closed.resolve_seconds)
    assert ("resolved", "answered", None) == (closed.state, closed.closed_because, closed.next_step_at)
    await check_logs(place)


async def test_acknowledging_the_breach_acknowledges_its_run_and_the_other_way_round(place: World) -> None:
    await broken(place, 2)
    first, second = await place.rows(runs)
    await acknowledge(place.db, place.live, place.clock, first.breach_id, by="jo", note=None)
    await acknowledge_escalation(place.db, place.live, place.clock, second.id, by="kim", note=None)

    assert ["acknowledged"] * 2 == [row.state for row in await place.rows(runs)]
    assert {"jo", "kim"} == {row.acknowledged_by for row in await place.rows(breaches)}
    assert {("lead", "superseded"), ("upstream", "superseded")} == set(await said(place, "sla.breached"))


async def test_a_rung_that_was_not_sent_yet_is_taken_back_by_an_acknowledgement(place: World) -> None:
    await broken(place)
    place.clock.advance(minutes=30)
    await step(place)
    await acknowledge_escalation(place.db, place.live, place.clock, (await only(place)).id, by="jo", note=None)

    assert {"superseded"} == {state for _, state in await said(place, "escalation.step")}


async def test_an_acknowledgement_and_a_rung_that_is_due_in_every_order(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    """Whatever comes first wins: either the rung speaks and then the ladder stops, or it stops and the rung waits for its end."""
    start = clock()
    async with world(database, clock, tmp_path, DOCUMENT) as place:
        for number, order in enumerate(permutations(("acknowledge", "step", "judge"))):
            clock.set(start + number * 100 * HOUR)
            await place.tell(event(clock(), "created", f"{number}"))
            clock.advance(hours=1)
            await place.tick()
            clock.advance(minutes=30)
            run = (await place.rows(runs))[-1]
            for act in order:
                if act == "acknowledge":
                    await acknowledge_escalation(place.db, place.live, clock, run.id, by="jo", note=None)
                elif act == "step":
                    await step(place)
                else:
                    await place.tell(event(clock(), "updated", f"{number}", tags=("looked",)))
            lines = [row.kind for row in await place.rows(escalation_log) if row.escalation_id == run.id]
            after = (await place.rows(runs))[-1]

            assert "acknowledged" == after.state
            assert clock() + 2 * HOUR == after.next_step_at
            assert ["acknowledged"] == lines[-1:]
            assert (2 if order[0] == "acknowledge" else 3) == lines.count("spoke")
            await place.tell(event(clock(), "replies", f"{number}"))
        await check_logs(place)


async def test_acknowledgements_and_rungs_at_the_same_time_end_in_one_story(place: World) -> None:
    await broken(place, 12)
    place.clock.advance(minutes=29)
    found = await place.rows(runs)
    await asyncio.gather(
        *(step(place, limit=5) for _ in range(3)),
        *(acknowledge_escalation(place.db, place.live, place.clock, run.id, by="jo", note=None) for run in found),
    )
    await step(place)

    assert {"acknowledged"} == {row.state for row in await place.rows(runs)}
    assert {1, 0} >= {[line.kind for line in await lines_of(place, run.id)].count("spoke") - 2 for run in found}
    await check_logs(place)


async def lines_of(place: World, escalation_id: str) -> Sequence[Any]:
    return [row for row in await place.rows(escalation_log) if row.escalation_id == escalation_id]


@pytest.mark.parametrize("count", [120, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
async def test_many_runs_due_in_one_second_speak_once_each_whoever_takes_them(place: World, count: int) -> None:
    await broken(place, count)
    place.clock.advance(minutes=29)
    passes = 0
    while any(done.tickets for done in await asyncio.gather(*(step(place, limit=60) for _ in range(4 if count < 1000 else 2)))):
        passes += 1
    told = await said(place, "escalation.step")

    assert 0 < passes < count
    assert (count, count) == (told.count(("head", "pending")), told.count(("upstream", "pending")))
    await check_logs(place)


async def judge_and_die(place: World, ticket_id: str) -> None:
    async with place.db.begin() as conn:
        held = await tickets.lock_ids(conn, [ticket_id])
        await judge(conn, held, place.live.current, place.clock())
        raise RuntimeError("killed between claim and commit")


async def test_a_transaction_that_is_rolled_back_leaves_the_rung_to_the_next(place: World) -> None:
    await broken(place)
    place.clock.advance(minutes=29)
    run = await only(place)
    with pytest.raises(RuntimeError, match="killed"):
        await judge_and_die(place, run.ticket_id)
    assert [] == await said(place, "escalation.step")
    await step(place)

    assert [("head", "pending"), ("upstream", "pending")] == await said(place, "escalation.step")


async def test_who_has_lost_the_lock_may_not_write_and_nothing_of_it_stays(place: World) -> None:
    """A process that was stopped for two leases wakes up and goes on with what it had read."""
    await broken(place)
    run = await only(place)
    async with place.db.read() as conn:
        stale = await stored.one(conn, run.id)
    assert stale is not None
    await acknowledge_escalation(place.db, place.live, place.clock, run.id, by="jo", note=None)
    row = dict(stale.row._mapping) | {"state": "snoozed", "log": [Entry("snoozed", place.clock())]}
    with pytest.raises(Conflict):
        async with place.db.begin() as conn:
            await stored.save(conn, [row])

    assert "acknowledged" == (await only(place)).state
    await check_logs(place)


async def test_a_ticket_whose_runs_cannot_be_judged_is_pushed_ahead_and_the_others_go_on(place: World) -> None:
    await broken(place, 2)
    place.clock.advance(minutes=29)
    doomed = (await place.rows(runs))[0]
    async with place.db.begin() as conn:
        await conn.execute(update(runs).where(runs.c.id == doomed.id).values(snapshot={}))
    done = await step(place)

    assert 1 == [channel for channel, _ in await said(place, "escalation.step")].count("head")
    assert (False, place.clock() + MINUTE) == (done.more, done.next_step_at)


async def test_retention_takes_the_runs_of_a_ticket_along(place: World) -> None:
    await broken(place)
    async with place.db.begin() as conn:
        await stored.forget(conn, [(await only(place)).ticket_id])

    assert [] == await place.rows(escalation_log)
    assert [] == await place.rows(runs)


async def test_a_run_by_hand_needs_a_target_a_ticket_and_something_to_do(place: World) -> None:
    async def by_hand(reference: str = "desk:1", target: str = "head") -> str:
        return await open_by_hand(
            place.db, place.live, place.clock, reference=reference, type_="functional", target=target, reason="so it is", by="jo"
        )

    await place.tell(event(place.clock(), "created", status="open"))
    with pytest.raises(InvalidBody, match="did you mean `head`"):
        await by_hand(target="haed")
    with pytest.raises(TicketNotFound):
        await by_hand("desk:2")
    await by_hand()
    row = await only(place)
    await place.tell(event(place.clock(), "updated", status="solved"))
    with pytest.raises(Conflict, match="nothing to escalate"):
        await by_hand()

    assert ("manual", "functional", "head", None, "so it is", "jo") == (
        row.cause, row.type, row.target, row.ladder, row.reason, row.opened_by,
    )  # fmt: skip
    assert ("resolved", "solved") == ((await only(place)).state, (await only(place)).closed_because)


async def test_what_is_closed_or_unknown_cannot_be_changed(place: World) -> None:
    await broken(place)
    run = await only(place)
    await escalations.resolve(place.db, place.live, place.clock, run.id, by="jo", note=None)
    for wanted, error in ((run.id, Conflict), ("esc_nothing", EscalationNotFound)):
        with pytest.raises(error):
            async with changing(place.db, place.live, place.clock, wanted):
                pass

    assert "by hand" == (await only(place)).closed_because


async def test_the_all_clear_waits_for_a_rung_that_is_on_its_way(place: World) -> None:
    await broken(place)
    place.clock.advance(minutes=29)
    await step(place)
    async with place.db.begin() as conn:
        mine = deliveries.c.type == "escalation.step"
        await conn.execute(update(deliveries).where(mine, deliveries.c.channel == "head").values(leased_until=place.clock() + MINUTE))
    await place.tell(event(place.clock(), "replies"))
    rows = {row.channel: row for row in await place.rows(deliveries) if row.type == "escalation.deescalated"}
    [sent] = [row for row in await place.rows(deliveries) if row.type == "escalation.step" and row.channel == "head"]

    assert {"head", "upstream"} == set(rows)
    assert (sent.id, "delivered", None) == (rows["head"].waits_for, rows["head"].waits_if, rows["upstream"].waits_for)
