"""The same work for one worker and for several, as processes of their own on one PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Final

from app.store.database import Database
from app.timesource import utc_now
from benchmarks import Figure
from benchmarks._kit import stage
from benchmarks._kit.seed import DOCUMENT, configured, fixed, opened, seed

TARGET: Final = timedelta(hours=4)
"""Of the document."""
LEAD: Final = timedelta(seconds=3)
"""From when the clocks are written until they are due."""
GOAL: Final = 0.95
"""Times one worker: never slower, as far as that can be measured."""


Drain = Callable[[str, int, int], Awaitable[float]]
"""How many a second so many workers get done: (url of an empty database, workers, how many there are)."""


async def scaling(counts: Sequence[int], size: int, rounds: int, drain: Drain) -> list[Figure]:
    """What so many workers get done, one among them."""
    seen: dict[int, list[float]] = {count: [] for count in counts}
    with stage.server() as server:
        for _ in range(rounds):
            for count in counts:
                seen[count].append(await drain(server.url(server.create()), count, size))
    one = median(seen[1])
    return [_figure(count, median(rates), one) for count, rates in seen.items()]


def _figure(count: int, rate: float, one: float) -> Figure:
    if count == 1:
        return Figure("1 worker", rate, "per second")
    return Figure(f"{count} workers", rate, "per second", f">= {GOAL:g} x one", rate / one >= GOAL, one, rate / one)


async def storm(url: str, count: int, due: int) -> float:
    """Breaches per second from the instant at which they are due until the last one is committed; each there, and once."""
    async with _database(url) as db:
        at = utc_now() - TARGET
        live = await configured(db, DOCUMENT, fixed(at))
        async with AsyncExitStack() as stack:
            for _ in range(count):
                await stack.enter_async_context(stage.service(url, DOCUMENT, role="worker"))
            instant = utc_now() + LEAD
            await seed(db, live, fixed(instant - TARGET), due - 1)
            wait = (instant - utc_now()).total_seconds()
            assert wait > 0, "it took too long to write the clocks"
            await asyncio.sleep(wait)
            began = perf_counter()
            while await _breaches(db) < due:  # noqa: ASYNC110  # other processes write them
                await asyncio.sleep(0.02)
            return due / (perf_counter() - began)


async def rejudging(url: str, count: int, size: int) -> float:
    """Tickets judged anew per second, from the first one to the last one, after the document was changed under running workers."""
    async with _database(url) as db:
        live = await configured(db, DOCUMENT, utc_now)
        await seed(db, live, utc_now, size - 1)
        async with AsyncExitStack() as stack:
            for _ in range(count):
                await stack.enter_async_context(stage.service(url, DOCUMENT, role="worker"))
            changed = DOCUMENT.replace("calendar: always", "calendar: office")
            before = live.current.judges_as
            await live.put(changed, author="benchmark", if_match=f'"{live.current.etag}"')
            while await _stale(db, before) == size:  # noqa: ASYNC110  # until the first of them has seen it
                await asyncio.sleep(0.01)
            began, left = perf_counter(), await _stale(db, before)
            todo = left
            while left:
                await asyncio.sleep(0.02)
                left = await _stale(db, before)
            return todo / (perf_counter() - began)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    db = await opened(url)
    try:
        yield db
    finally:
        await db.close()


async def _stale(db: Database, revision: int) -> int:
    async with db.read() as conn:
        return int((await conn.exec_driver_sql(f"SELECT count(*) FROM tickets WHERE revision <= {revision}")).scalar_one())


async def _breaches(db: Database) -> int:
    async with db.read() as conn:
        every, clocks = tuple((await conn.exec_driver_sql("SELECT count(*), count(DISTINCT clock_id) FROM breaches")).one())
    assert every == clocks
    return int(every)
