"""Whatever dies on the way: at least one request, always under one id, and no more attempts than deaths and one."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from app.delivery.relay import LEASE
from app.store import claims
from app.store.claims import Want
from app.timesource import utc_now
from tests.delivery.post import Post, channel, receiver
from tests.delivery.servers import Call
from tests.delivery.servers import receiver as raw_receiver

ROOT = Path(__file__).parents[2]


async def crash(moment: str, url: str, address: str) -> int:
    """Run a relay that kills itself; how it ended."""
    command = [sys.executable, "-m", "tests.delivery.crash", moment, url, address]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    return await process.wait()


@pytest.mark.parametrize(
    ("moment", "requests", "attempts"), [("claimed", 1, 2), ("answered", 2, 2), ("recorded", 2, 2), ("committed", 1, 1)]
)
async def test_a_relay_killed_on_the_way_loses_nothing_and_changes_no_id(
    post: Post, database_url: str, moment: str, requests: int, attempts: int
) -> None:
    post.clock.set(utc_now())
    async with receiver() as up:
        await post.enqueue("up")
        ended = await crash(moment, database_url, up.url)
        post.channels["up"] = channel(up.url)
        await post.run()
        at_once = len(up.seen)
        post.clock.set(utc_now() + LEASE)
        await post.run()
        ids = {headers["webhook-id"] for headers, _ in up.seen}
        row = await post.row()

    assert -signal.SIGKILL == ended
    assert (requests, {"msg_1"}) == (len(up.seen), ids)
    assert at_once < 2
    assert ("delivered", attempts) == (row.state, row.attempts)


async def test_a_receiver_that_accepts_and_then_resets_the_connection_has_accepted(post: Post) -> None:
    async def accept_and_reset(call: Call) -> None:
        await call.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nabc")
        call.reset()

    async with raw_receiver(accept_and_reset) as server:
        post.channels["up"] = channel(server.url)
        await post.enqueue("up")
        await post.run()
        post.clock.advance(hours=1)
        await post.run()
    row = await post.row()

    assert ("delivered", 1, 1) == (row.state, row.attempts, len(server.calls))


async def test_a_delivery_that_kills_its_sender_each_time_is_dead_after_the_schedule(post: Post) -> None:

    async with receiver() as up:
        up.status = 500
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        for _ in range(11):  # claimed, and never heard of again
            async with post.db.begin() as conn:
                await claims.claim(conn, post.clock(), [Want("up", 0, 1)], lease=LEASE)
            post.clock.advance(seconds=LEASE.total_seconds())
        await post.run()
    row = await post.row()

    assert ("dead", 12, 1) == (row.state, row.attempts, len(up.seen))
