"""The loops of a process, ticked by APScheduler with its memory store: detect, deliver, housekeeping.

One job per loop, never one per clock: due times are ours, in the database. A loop runs at the next due instant, when it is nudged, and
at the latest every so often (detect and deliver: 250 ms).
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from app.delivery.relay import Relay
from app.errors import Unavailable
from app.services.breaches import fire_due, rejudge_stale
from app.services.configuration import LiveConfig
from app.store.database import Database
from app.timesource import Now

log = logging.getLogger(__name__)

AT_LATEST: Final = timedelta(milliseconds=250)
_REJUDGE: Final = timedelta(seconds=1)
_UPKEEP: Final = timedelta(seconds=2)
_SAFETY: Final = timedelta(seconds=60)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Safety(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires long after the last time. A loop plans its next run itself when a run ends; this is for the day it could not.

    Always later than `now`: APScheduler asks again and again for as long as the answer is not, and it plans the next run when it
    starts one, so an answer that is soon would start runs while one is under way.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        return now + _SAFETY


class Loop:
    """One loop: `work` is called again and again and says when it wants to be called next (None: no wish)."""

    def __init__(self, name: str, work: Callable[[], Awaitable[datetime | None]], now: Now, at_latest: timedelta = AT_LATEST) -> None:
        self.name = name
        self.last_run_at: datetime | None = None
        """When the last run ended well, by this machine; None before the first."""
        self._work = work
        self._now = now
        self._at_latest = at_latest
        self._wanted: datetime | None = None
        self._scheduler: AsyncIOScheduler | None = None
        self._running = asyncio.Lock()

    def join(self, scheduler: AsyncIOScheduler) -> None:
        self._scheduler = scheduler
        # Two instances: one that finds the other running only leaves word, where APScheduler would log a warning.
        scheduler.add_job(
            self._run, _Safety(), id=self.name, next_run_time=self._now(), misfire_grace_time=None, coalesce=True, max_instances=2
        )

    def nudge(self, at: datetime | None = None) -> None:
        """There is something to do at `at`, or right now."""
        wanted = at or _EPOCH
        if self._wanted is None or wanted < self._wanted:
            self._wanted = wanted
        job = self._scheduler.get_job(self.name) if self._scheduler is not None and not self._running.locked() else None
        if job is None:
            return  # a running loop looks at the wish when it is done
        when = max(wanted, self._now())
        if job.next_run_time is not None and when < job.next_run_time:
            job.modify(next_run_time=when)

    async def settle(self) -> None:
        """Wait for the run that is under way."""
        async with self._running:
            return

    async def _run(self) -> None:
        """One run, at the top of the loop: nothing that goes wrong here may stop the next one."""
        if self._running.locked():
            self.nudge()
            return
        async with self._running:
            self._wanted = None
            try:
                wish = await self._work()
                self.last_run_at = self._now()
            except Unavailable as error:
                wish = None
                log.warning(
                    "A loop waits for the database.", extra={"event": "loop.unavailable", "loop": self.name, "detail": error.detail}
                )
            except Exception:
                wish = None
                log.exception("A loop failed.", extra={"event": "loop.failed", "loop": self.name})
        self._plan(wish)

    def _plan(self, wish: datetime | None) -> None:
        """Run again when it is wanted, at the latest after `at_latest`."""
        job = self._scheduler.get_job(self.name) if self._scheduler is not None else None
        if job is not None:
            now = self._now()
            wishes = [at for at in (wish, self._wanted) if at is not None]
            job.modify(next_run_time=max(now, min([now + self._at_latest, *wishes])))


class Loops:
    """The loops of one process: those of a worker (detect, deliver, rejudge) if it is one, and its upkeep always.

    `upkeep` is what every process does now and then: look for a newer revision of the document, write down which keys were used.
    """

    def __init__(
        self, db: Database, live: LiveConfig, relay: Relay, now: Now, upkeep: Callable[[], Awaitable[None]], *, worker: bool = True
    ) -> None:
        self._db = db
        self._live = live
        self._relay = relay
        self._now = now
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self.detect = Loop("detect", self._detect, now)
        self.deliver = Loop("deliver", self._deliver, now)
        self.rejudge = Loop("rejudge", self._rejudge, now, _REJUDGE)
        self._upkeep = upkeep
        self.upkeep = Loop("upkeep", self._keep_up, now, _UPKEEP)
        relay.on_room = self.deliver.nudge
        self._loops = (self.detect, self.deliver, self.rejudge, self.upkeep) if worker else (self.upkeep,)

    async def start(self) -> None:
        if self.deliver in self._loops:
            await self._relay.reclaim()
        for loop in self._loops:
            loop.join(self._scheduler)
        self._scheduler.start()

    async def stop(self) -> None:
        """Let what is under way finish; requests on their way are awaited."""
        self._scheduler.pause()
        for loop in self._loops:
            await loop.settle()
        self._scheduler.shutdown(wait=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await self._relay.drain()

    def committed(self, next_check_at: datetime | None, deliveries: int) -> None:
        """Ingest has committed: look again when the nearest of its clocks is due, and send what it enqueued."""
        if next_check_at is not None:
            self.detect.nudge(next_check_at)
        if deliveries:
            self.deliver.nudge()

    def lag_seconds(self) -> float | None:
        """Seconds since the detection loop last ended well; None before its first run."""
        at = self.detect.last_run_at
        return None if at is None else (self._now() - at).total_seconds()

    async def _detect(self) -> datetime | None:
        """Until none is due; the loop yields between batches."""
        while True:
            done = await fire_due(self._db, self._live, self._now)
            if done.deliveries:
                self.deliver.nudge()
            if not done.more:
                return done.next_check_at if done.tickets or done.next_check_at is None or done.next_check_at > self._now() else None

    async def _deliver(self) -> datetime | None:
        return await self._relay.run_once()

    async def _rejudge(self) -> datetime | None:
        """After a change of the document: all tickets, batch by batch."""
        judged = await rejudge_stale(self._db, self._live, self._now)
        return self._now() if judged else None

    async def _keep_up(self) -> datetime | None:
        await self._upkeep()
        return None
