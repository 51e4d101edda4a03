"""The simulated helpdesk, a process of its own: `python -m app.cli._demo.helpdesk` posts a story's webhooks over HTTP when they are due.

Its orders come as one line of JSON on standard input (`Orders`), so that the secret is in no list of processes; when that input ends,
whoever ordered is gone and so is the helpdesk. On standard output it writes one line of JSON per webhook (`Post`).
"""

import asyncio
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import aiohttp
import orjson

from app.cli._demo.scenario import write
from app.cli._demo.zendesk import Delivery, deliveries, signed_headers
from app.timesource import utc_now

TIMEOUT = aiohttp.ClientTimeout(total=10)
"""Zendesk waits about that long for an answer."""
ATTEMPTS = 5
PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Orders:
    """What to tell whom. `start` is an RFC 3339 instant: the zero of the story's seconds."""

    url: str
    secret: str
    seed: int
    seconds: float
    start: str


@dataclass(frozen=True, slots=True)
class Post:
    """What became of one webhook. `status` 0: no answer. `outcome` is the service's own word for it. `attempts` > 1: it was retried."""

    ticket: str
    type: str
    repeat: bool
    status: int
    outcome: str
    attempts: int


async def tell(orders: Orders) -> None:
    """Post every webhook at its time; returns when the last one is answered."""
    start = datetime.fromisoformat(orders.start)
    plan = deliveries(write(orders.seed, orders.seconds), start)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, asyncio.TaskGroup() as posting:
        for delivery in plan:
            wait = start + timedelta(seconds=delivery.due) - utc_now()
            await asyncio.sleep(max(0.0, wait.total_seconds()))
            posting.create_task(_deliver(session, orders, delivery))


async def _deliver(session: aiohttp.ClientSession, orders: Orders, delivery: Delivery) -> None:
    status, outcome, attempt = 0, "", 0
    for attempt in range(1, ATTEMPTS + 1):
        status, outcome = await _attempt(session, orders, delivery)
        if status not in (0, 429, 503):
            break
        await asyncio.sleep(PAUSE * attempt)
    post = Post(delivery.ticket, delivery.type, delivery.repeat, status, outcome, attempt)
    sys.stdout.write(orjson.dumps(asdict(post)).decode() + "\n")
    sys.stdout.flush()


async def _attempt(session: aiohttp.ClientSession, orders: Orders, delivery: Delivery) -> tuple[int, str]:
    headers = signed_headers(orders.secret, delivery.body, utc_now())
    try:
        async with session.post(orders.url, data=delivery.body, headers=headers) as response:
            answer = await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        return 0, str(error) or type(error).__name__
    try:
        told = orjson.loads(answer)
        return response.status, str(told.get("outcome") or told.get("detail") or "")
    except (orjson.JSONDecodeError, AttributeError):
        return response.status, ""


async def _run() -> int:
    orders_in = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders_in), sys.stdin)
    telling = asyncio.create_task(tell(Orders(**orjson.loads(await orders_in.readline()))))
    deserted = asyncio.create_task(orders_in.read())
    await asyncio.wait((telling, deserted), return_when=asyncio.FIRST_COMPLETED)
    if not telling.done():
        return 1
    telling.result()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_run()))
