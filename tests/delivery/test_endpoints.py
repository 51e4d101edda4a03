"""Endpoints that fail: the others are not delayed, nothing is lost, and other channels hear of it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.delivery.breaker import OPENS_AFTER, PROBE
from app.store import endpoints, outbox
from app.store.tables import attempts, deliveries
from app.telemetry import metrics
from tests.delivery.post import Post, channel, receiver


async def count_attempts(post: Post) -> int:
    async with post.db.read() as conn:
        return (await conn.execute(select(func.count()).select_from(attempts))).scalar_one()


async def until_open(post: Post) -> None:
    """Ten messages for a channel where nobody listens: each attempt gets no answer."""
    for number in range(OPENS_AFTER):
        await post.enqueue("up", name=f"msg_{number:02}")
    for _ in range(OPENS_AFTER):
        await post.run()


async def test_one_dead_endpoint_of_a_hundred_delays_none_of_the_others(post: Post) -> None:
    async with receiver() as dead, receiver() as well:
        dead.gate.clear()
        post.channels |= {"a-dead": channel(dead.url)} | {f"c{n:02}": channel(well.url) for n in range(99)}
        for number in range(40):
            await post.enqueue("a-dead", name=f"msg_d{number:02}")
        for number in range(2):
            await post.enqueue(*post.channels, name=f"msg_{number}")
        for _ in range(200):
            await post.relay.run_once()
            await asyncio.sleep(0.02)
            if len(well.seen) == 198 and post.relay.sending == 4:
                break
        assert 4 == len(dead.seen)
        dead.gate.set()
        await post.relay.drain()

    assert 198 == len(well.seen)


async def test_an_open_breaker_costs_no_delivery_an_attempt_and_lets_one_probe_a_minute_go(post: Post, nowhere: str) -> None:
    post.channels["up"] = channel(nowhere)
    await until_open(post)
    tried = await count_attempts(post)
    endpoint = await post.endpoint()
    await post.enqueue(*["up"], name="msg_late")
    for _ in range(5):
        post.clock.advance(seconds=10)
        await post.run()
    waiting = await count_attempts(post)
    post.clock.advance(seconds=10)
    nearest = await post.relay.run_once()
    await post.relay.drain()
    await post.run()

    assert endpoint.open_until is not None
    assert (OPENS_AFTER, tried) == (endpoint.transport_failures, waiting)
    assert tried + 1 == await count_attempts(post)
    assert nearest is not None
    assert nearest > post.clock()
    assert metrics.value("slawatch_open_breakers") == 1


async def test_the_probe_that_is_accepted_closes_the_breaker_and_everything_goes_out(post: Post, nowhere: str) -> None:
    post.channels["up"] = channel(nowhere)
    await until_open(post)
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        post.clock.advance(seconds=PROBE.total_seconds())
        await post.run()
        probed = len(up.seen)
        await post.run()

    assert (1, OPENS_AFTER) == (probed, len(up.seen))
    assert (await post.endpoint()).open_until is None


async def test_of_two_processes_one_may_probe(post: Post, nowhere: str) -> None:
    post.channels["up"] = channel(nowhere)
    await until_open(post)
    at = post.clock.advance(seconds=PROBE.total_seconds())
    allowed = []
    for _ in range(2):
        async with post.db.begin() as conn:
            allowed.append(await endpoints.take_probe(conn, "up", at, at + PROBE))

    assert [True, False] == allowed


async def test_an_endpoint_without_an_answer_gets_one_request_at_a_time(post: Post, nowhere: str) -> None:
    post.channels["up"] = channel(nowhere)
    for number in range(8):
        await post.enqueue("up", name=f"msg_{number}")
    await post.run()
    first = await count_attempts(post)
    await post.run()

    assert first <= 4
    assert first + 1 == await count_attempts(post)
    assert {0, 1} == {row.attempts for row in await post.rows()}


async def test_a_gone_endpoint_is_disabled_what_is_meant_for_it_is_held_and_another_channel_hears(post: Post) -> None:
    async with receiver() as up, receiver() as ops:
        up.status = 410
        post.channels |= {"up": channel(up.url), "ops": channel(ops.url).model_copy(update={"events": ["endpoint.*"]})}
        await post.enqueue("up")
        await post.run()
        await post.enqueue("up", name="msg_2")
        await post.enqueue("up", name="msg_3")
        await post.run()
        await post.run()
    [said] = await post.events("ops")

    assert ["dead", "paused", "paused"] == [row.state for row in await post.rows()]
    assert 1 == len(up.seen)
    assert ("endpoint.disabled", "up", "http_410") == (said["type"], said["data"]["channel"], said["data"]["error_class"])
    assert 1 == len(ops.seen)
    assert 1 == metrics.value("slawatch_endpoints", {"state": "disabled"})


async def test_who_hears_when_nobody_subscribes_is_the_channel_for_operations_but_never_the_one_concerned(post: Post, nowhere: str) -> None:
    async with receiver() as gone:
        gone.status = 410
        post.channels |= {"up": channel(gone.url).model_copy(update={"events": ["*"]}), "ops": channel(nowhere)}
        post.operations = "ops"
        await post.enqueue("up")
        for _ in range(3):
            await post.run()

    assert ["endpoint.disabled"] == [event["type"] for event in await post.events("ops")]
    assert ["sla.breached"] == [event["type"] for event in await post.events("up")]


async def test_an_endpoint_that_fails_for_hours_is_warned_of_and_its_recovery_is_told(post: Post, nowhere: str) -> None:
    async with receiver() as up:
        up.status = 500
        post.channels |= {"up": channel(up.url), "ops": channel(nowhere)}
        post.operations = "ops"
        await post.enqueue("up")
        for _ in range(9):
            await post.run()
            post.clock.advance(hours=3)
        failing = await post.endpoint()
        up.status = 200
        await post.enqueue("up", name="msg_2")
        await post.run()

    assert (failing.warned, failing.error_class) == (1, "http_5xx")
    assert ["endpoint.failing", "endpoint.recovered"] == [event["type"] for event in await post.events("ops")]
    assert (await post.endpoint()).failing_since is None


async def test_a_fault_of_our_own_is_no_failure_of_the_endpoint(post: Post) -> None:
    post.channels["up"] = channel("https://hooks.example.com/")
    await post.client.close()
    await post.enqueue("up")
    await post.run()

    row = await post.row()

    assert ("pending", "internal") == (row.state, row.error_class)
    assert 0 == (await post.endpoint()).failures


async def test_what_is_replayed_goes_after_what_is_live_and_begins_its_schedule_anew(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        for number in range(6):
            await post.enqueue("up", name=f"msg_old{number}")
        async with post.db.begin() as conn:
            await conn.execute(update(deliveries).values(state="dead", next_attempt_at=None, attempts=12))
            count = await outbox.replay(conn, "up", post.clock(), since=None, until=None, only_missing=True)
        post.clock.advance(seconds=1)
        for number in range(4):
            await post.enqueue("up", name=f"msg_new{number}")
        up.status = 500
        await post.run()
        again = {row.state for row in await post.rows()}
        up.status, up.seen = 200, []
        post.clock.advance(seconds=5)
        await post.run()
        await post.run()

    assert 6 == count
    assert {"pending"} == again
    assert {"delivered"} == {row.state for row in await post.rows()}


@pytest.mark.parametrize("room", [1, 2])
async def test_a_claim_takes_live_deliveries_before_replayed_ones(post: Post, room: int) -> None:
    async with receiver() as up:
        up.gate.clear()
        post.channels["up"] = channel(up.url)
        await post.enqueue("up", name="msg_old", lane=outbox.REPLAYED)
        post.clock.advance(seconds=1)
        for number in range(60):
            await post.enqueue("up", name=f"msg_new{number:02}")
        for _ in range(room):
            await post.relay.run_once()
        for _ in range(200):
            await asyncio.sleep(0.005)
            if len(up.seen) == 4:
                break
        seen = [headers["webhook-id"] for headers, _ in up.seen]
        up.gate.set()
        await post.relay.drain()

    assert ["msg_new00", "msg_new01", "msg_new02", "msg_new03"] == sorted(seen)


async def test_a_fallback_hears_it_once_when_the_channel_has_not_accepted_in_time(post: Post, nowhere: str) -> None:
    async with receiver() as other:
        post.channels |= {"up": channel(nowhere), "other": channel(other.url)}
        post.fall_back("up", "other", timedelta(minutes=5))
        await post.enqueue("up", ticket_id="tkt_1", clock_id="clk_1")
        await post.run()
        post.clock.advance(minutes=4)
        await post.run()
        early = len(other.seen)
        post.clock.advance(minutes=1)
        for _ in range(3):
            await post.run()
            post.clock.advance(minutes=10)
        [(headers, _)] = other.seen
    async with post.db.read() as conn:
        told = await outbox.told(conn, type_="sla.breached", clock_ids=["clk_1"])

    assert 0 == early
    assert "msg_1" == headers["webhook-id"]
    assert {"clk_1": {"other"}} == told


async def test_a_fallback_hears_nothing_of_what_was_accepted_taken_back_or_told_to_it_anyway(post: Post, nowhere: str) -> None:
    async with receiver() as up, receiver() as other:
        post.channels |= {"up": channel(up.url), "other": channel(other.url)}
        post.fall_back("up", "other", timedelta(minutes=5))
        await post.enqueue("up", name="msg_accepted")
        await post.run()
        post.channels["up"] = channel(nowhere)
        await post.enqueue("up", name="msg_back", clock_id="clk_1")
        await post.enqueue("up", "other", name="msg_both")
        async with post.db.begin() as conn:
            await outbox.supersede(conn, types=["sla.breached"], clock_ids=["clk_1"])
        for _ in range(3):
            await post.run()
            post.clock.advance(minutes=5)
        heard = [headers["webhook-id"] for headers, _ in other.seen]

    assert ["msg_both"] == heard
