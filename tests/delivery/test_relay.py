"""The relay: each delivery at least once under one id, on the schedule, and one slow endpoint holds back only itself."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from app.delivery.relay import LEASE, PER_CHANNEL
from app.store import claims, outbox
from app.store.claims import Ended, Want
from app.store.tables import attempts, deliveries
from tests.delivery.post import BODY, SECRET, Post, channel, receiver


async def test_a_delivery_is_sent_once_signed_and_recorded(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        await post.run()
        await post.run()
    [(headers, body)] = up.seen
    row = await post.row()

    assert BODY == body
    assert "msg_1" == headers["webhook-id"]
    assert post.clock() == row.delivered_at
    assert ("delivered", 1, None) == (row.state, row.attempts, row.next_attempt_at)


async def test_the_signature_verifies_with_the_reference_library(post: Post) -> None:
    from app.timesource import utc_now

    post.clock.set(utc_now())
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        await post.run()
    headers, body = up.seen[0]

    assert "sla.breached" == Webhook(SECRET).verify(body, headers)["type"]


async def test_what_fails_is_tried_again_on_the_schedule_under_the_same_id_until_it_is_dead(post: Post) -> None:
    async with receiver() as up:
        up.status = 500
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        waits = []
        for _ in range(12):
            await post.run()
            row = await post.row()
            if row.next_attempt_at is not None:
                waits.append((row.next_attempt_at - post.clock()).total_seconds())
                post.clock.set(row.next_attempt_at)
    async with post.db.read() as conn:
        tried = list(await conn.execute(attempts.select()))

    assert [5, 30, 120, 600, 1800, 7200, 18000, 36000, 50400, 72000, 86400] == waits
    assert ("dead", 12, "http_5xx") == (row.state, row.attempts, row.error_class)
    assert {"msg_1"} == {headers["webhook-id"] for headers, _ in up.seen}
    assert [500] * 12 == [attempt.status for attempt in tried]


@pytest.mark.parametrize(
    ("status", "hint", "seconds"),
    [
        (503, "120", 120),
        (429, "120", 120),
        (503, "Mon, 02 Mar 2026 09:02:00 GMT", 120),
        (429, "Monday, 02-Mar-26 09:02:00 GMT", 120),
        (503, "1", 5),
        (503, "99999999999", 6 * 3600),
        (503, "Mon, 02 Mar 2026 08:00:00 GMT", 5),
        (503, "soon", 5),
        (500, "120", 5),
    ],
)
async def test_a_receiver_may_ask_for_patience_in_seconds_or_by_date(post: Post, status: int, hint: str, seconds: int) -> None:
    async with receiver() as up:
        up.status, up.headers = status, {"retry-after": hint}
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        await post.run()
    again = (await post.row()).next_attempt_at

    assert post.clock() + timedelta(seconds=seconds) == again


async def test_a_gone_endpoint_and_a_channel_that_is_no_more_are_dead_at_once(post: Post) -> None:
    async with receiver() as up:
        up.status = 410
        post.channels["up"] = channel(up.url)
        await post.enqueue("up", "removed")
        await post.run()
    states = [(await post.row(name)).state for name in ("up", "removed")]

    assert ["dead", "dead"] == states


async def test_what_is_not_worth_saying_any_more_expires_unsent(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up", expires_in=timedelta(minutes=1))
        post.clock.advance(minutes=2)
        await post.run()

    assert "expired" == (await post.row()).state
    assert [] == up.seen


async def test_a_lost_lease_is_taken_over_and_the_late_holder_changes_nothing(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        async with post.db.begin() as conn:
            [stalled] = await claims.claim(conn, post.clock(), [Want("up", 0, 4)], lease=LEASE)
        await post.run()
        assert [] == up.seen
        post.clock.advance(seconds=LEASE.total_seconds())
        await post.run()
    async with post.db.begin() as conn:
        [kept] = await claims.complete(conn, [Ended(stalled, "dead", post.clock())])
    row = await post.row()

    assert not kept
    assert ("delivered", 2) == (row.state, row.attempts)


async def test_a_slow_endpoint_holds_back_only_itself(post: Post) -> None:
    async with receiver() as slow, receiver() as quick:
        slow.gate.clear()
        post.channels |= {"slow": channel(slow.url), "quick": channel(quick.url)}
        for number in range(12):
            await post.enqueue("slow", "quick", name=f"msg_{number:02}")
        for _ in range(40):
            await post.relay.run_once()
            await asyncio.sleep(0.02)
            if len(quick.seen) == 12:
                break
        assert 12 == len(quick.seen)
        assert PER_CHANNEL == len(slow.seen)
        slow.gate.set()
        for _ in range(8):
            await post.run()

    assert 12 == len(slow.seen)


async def test_a_superseded_delivery_is_not_sent(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        async with post.db.begin() as conn:
            await conn.execute(deliveries.update().values(clock_id="clk_1"))
            taken = await outbox.supersede(conn, types=("sla.breached",), clock_ids=["clk_1"])
        await post.run()

    assert (1, "superseded") == (len(taken), (await post.row()).state)
    assert [] == up.seen


async def test_after_a_start_on_sqlite_what_was_on_its_way_is_sent_at_once(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        async with post.db.begin() as conn:
            await claims.claim(conn, post.clock(), [Want("up", 0, 4)], lease=LEASE)
        reclaimed = await post.relay.reclaim()
        await post.run()

    assert (1 if post.db.dialect == "sqlite" else 0) == reclaimed == len(up.seen)
