"""Our webhooks at receivers that other people wrote, over real sockets: `standardwebhooks` for Node and for Python, `svix` for Python."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp.web
import pytest
import standardwebhooks
import svix.webhooks

from app.channels.webhook import Config, render
from app.delivery.client import DeliveryClient
from app.exchange import HttpRequest
from app.guard import GuardPolicy
from app.signing import new_secret
from app.timesource import utc_now
from tests.channels.notices import notice

NODE = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
RECEIVER = Path(__file__).parents[1] / "receivers" / "receive.mjs"
KEY, OLDER = new_secret(), new_secret()


async def send(url: str, *secrets: str) -> int:
    """The status with which a breach is answered that we sign with these keys."""
    config = Config.model_validate({"url": url, "secrets": list(secrets), "allow_http": True})
    request = render(notice(), config, utc_now())
    assert isinstance(request, HttpRequest)
    async with DeliveryClient(GuardPolicy((ip_network("127.0.0.0/8"),))) as client:
        exchange = await client.send(request, allow_http=True)
    assert exchange.response is not None, exchange.detail
    return exchange.response.status


@contextmanager
def node(secret: str) -> Iterator[tuple[Callable[[], str], str]]:
    """The receiver for Node: its next line, and its address."""
    assert NODE is not None
    with subprocess.Popen([NODE, str(RECEIVER), secret], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline
        yield (lambda: line().strip()), f"http://127.0.0.1:{int(line())}/hooks"
        process.kill()


async def test_the_package_for_node_verifies_what_we_send() -> None:
    with node(KEY) as (said, url):
        answers = [await send(url, KEY), await send(url, OLDER), await send(url, OLDER, KEY)]
        lines = [said() for _ in answers]

    assert answers == [204, 401, 204]
    assert lines == ["sla.breached", "refused: No matching signature found", "sla.breached"]


def _standard(body: bytes, headers: dict[str, str]) -> Any:
    return standardwebhooks.Webhook(KEY).verify(body, headers)


def _svix(body: bytes, headers: dict[str, str]) -> Any:
    return svix.webhooks.Webhook(KEY).verify(body, headers)


@pytest.mark.parametrize("verify", [_standard, _svix])
async def test_the_packages_for_python_verify_what_we_send(verify: Callable[[bytes, dict[str, str]], Any]) -> None:
    async def receive(request: aiohttp.web.Request) -> aiohttp.web.Response:
        body = await request.read()
        try:
            verify(body, {name.lower(): value for name, value in request.headers.items()})
        except Exception:  # noqa: BLE001  each package has an error of its own
            return aiohttp.web.Response(status=401)
        return aiohttp.web.Response(status=204)

    app = aiohttp.web.Application()
    app.router.add_post("/hooks", receive)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    answers = [await send(url, KEY), await send(url, OLDER), await send(url, OLDER, KEY)]
    await runner.cleanup()

    assert answers == [204, 401, 204]
