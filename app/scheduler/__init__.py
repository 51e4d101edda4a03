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
_REFRESH: Final = timedelta(seconds=2)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Wake(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at a wanted instant, at the latest so long after the last time."""

    def __init__(self, at_latest: timedelta) -> None:
        self.wanted: datetime | None = None
        self._at_latest = at_latest

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        latest = now + self._at_latest
        return latest if self.wanted is None else max(now, min(self.wanted, latest))


class Loop:
    """One loop: `work` is called again and again and says when it wants to be called next (None: no wish)."""

    def __init__(self, name: str, work: Callable[[], Awaitable[datetime | None]], now: Now, at_latest: timedelta = AT_LATEST) -> None:
        self.name = name
        self.last_run_at: datetime | None = None
        """When the last run ended well, by this machine; None before the first."""
        self._work = work
        self._now = now
        self._wake = _Wake(at_latest)
        self._scheduler: AsyncIOScheduler | None = None
        self._running = asyncio.Lock()

    def join(self, scheduler: AsyncIOScheduler) -> None:
        self._scheduler = scheduler
        scheduler.add_job(
            self._run, self._wake, id=self.name, next_run_time=self._now(), misfire_grace_time=None, coalesce=True, max_instances=1
        )

    def nudge(self, at: datetime | None = None) -> None:
        """There is something to do at `at`, or right now."""
        wanted = at or _EPOCH
        if self._wake.wanted is None or wanted < self._wake.wanted:
            self._wake.wanted = wanted
        if self._scheduler is None or self._running.locked():
            return  # a running loop looks at the wish when it is done
        job = self._scheduler.get_job(self.name)
        when = max(wanted, self._now())
        if job is not None and job.next_run_time is not None and when < job.next_run_time:
            self._scheduler.modify_job(self.name, next_run_time=when)

    async def settle(self) -> None:
        """Wait for the run that is under way."""
        async with self._running:
            return

    async def _run(self) -> None:
        """One run, at the top of the loop: nothing that goes wrong here may stop the next one."""
        async with self._running:
            self._wake.wanted = None
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
        if wish is not None or self._wake.wanted is not None:
            self.nudge(min(at for at in (wish, self._wake.wanted) if at is not None))


class Loops:
    """The loops of one process: those of a worker (detect, deliver, rejudge) if it is one, and the refresh of the document always."""

    def __init__(self, db: Database, live: LiveConfig, relay: Relay, now: Now, *, worker: bool = True) -> None:
        self._db = db
        self._live = live
        self._relay = relay
        self._now = now
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self.detect = Loop("detect", self._detect, now)
        self.deliver = Loop("deliver", self._deliver, now)
        self.rejudge = Loop("rejudge", self._rejudge, now, _REJUDGE)
        self.refresh = Loop("refresh", self._refresh, now, _REFRESH)
        relay.on_room = self.deliver.nudge
        self._loops = (self.detect, self.deliver, self.rejudge, self.refresh) if worker else (self.refresh,)

    async def start(self) -> None:
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

    async def _refresh(self) -> datetime | None:
        """Another replica may have stored a newer revision."""
        await self._live.refresh()
        return None
