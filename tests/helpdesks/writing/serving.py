"""A fake API on loopback, for tests that go through the real client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from app.exchange import HttpRequest
from tests.helpdesks.writing.api import Api


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[str]:
    """The address at which the fake answers, for the length of the block."""

    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        made = api.answer(HttpRequest(request.method, str(request.url), headers, await request.read()))
        return web.Response(status=made.status, headers=dict(made.headers), body=made.body)

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
