"""Ingest at a steady rate while something else works in the same process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter
from typing import Final

from app.exchange import HttpRequest
from app.rules.events import Actor, ActorKind, EventKind, Message, TicketEvent
from app.services.configuration import LiveConfig
from app.services.ingest import Arrival, Ingest
from app.store.database import Database
from app.timesource import Now

RATE: Final = 500.0
"""Messages a second, each about a new ticket."""
CALM: Final = 3.0
"""Seconds of it alone, before."""
_NUMBERS: Final = count()


async def calm(db: Database, live: LiveConfig, now: Now) -> float:
    """Milliseconds until a message was durable and judged, p99, with nothing else going on."""
    async with meanwhile(db, live, now) as waited:
        await asyncio.sleep(CALM)
    return p99(waited)


@asynccontextmanager
async def meanwhile(db: Database, live: LiveConfig, now: Now) -> AsyncIterator[list[float]]:
    """While inside, messages come. Filled with what each has waited, in milliseconds, by the time one has left."""
    ingest = Ingest(db, live, now)
    await ingest.start()
    waited: list[float] = []
    sent: list[asyncio.Task[None]] = []
    pace = asyncio.create_task(_send(ingest, now, waited, sent))
    try:
        yield waited
    finally:
        pace.cancel()
        await asyncio.gather(pace, *sent, return_exceptions=True)
        await ingest.stop()


def p99(waited: list[float]) -> float:
    """The 99th percentile."""
    return sorted(waited)[int(len(waited) * 0.99)]


async def _send(ingest: Ingest, now: Now, waited: list[float], sent: list[asyncio.Task[None]]) -> None:
    """At its time whatever happens: who comes late to its turn has waited since then."""
    began = perf_counter()
    for number in count():
        planned = began + number / RATE
        await asyncio.sleep(max(0.0, planned - perf_counter()))
        sent.append(asyncio.create_task(_one(ingest, now, planned, waited)))


async def _one(ingest: Ingest, now: Now, planned: float, waited: list[float]) -> None:
    await ingest.submit(message(now))
    waited.append((perf_counter() - planned) * 1000)


def message(now: Now) -> Arrival:
    """About a new ticket."""
    event = TicketEvent(
        "steady", str(next(_NUMBERS)), "created", now(), EventKind.TICKET_CREATED, {"status": "open", "priority": "high", "subject": "A"},
        message=Message(ActorKind.CUSTOMER, public=True, id="m1"), actor=Actor(ActorKind.CUSTOMER, "zoe"),
    )  # fmt: skip
    return Arrival("steady", "events", HttpRequest("POST", "/v1/events", {}), now(), (event,))
