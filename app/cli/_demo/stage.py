"""Running the demo: the service, the helpdesk and the receiver, from start to the closing of the books."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp
import orjson

from app import signing
from app.cli._demo import ledger
from app.cli._demo.display import Display
from app.cli._demo.helpdesk import Orders, Post
from app.cli._demo.ledger import Books, Service
from app.cli._demo.receiver import Callback, Receiver
from app.cli._demo.scenario import DOCUMENT, write
from app.cli._demo.service import Api, Child, DemoFailed, address, tail
from app.cli._demo.zendesk import deliveries
from app.timesource import utc_now

LEAD: Final = timedelta(seconds=1)
"""Between ordering the helpdesk and its first webhook."""
LOOK: Final = 0.5
GRACE: Final = 12.0
"""Seconds after the end of the story in which everything must have been delivered."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended. `problems` is empty when the demo succeeded."""

    books: Books
    problems: list[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Secrets:
    zendesk: str
    upstream: str
    key: str


async def run(display: Display, environ: Mapping[str, str], *, seed: int, seconds: float) -> Ending:
    """Play the story of `seconds` and close the books. Leaves neither files nor processes behind, however it ends."""
    began = time.monotonic()
    story = write(seed, seconds)
    books = Books(story, planned=len(deliveries(story, utc_now())))
    try:
        found = await _play(books, display, environ)
    except DemoFailed as error:
        found = [error.detail]
    return Ending(books, found, time.monotonic() - began)


async def _play(books: Books, display: Display, environ: Mapping[str, str]) -> list[str]:
    """Start everything, watch, stop everything; what is wrong in the end. DemoFailed."""
    keys = _Secrets(secrets.token_urlsafe(32), signing.new_secret(), f"slaw_a_{secrets.token_urlsafe(32)}")
    story = books.story
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slawatch-demo-")))
        stack.callback(display.end)
        receiver = Receiver(keys.upstream, _noting(books, display))
        stack.push_async_callback(receiver.stop)
        config = folder / "slawatch.yaml"
        config.write_text(DOCUMENT.format(receiver=await receiver.start()), encoding="utf-8")
        url = await _service(stack, folder, config, _environment(environ, keys))
        display.begin(url, keys.key)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)))
        helpdesk = await _helpdesk(
            stack, folder, Orders(f"{url}/v1/sources/zendesk/webhook", keys.zendesk, story.seed, story.seconds, _start())
        )
        found = await _watch(books, display, Api(session, url, keys.key), helpdesk)
        if found and helpdesk.process.returncode:
            found.append(f"the helpdesk ended early: {tail(folder / 'helpdesk.log')}")
    return found


def _environment(environ: Mapping[str, str], keys: _Secrets) -> dict[str, str]:
    """The caller's environment without settings of another service of ours, with the demo's secrets."""
    kept = {name: value for name, value in environ.items() if not name.startswith("SLAWATCH_")}
    return kept | {"DEMO_ZENDESK_SECRET": keys.zendesk, "DEMO_UPSTREAM_SECRET": keys.upstream, "SLAWATCH_ADMIN_KEY": keys.key}


def _start() -> str:
    return (utc_now() + LEAD).isoformat()


def _noting(books: Books, display: Display) -> Callable[[Callback], None]:
    def note(callback: Callback) -> None:
        books.callbacks.append(callback)
        display.heard(callback)

    return note


async def _service(stack: AsyncExitStack, folder: Path, config: Path, environ: Mapping[str, str]) -> str:
    """Start the service; returns its URL."""
    log = folder / "service.log"
    arguments = ["-m", "app.cli", "serve", "--port", "0", "--config", str(config), "--database-url", f"sqlite:///{folder / 'demo.db'}"]
    service = await Child.start(arguments, environ, log)
    stack.push_async_callback(service.stop)
    return await address(service, log)


async def _helpdesk(stack: AsyncExitStack, folder: Path, orders: Orders) -> Child:
    """Start the helpdesk and give it its orders."""
    helpdesk = await Child.start(["-m", "app.cli._demo.helpdesk"], {}, folder / "helpdesk.log")
    stack.push_async_callback(helpdesk.stop)
    assert helpdesk.process.stdin is not None
    helpdesk.process.stdin.write(orjson.dumps(asdict(orders)) + b"\n")
    await helpdesk.process.stdin.drain()
    return helpdesk


async def _watch(books: Books, display: Display, api: Api, helpdesk: Child) -> list[str]:
    """Show what happens until the books agree; returns what is wrong with them when time is up."""
    ends = time.monotonic() + LEAD.total_seconds() + books.story.seconds
    reading = asyncio.create_task(_read_posts(books, display, helpdesk))
    try:
        while True:
            rows = [await api.rows(resource) for resource in ("breaches", "clocks", "deliveries", "escalations")]
            books.service = Service(*rows)
            await _take_care(books, api)
            display.update(books, utc_now())
            over = time.monotonic() >= ends
            found = ledger.problems(books) if over and (reading.done() or time.monotonic() > ends + GRACE) else ["the story goes on"]
            if not found or time.monotonic() > ends + GRACE:
                return found
            await asyncio.sleep(LOOK)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise DemoFailed(f"The service does not answer any more: {str(error) or type(error).__name__}") from error
    finally:
        reading.cancel()


async def _take_care(books: Books, api: Api) -> None:
    """Play the person who acknowledges the first escalation that has climbed a rung and is going to be answered."""
    if books.count("escalation.acknowledged"):
        return
    broken = books.story.broken()
    for callback in books.callbacks:
        if callback.refused is None and callback.type == "escalation.step":
            about = (callback.data["ticket"]["external_id"], callback.data["clock"]["metric"])
            path = f"escalations/{callback.data['escalation']['id']}:acknowledge"
            if broken.get(about) == "answered" and await api.post(path, {"by": "Kim", "note": "I take care of it."}) == 200:
                return


async def _read_posts(books: Books, display: Display, helpdesk: Child) -> None:
    assert helpdesk.process.stdout is not None
    async for line in helpdesk.process.stdout:
        post = Post(**orjson.loads(line))
        books.posts.append(post)
        display.sent(post, utc_now())
    await helpdesk.process.wait()
