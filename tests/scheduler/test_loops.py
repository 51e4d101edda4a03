"""The loops: at the due instant, at a nudge, at the latest every so often, and nothing that goes wrong stops them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.errors import Unavailable
from app.scheduler import Loop
from app.timesource import utc_now

Work = Callable[[], Awaitable[datetime | None]]
SELDOM = timedelta(seconds=30)


@asynccontextmanager
async def running(work: Work, at_latest: timedelta = SELDOM) -> AsyncIterator[Loop]:
    scheduler = AsyncIOScheduler(timezone=UTC)
    loop = Loop("test", work, utc_now, at_latest)
    loop.join(scheduler)
    scheduler.start()
    yield loop
    scheduler.pause()
    await loop.settle()
    scheduler.shutdown(wait=False)


class Runs:
    """Counts runs and lets a test wait for the next one."""

    def __init__(self, *wishes: datetime | Exception | None) -> None:
        self.at: list[float] = []
        self._wishes = list(wishes)
        self._ran = asyncio.Condition()

    async def __call__(self) -> datetime | None:
        async with self._ran:
            self.at.append(time.monotonic())
            self._ran.notify_all()
        wish = self._wishes.pop(0) if self._wishes else None
        if isinstance(wish, Exception):
            raise wish
        return wish

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(5), self._ran:
            await self._ran.wait_for(lambda: len(self.at) >= count)


async def test_a_loop_runs_at_once_and_again_at_the_instant_it_wished_for() -> None:
    runs = Runs(utc_now() + timedelta(milliseconds=300))
    async with running(runs):
        await runs.reach(2)

    assert 0.2 < runs.at[1] - runs.at[0] < 3


async def test_a_wish_in_the_past_means_now() -> None:
    runs = Runs(utc_now() - timedelta(days=1), utc_now() - timedelta(days=1))
    async with running(runs):
        await runs.reach(3)

    assert 3 == len(runs.at)


async def test_a_nudge_wakes_a_sleeping_loop() -> None:
    runs = Runs()
    async with running(runs) as loop:
        await runs.reach(1)
        await loop.settle()
        await asyncio.sleep(0.05)
        loop.nudge()
        await runs.reach(2)

    assert 2 == len(runs.at)


async def test_a_nudge_for_later_waits_until_then() -> None:
    runs = Runs()
    async with running(runs) as loop:
        await runs.reach(1)
        await loop.settle()
        loop.nudge(utc_now() + timedelta(milliseconds=300))
        await asyncio.sleep(0.05)
        assert 1 == len(runs.at)
        await runs.reach(2)

    assert runs.at[1] - runs.at[0] > 0.2


async def test_a_nudge_while_it_runs_is_not_lost() -> None:
    started, release, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    count = 0

    async def slow() -> datetime | None:
        nonlocal count
        count += 1
        (again if count == 2 else started).set()
        await release.wait()
        return None

    async with running(slow) as loop:
        await started.wait()
        loop.nudge()
        release.set()
        async with asyncio.timeout(5):
            await again.wait()

    assert 2 == count


async def test_without_any_wish_it_runs_at_the_latest_every_so_often() -> None:
    runs = Runs()
    async with running(runs, timedelta(milliseconds=50)):
        await runs.reach(4)

    assert len(runs.at) >= 4


async def test_what_goes_wrong_does_not_stop_it() -> None:
    runs = Runs(ValueError("a fault"), Unavailable("the database is gone"))
    async with running(runs, timedelta(milliseconds=20)) as loop:
        await runs.reach(3)
        await loop.settle()

    assert loop.last_run_at is not None
