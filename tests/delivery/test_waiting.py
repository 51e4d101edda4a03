"""What waits, for whom, and what is taken back while it is on its way."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.delivery.relay import LEASE
from app.errors import Conflict
from app.services.deliveries import recover, retry
from app.store import claims, endpoints, outbox
from app.store.claims import Ended, Want
from app.store.endpoints import Endpoint
from app.store.outbox import fresh
from tests.delivery.post import Post, Receiver, channel, receiver


async def arrived(up: Receiver, count: int) -> None:
    """Wait until so many requests have come in."""
    async with asyncio.timeout(20):
        while len(up.seen) < count:  # noqa: ASYNC110  the receiver is somebody else's code
            await asyncio.sleep(0.005)


async def take_back(post: Post, clock_id: str) -> Sequence[Any]:
    """The breach is answered: what was not told is taken back, and both all-clears wait for what is on its way."""
    async with post.db.begin() as conn:
        rows = await outbox.supersede(conn, types=["sla.breached"], clock_ids=[clock_id])
        [row] = rows
        if row.withdrawn:
            waiting = [
                fresh("msg_1", type_, "up", type_, post.clock(), clock_id=clock_id, waits_for=row.id, waits_if=end)
                for type_, end in (("sla.recovered", "delivered"), ("sla.met_late", "superseded"))
            ]
            await outbox.add(conn, [], waiting)
        return rows


async def states(post: Post) -> dict[str, str]:
    return {row.type: row.state for row in await post.rows()}


async def answered_on_the_way(post: Post, up: Receiver, status: int) -> None:
    post.channels["up"] = channel(up.url)
    up.gate.clear()
    up.status = status
    await post.enqueue("up", clock_id="clk_1")
    await post.relay.run_once()
    await arrived(up, 1)
    await take_back(post, "clk_1")
    await post.relay.run_once()
    up.gate.set()
    await post.relay.drain()
    up.status = 200
    await post.run()


async def test_a_breach_answered_while_it_is_on_its_way_and_accepted_is_followed_by_the_all_clear(post: Post) -> None:
    async with receiver() as up:
        await answered_on_the_way(post, up, 200)

    assert {"sla.breached": "delivered", "sla.recovered": "delivered", "sla.met_late": "superseded"} == await states(post)
    assert 2 == len(up.seen)


async def test_a_breach_answered_while_it_is_on_its_way_and_refused_is_not_tried_again_but_was_met_late(post: Post) -> None:
    async with receiver() as up:
        await answered_on_the_way(post, up, 500)
        post.clock.advance(hours=1)
        await post.run()

    assert {"sla.breached": "superseded", "sla.recovered": "superseded", "sla.met_late": "delivered"} == await states(post)
    assert 2 == len(up.seen)


async def test_whoever_died_with_a_withdrawn_delivery_leaves_it_superseded(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up", clock_id="clk_1")
        async with post.db.begin() as conn:
            await claims.claim(conn, post.clock(), [Want("up", 0, 1)], lease=LEASE)
        await take_back(post, "clk_1")
        await post.run()
        post.clock.advance(seconds=LEASE.total_seconds())
        await post.run()
        post.clock.advance(seconds=LEASE.total_seconds())
        await post.run()

    assert {"sla.breached": "superseded", "sla.recovered": "superseded", "sla.met_late": "delivered"} == await states(post)
    assert 1 == len(up.seen)


async def test_what_was_claimed_ahead_and_taken_back_before_its_turn_is_not_sent(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        up.gate.clear()
        for number in range(6):
            await post.enqueue("up", name=f"msg_{number}", clock_id=f"clk_{number}")
        await post.relay.run_once()
        await arrived(up, 4)
        async with post.db.begin() as conn:
            [row] = await outbox.supersede(conn, types=["sla.breached"], clock_ids=["clk_5"])
        await post.relay.run_once()
        up.gate.set()
        await post.relay.drain()

    assert row.withdrawn
    assert ["superseded"] == [row.state for row in await post.rows() if row.clock_id == "clk_5"]
    assert {f"msg_{number}" for number in range(5)} == {headers["webhook-id"] for headers, _ in up.seen}


async def test_what_is_said_of_one_ticket_goes_one_after_another_where_that_is_asked_for(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        post.ordered.add("up")
        up.status = 500
        for number in range(3):
            await post.enqueue("up", name=f"msg_a{number}", ticket_id="tkt_a")
            await post.enqueue("up", name=f"msg_b{number}", ticket_id="tkt_b")
            post.clock.advance(seconds=1)
        await post.run()
        first = sorted(headers["webhook-id"] for headers, _ in up.seen)
        up.status = 200
        post.clock.advance(seconds=5)
        for _ in range(3):
            await post.run()
        seen = [headers["webhook-id"] for headers, _ in up.seen[2:]]

    assert ["msg_a0", "msg_b0"] == first
    assert ["msg_a0", "msg_a1", "msg_a2"] == [name for name in seen if "a" in name]
    assert ["msg_b0", "msg_b1", "msg_b2"] == [name for name in seen if "b" in name]


@pytest.mark.parametrize("end", ["dead", "expired"])
async def test_what_has_ended_holds_up_nothing_of_its_ticket(post: Post, end: str) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        post.ordered.add("up")
        expires = timedelta(minutes=1) if end == "expired" else None
        up.status = 410 if end == "dead" else 500
        await post.enqueue("up", name="msg_1", ticket_id="tkt_a", expires_in=expires)
        post.clock.advance(seconds=1)
        await post.run()
        up.status = 200
        if end == "dead":
            async with post.db.begin() as conn:
                await endpoints.save(conn, [Endpoint("up")])
        await post.enqueue("up", name="msg_2", ticket_id="tkt_a")
        post.clock.advance(minutes=2)
        await post.run()
        await post.run()

    assert [end, "delivered"] == [row.state for row in await post.rows()]


async def test_a_retry_of_what_is_on_its_way_does_not_send_it_twice(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        up.gate.clear()
        await post.enqueue("up")
        await post.relay.run_once()
        await arrived(up, 1)
        with pytest.raises(Conflict, match="on its way"):
            await retry(post.db, post.clock, (await post.row()).id, by="jo")
        await post.relay.run_once()
        up.gate.set()
        await post.run()
        row = await post.row()

    assert ("delivered", 1) == (row.state, row.attempts)
    assert 1 == len(up.seen)


async def test_two_relays_and_one_row_are_one_request(post: Post) -> None:
    other = post.another()
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        for number in range(30):
            await post.enqueue("up", name=f"msg_{number:02}")
        for _ in range(4):
            await asyncio.gather(post.relay.run_once(), other.run_once())
            await asyncio.gather(post.relay.drain(), other.drain())
        ids = [headers["webhook-id"] for headers, _ in up.seen]

    assert sorted(ids) == [f"msg_{number:02}" for number in range(30)]
    assert {1} == {row.attempts for row in await post.rows()}


async def test_a_relay_that_stops_gives_back_what_it_has_not_sent_without_an_attempt(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        up.gate.clear()
        for number in range(10):
            await post.enqueue("up", name=f"msg_{number}")
        await post.relay.run_once()
        await arrived(up, 4)
        stopping = asyncio.create_task(post.relay.stop())
        await asyncio.sleep(0)
        up.gate.set()
        await stopping
        rows = await post.rows()
        other = post.another()
        await other.run_once()
        await other.drain()

    assert [("delivered", 1)] * 4 + [("pending", 0)] * 6 == [(row.state, row.attempts) for row in rows]
    assert [("delivered", 1)] * 10 == [(row.state, row.attempts) for row in await post.rows()]


async def test_a_held_delivery_expires_and_is_not_replayed(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up", name="msg_1", expires_in=timedelta(minutes=1))
        await post.enqueue("up", name="msg_2")
        async with post.db.begin() as conn:
            await outbox.hold(conn, "up", post.clock())
        post.clock.advance(minutes=1)
        await post.run()
        dry = await recover(post.db, post.clock, "up", since=None, until=None, only_missing=True, dry_run=True, by="jo")
        count = await recover(post.db, post.clock, "up", since=None, until=None, only_missing=True, dry_run=False, by="jo")
        await post.run()

    assert (1, 1) == (dry, count)
    assert ["expired", "delivered"] == [row.state for row in await post.rows()]


async def test_a_recovery_takes_what_was_made_in_its_time_and_all_of_it_when_asked(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        began = post.clock()
        for number in range(4):
            await post.enqueue("up", name=f"msg_{number}")
            post.clock.advance(minutes=1)
        await post.run()
        span: dict[str, Any] = {"since": began + timedelta(minutes=1), "until": began + timedelta(minutes=3), "dry_run": False, "by": "jo"}
        missing = await recover(post.db, post.clock, "up", only_missing=True, **span)
        everything = await recover(post.db, post.clock, "up", only_missing=False, **span)
        await post.run()
        ids = [headers["webhook-id"] for headers, _ in up.seen]

    assert (0, 2) == (missing, everything)
    assert ["msg_1", "msg_2"] == sorted(ids[4:])


async def test_attempts_that_end_together_are_recorded_together_and_a_lost_lease_changes_nothing(post: Post) -> None:
    for number in range(3):
        await post.enqueue("up", name=f"msg_{number}")
    at = post.clock()
    async with post.db.begin() as conn:
        first = await claims.claim(conn, at, [Want("up", 0, 3)], lease=LEASE)
    later = post.clock.advance(seconds=LEASE.total_seconds())
    async with post.db.begin() as conn:
        [second] = await claims.claim(conn, later, [Want("up", 0, 1)], lease=LEASE)
        row = {"number": 1, "started_at": at, "method": "POST", "url": "", "error_class": "timeout", "timing": {}}
        empty = {"status": None, "detail": None, "answer": None}
        ended = [Ended(each, "dead", later, attempt_row={"delivery_id": each.id, **row, **empty}) for each in first]
        kept = await claims.complete(conn, ended)

    assert [each.id != second.id for each in first] == kept
    assert ["dead", "dead", "pending"] == sorted(row.state for row in await post.rows())
