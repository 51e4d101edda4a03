"""The same storm for one worker and for several, as processes of their own on one PostgreSQL."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
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


async def scaling(counts: Sequence[int], due: int, rounds: int) -> list[Figure]:
    """Breaches committed per second by so many workers, one among them."""
    seen: dict[int, list[float]] = {count: [] for count in counts}
    with stage.server() as server:
        for _ in range(rounds):
            for count in counts:
                seen[count].append(await _drained(server.url(server.create()), count, due))
    one = median(seen[1])
    return [_figure(count, median(rates), one) for count, rates in seen.items()]


def _figure(count: int, rate: float, one: float) -> Figure:
    if count == 1:
        return Figure("1 worker", rate, "per second")
    return Figure(f"{count} workers", rate, "per second", f">= {GOAL:g} x one", rate / one >= GOAL, one, rate / one)


async def _drained(url: str, count: int, due: int) -> float:
    """Breaches per second from the instant at which they are due until the last one is committed; each there, and once."""
    db = await opened(url)
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
        seconds = perf_counter() - began
    await db.close()
    return due / seconds


async def _breaches(db: Database) -> int:
    async with db.read() as conn:
        every, clocks = tuple((await conn.exec_driver_sql("SELECT count(*), count(DISTINCT clock_id) FROM breaches")).one())
    assert every == clocks
    return int(every)
