"""A helpdesk's API on loopback, and the tools that ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from app.delivery.client import DeliveryClient
from app.exchange import HttpRequest
from app.guard import GuardPolicy
from app.services.fetching import LIMITS, Tools
from tests.helpdesks.fetching.desks import Desk
from tests.services.world import World


@asynccontextmanager
async def serving(desk: Desk) -> AsyncIterator[str]:
    """The URL of a server that answers as this desk does."""

    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = desk.answer(HttpRequest(request.method, str(request.url), headers, await request.read()))
        return web.Response(status=found.status, headers=dict(found.headers), body=found.body)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert server is not None
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def tools(world: World, waits: list[float] | None = None) -> AsyncIterator[Tools]:
    """What fetching works with. Waiting moves the world's clock, and is noted in `waits`."""

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)
        world.clock.advance(seconds=seconds)

    async with DeliveryClient(GuardPolicy.of(["127.0.0.0/8"]), limits=LIMITS) as client:
        yield Tools(world.db, world.live, world.clock, world.ingest, client, sleep)
