"""The loops: at the due instant, at a nudge, at the latest every so often, and nothing that goes wrong stops them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.errors import Unavailable
from app.scheduler import Loop, watch
from app.timesource import Now, utc_now

Work = Callable[[], Awaitable[datetime | None]]
SELDOM = timedelta(seconds=30)


@asynccontextmanager
async def running(work: Work, at_latest: timedelta = SELDOM, now: Now = utc_now) -> AsyncIterator[Loop]:
    scheduler = AsyncIOScheduler(timezone=UTC)
    loop = Loop("test", work, now, at_latest)
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


@pytest.mark.parametrize("off", [timedelta(minutes=10), -timedelta(minutes=10)], ids=["ahead", "behind"])
async def test_a_loop_whose_clock_is_not_the_machines_waits_as_long_all_the_same(off: timedelta) -> None:
    def now() -> datetime:
        return utc_now() + off

    runs = Runs(now() + timedelta(milliseconds=300))
    async with running(runs, now=now) as loop:
        await runs.reach(2)
        await loop.settle()
        await asyncio.sleep(0.05)
        before = len(runs.at)
        loop.nudge(now() + timedelta(milliseconds=200))
        await runs.reach(3)

    assert 0.2 < runs.at[1] - runs.at[0] < 3
    assert before == 2, "it rested"
    assert 0.1 < runs.at[2] - runs.at[1] < 3


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


class Machine:
    """A machine's clock that can be set."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


async def test_a_machine_whose_clock_is_set_back_an_hour_does_not_wait_for_an_hour() -> None:
    runs, machine = Runs(), Machine()
    scheduler = AsyncIOScheduler(timezone=UTC)
    loop = Loop("test", runs, utc_now, timedelta(milliseconds=50), machine=machine)
    loop.join(scheduler)
    scheduler.start()
    await runs.reach(1)
    machine.ahead = timedelta(hours=1)  # what is planned from here on is planned by the old time
    await runs.reach(2)
    await loop.settle()
    await asyncio.sleep(0.15)
    watching = asyncio.create_task(watch([loop], 0.02))
    await asyncio.sleep(0.05)
    stalled = len(runs.at)
    machine.ahead = timedelta(0)  # the clock is set back
    await runs.reach(stalled + 3)
    watching.cancel()
    scheduler.pause()
    await loop.settle()
    scheduler.shutdown(wait=False)

    assert stalled <= 3


async def test_a_loop_that_is_planned_as_it_should_be_is_left_alone() -> None:
    runs = Runs()
    async with running(runs) as loop:
        await runs.reach(1)
        await loop.settle()
        loop.look_after()
        loop.look_after()
        await asyncio.sleep(0.05)

    assert 1 == len(runs.at)


async def test_a_run_that_has_been_started_but_not_begun_is_no_clock_set_back(caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs()
    async with running(runs) as loop:
        await runs.reach(1)
        await loop.settle()
        loop.look_after()
        assert loop._scheduler is not None
        loop._scheduler.get_job(loop.name).modify(next_run_time=utc_now() + timedelta(seconds=60))  # as APScheduler does when it starts one
        loop.look_after()
        await asyncio.sleep(0.05)

    assert (1, []) == (len(runs.at), caplog.records)


async def test_how_long_ago_it_ran_is_known_whatever_the_clock_says() -> None:
    runs = Runs()
    async with running(runs) as loop:
        assert loop.since_run() is None
        await runs.reach(1)
        await loop.settle()
        since = loop.since_run()

    assert since is not None
    assert 0 <= since < 5
