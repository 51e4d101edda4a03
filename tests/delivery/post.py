"""A relay with its outbox, and receivers on loopback that note what comes in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import orjson
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import select

from app.channels import ChannelConfig
from app.channels.webhook import Config
from app.delivery.client import DeliveryClient
from app.delivery.relay import Relay
from app.delivery.routes import Fallback, Group, Quiet, Routes
from app.guard import GuardPolicy
from app.store import endpoints, outbox
from app.store.database import Database
from app.store.endpoints import Endpoint
from app.store.outbox import fresh
from app.store.tables import deliveries, notices
from tests.support.clock import FakeClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
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
    runner = web.AppRunner(application, shutdown_timeout=0, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield made
    finally:
        made.gate.set()
        await runner.cleanup()


class Post:
    """A relay and its outbox. `channels`, `fallbacks`, `ordered` and `operations` are what the document says."""

    def __init__(self, db: Database, clock: FakeClock, client: DeliveryClient) -> None:
        self.db, self.clock, self.client = db, clock, client
        self.channels: dict[str, ChannelConfig] = {}
        self.fallbacks: dict[str, Fallback] = {}
        self.ordered: set[str] = set()
        self.operations: str | None = None
        self.groups: dict[str, Group] = {}
        self.quiets: dict[str, Quiet] = {}
        self.relay = self.another()

    def another(self) -> Relay:
        """One more relay on the same outbox."""
        return Relay(self.db, self.client, self.routes, self.clock, jitter=lambda: 0.0)

    def fall_back(self, channel: str, on: str, after: timedelta) -> None:
        """`on` is the fallback of a channel."""
        self.fallbacks[channel] = Fallback(on, after)

    def routes(self) -> Routes:
        more: dict[str, Any] = {"groups": self.groups, "quiets": self.quiets, "public_url": "https://sla.example.com/"}
        return Routes(self.channels, frozenset(self.ordered), self.fallbacks, self.operations, **more)

    async def enqueue(self, *channels: str, name: str = "msg_1", expires_in: timedelta | None = None, **more: Any) -> None:
        """One notice to some channels."""
        at = self.clock()
        expires_at = at + expires_in if expires_in is not None else None
        row = {"id": name, "type": "sla.breached", "milestone": "breach", "body": BODY, "created_at": at, "expires_at": expires_at}
        rows = [
            fresh(
                name, "sla.breached", each, f"{name}:{each}", at, expires_at=expires_at,
                fallback_at=self.routes().fallback_at(each, "sla.breached", at), **more,
            )
            for each in channels
        ]  # fmt: skip
        async with self.db.begin() as conn:
            await outbox.add(conn, [row], rows)

    async def run(self) -> None:
        await self.relay.run_once()
        await self.relay.drain()

    async def rows(self, channel: str = "up") -> list[Any]:
        """The deliveries of a channel, oldest first."""
        async with self.db.read() as conn:
            query = deliveries.select().where(deliveries.c.channel == channel)
            return list(await conn.execute(query.order_by(deliveries.c.created_at, deliveries.c.id)))

    async def row(self, channel: str = "up") -> Any:
        """The only delivery of a channel."""
        [found] = await self.rows(channel)
        return found

    async def events(self, channel: str) -> list[dict[str, Any]]:
        """What was enqueued for a channel, parsed."""
        async with self.db.read() as conn:
            query = select(notices.c.body).join(deliveries, deliveries.c.notice_id == notices.c.id).where(deliveries.c.channel == channel)
            return [orjson.loads(body) for body in (await conn.execute(query.order_by(notices.c.id))).scalars()]

    async def endpoint(self, channel: str = "up") -> Endpoint:
        async with self.db.read() as conn:
            return (await endpoints.known(conn)).get(channel) or Endpoint(channel)


@asynccontextmanager
async def posting(database: Database, clock: FakeClock) -> AsyncIterator[Post]:
    """A relay that may post to loopback."""
    async with DeliveryClient(GuardPolicy((ip_network("127.0.0.0/8"),))) as client:
        yield Post(database, clock, client)


def channel(url: str) -> Config:
    return Config(url=SecretStr(url), secrets=[SecretStr(SECRET)])
