"""The loops of a process, ticked by APScheduler with its memory store: detect, escalate, deliver, housekeeping.

One job per loop, never one per clock: due times are ours, in the database. A loop runs at the next due instant, when it is nudged, and
at the latest every so often (detect, escalate and deliver: 250 ms). Should the machine's clock be set back, a watch that goes by a clock
which only goes forward (the event loop's) sees to it that no loop waits until the old time comes again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from app.delivery.relay import Relay
from app.errors import Unavailable
from app.services.breaches import Floor, fire_due, rejudge_stale
from app.services.configuration import LiveConfig
from app.services.escalations import fire_steps
from app.store.database import Database
from app.timesource import Now, utc_now

log = logging.getLogger(__name__)

AT_LATEST: Final = timedelta(milliseconds=250)
_REJUDGE: Final = timedelta(seconds=1)
_UPKEEP: Final = timedelta(seconds=2)
_SAFETY: Final = timedelta(seconds=60)
_WATCH: Final = 1.0  # seconds
_SLACK: Final = timedelta(seconds=1)
"""How much less the machine's clock has to show than it ought to before it is taken for set back."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Safety(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires long after the last time. A loop plans its next run itself when a run ends; this is for the day it could not.

    Always later than `now`: APScheduler asks again and again for as long as the answer is not, and it plans the next run when it
    starts one, so an answer that is soon would start runs while one is under way.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002
        return now + _SAFETY


class Loop:
    """One loop: `work` is called again and again and says when it wants to be called next (None: no wish).

    Instants are by `now`; APScheduler goes by this machine's clock (`machine`), which may be another: it is told how long to wait.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[datetime | None]],
        now: Now,
        at_latest: timedelta = AT_LATEST,
        *,
        machine: Now = utc_now,
    ) -> None:
        self.name = name
        self.last_run_at: datetime | None = None
        """When the last run ended well, by this machine; None before the first."""
        self._work = work
        self._now = now
        self._machine = machine
        self._ended: float | None = None
        self._began: datetime | None = None
        """When the clock that only goes forward began, as the machine's clock had it at the last look."""
        self._at_latest = at_latest
        self._wanted: datetime | None = None
        self._scheduler: AsyncIOScheduler | None = None
        self._running = asyncio.Lock()

    def join(self, scheduler: AsyncIOScheduler) -> None:
        self._scheduler = scheduler
        # Two instances: one that finds the other running only leaves word, where APScheduler would log a warning.
        scheduler.add_job(
            self._run, _Safety(), id=self.name, next_run_time=self._machine(), misfire_grace_time=None, coalesce=True, max_instances=2
        )

    def nudge(self, at: datetime | None = None) -> None:
        """There is something to do at `at`, or right now."""
        wanted = at or _EPOCH
        if self._wanted is None or wanted < self._wanted:
            self._wanted = wanted
        job = self._scheduler.get_job(self.name) if self._scheduler is not None and not self._running.locked() else None
        if job is None:
            return  # a running loop looks at the wish when it is done
        when = self._by_machine(wanted)
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
                self._ended = monotonic()
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
            wishes = [at for at in (wish, self._wanted) if at is not None]
            job.modify(next_run_time=self._by_machine(min([self._now() + self._at_latest, *wishes])))

    def _by_machine(self, at: datetime) -> datetime:
        """The same instant by the machine's clock; no earlier than its present."""
        return self._machine() + max(timedelta(0), at - self._now())

    def since_run(self) -> float | None:
        """Seconds since the last run ended well, whatever became of the machine's clock; None before the first."""
        return None if self._ended is None else monotonic() - self._ended

    def look_after(self) -> None:
        """Run now if the machine's clock was set back since the last look: the next run is planned by the old time."""
        began, self._began = self._began, self._machine() - timedelta(seconds=monotonic())
        job = self._scheduler.get_job(self.name) if self._scheduler is not None and not self._running.locked() else None
        if began is None or began - self._began <= _SLACK or job is None:
            return
        log.warning("The machine's clock was set back.", extra={"event": "loop.clock_set_back", "loop": self.name})
        job.modify(next_run_time=self._machine())


async def watch(loops: Iterable[Loop], every: float = _WATCH) -> None:
    """Look after loops every so many seconds of monotonic time, until cancelled."""
    while True:
        await asyncio.sleep(every)
        for loop in loops:
            loop.look_after()


class Loops:
    """The loops of one process: those of a worker (detect, escalate, deliver, rejudge) if it is one, and its upkeep always.

    `upkeep` is what every process does now and then: look for a newer revision of the document, write down which keys were used.
    """

    def __init__(
        self, db: Database, live: LiveConfig, relay: Relay, now: Now, upkeep: Callable[[], Awaitable[None]], *, worker: bool = True
    ) -> None:
        self._db = db
        self._live = live
        self._relay = relay
        self._now = now
        self._floor = Floor()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self.detect = Loop("detect", self._detect, now)
        self.escalate = Loop("escalate", self._escalate, now)
        self.deliver = Loop("deliver", self._deliver, now)
        self.rejudge = Loop("rejudge", self._rejudge, now, _REJUDGE)
        self._upkeep = upkeep
        self.upkeep = Loop("upkeep", self._keep_up, now, _UPKEEP)
        self._watch: asyncio.Task[None] | None = None
        relay.on_room = self.deliver.nudge
        self._loops = (self.detect, self.escalate, self.deliver, self.rejudge, self.upkeep) if worker else (self.upkeep,)

    async def start(self) -> None:
        if self.deliver in self._loops:
            await self._relay.reclaim()
        for loop in self._loops:
            loop.join(self._scheduler)
        self._scheduler.start()
        self._watch = asyncio.create_task(watch(self._loops), name="watch the loops")

    async def stop(self) -> None:
        """Let what is under way finish; requests on their way are awaited."""
        if self._watch is not None:
            self._watch.cancel()
        self._scheduler.pause()
        for loop in self._loops:
            await loop.settle()
        self._scheduler.shutdown(wait=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await self._relay.stop()

    def committed(self, next_check_at: datetime | None, deliveries: int) -> None:
        """Ingest has committed: look again when the nearest of its clocks is due, and send what it enqueued."""
        if next_check_at is not None:
            self.detect.nudge(next_check_at)
        if deliveries:
            self.deliver.nudge()

    def lag_seconds(self) -> float | None:
        """Seconds since the detection loop last ended well; None before its first run."""
        return self.detect.since_run()

    async def _detect(self) -> datetime | None:
        """Until none is due; the loop yields between batches."""
        while True:
            done = await fire_due(self._db, self._live, self._now, floor=self._floor, express=self._relay.express)
            if done.deliveries > done.handed:
                self.deliver.nudge()
            if done.next_step_at is not None:
                self.escalate.nudge(done.next_step_at)
            if not done.more:
                return done.next_check_at if done.tickets or done.next_check_at is None or done.next_check_at > self._now() else None

    async def _escalate(self) -> datetime | None:
        """Until no rung is due; the loop yields between batches."""
        while True:
            done = await fire_steps(self._db, self._live, self._now, express=self._relay.express)
            if done.deliveries > done.handed:
                self.deliver.nudge()
            if not done.more:
                return done.next_step_at if done.next_step_at is None or done.next_step_at > self._now() else None

    async def _deliver(self) -> datetime | None:
        return await self._relay.run_once()

    async def _rejudge(self) -> datetime | None:
        """After a change of the document: all tickets, batch by batch."""
        judged = await rejudge_stale(self._db, self._live, self._now)
        return self._now() if judged else None

    async def _keep_up(self) -> datetime | None:
        await self._upkeep()
        return None
