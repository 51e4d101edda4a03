"""The relay: each delivery at least once under one id, on the schedule, and one slow endpoint holds back only itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from standardwebhooks import Webhook

from app.channels import ChannelConfig
from app.channels.webhook import Config
from app.delivery.client import DeliveryClient
from app.delivery.relay import LEASE, PER_CHANNEL, Relay
from app.guard import GuardPolicy
from app.services.notices import delivery
from app.store import outbox
from app.store.database import Database
from app.store.tables import attempts, deliveries
from tests.services.world import SECRET
from tests.support.clock import FakeClock

BODY = b'{"type":"sla.breached","timestamp":"2026-03-02T09:00:00.000Z","data":{}}'


@dataclass
class Receiver:
    """Notes what comes in and answers as it is told."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        await self.gate.wait()
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    made.gate.set()
    application = web.Application()
    application.router.add_post("/hook", made.answer)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    made.gate.set()
    await runner.cleanup()


@dataclass
class Post:
    """A relay and its outbox."""

    db: Database
    clock: FakeClock
    relay: Relay
    channels: dict[str, ChannelConfig]

    async def enqueue(self, *channels: str, name: str = "msg_1", expires_in: timedelta | None = None) -> None:
        at = self.clock()
        expires_at = at + expires_in if expires_in is not None else None
        row = {"id": name, "type": "sla.breached", "milestone": "breach", "body": BODY, "created_at": at, "expires_at": expires_at}
        rows = [delivery(name, "sla.breached", channel, f"{name}:{channel}", at, expires_at, created_at=at) for channel in channels]
        async with self.db.begin() as conn:
            await outbox.add(conn, [row], rows)

    async def run(self) -> None:
        await self.relay.run_once()
        await self.relay.drain()

    async def row(self, channel: str = "up") -> Any:
        async with self.db.read() as conn:
            return (await conn.execute(deliveries.select().where(deliveries.c.channel == channel))).one()


@pytest.fixture
async def post(database: Database, clock: FakeClock) -> AsyncIterator[Post]:
    channels: dict[str, ChannelConfig] = {}
    async with DeliveryClient(GuardPolicy((ip_network("127.0.0.0/8"),))) as client:
        yield Post(database, clock, Relay(database, client, lambda: channels, clock, jitter=lambda: 0.0), channels)


def channel(url: str) -> Config:
    return Config(url=SecretStr(url), secrets=[SecretStr(SECRET)])


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
            [stalled] = await outbox.claim(conn, post.clock(), lease=LEASE, limit=10, room=outbox.Room({}, most=4))
        await post.run()
        assert [] == up.seen
        post.clock.advance(seconds=LEASE.total_seconds())
        await post.run()
    attempt = {"delivery_id": stalled.id, "number": 1, "started_at": post.clock(), "method": "POST", "url": "", "error_class": "timeout"}
    async with post.db.begin() as conn:
        kept = await outbox.complete(conn, stalled, {"state": "dead", "next_attempt_at": None}, attempt | {"timing": {}})
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
            await outbox.claim(conn, post.clock(), lease=LEASE, limit=10, room=outbox.Room({}, most=4))
        reclaimed = await post.relay.reclaim()
        await post.run()

    assert (1 if post.db.dialect == "sqlite" else 0) == reclaimed == len(up.seen)
