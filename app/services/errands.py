"""What is fetched from helpdesks beside their webhooks: what these missed (`reconcile`), and what they leave out (`enrich`).

Each errand of each source is one row that one process holds at a time, by a lease. Errands run beside everything else, never in a
request's way: ingest does not know of them, and what they find enters by the same ingest.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app.errors import Unavailable
from app.helpdesks import SourceConfig, fetching
from app.helpdesks.fetching import ApiConfig, CannotFetch, Enrichment, Reconciliation
from app.schemas.events_out import rfc3339
from app.services.fetching import LEASE, Caller, Later, Lost, Reading, Tools
from app.store import sources
from app.store.sources import Job

log = logging.getLogger(__name__)

PATIENCE: Final = 60.0
"""Seconds an errand waits for its budget or a busy API before it lets go until later."""
LOOKED_AT: Final = 200
"""Messages of the inbox that are looked at for tickets that lack something, at a time."""
ENRICH_EVERY: Final = timedelta(seconds=10)
_REMEMBERED: Final = 10_000

Errand = Callable[[Reading, SourceConfig, ApiConfig], Awaitable[datetime | None]]
"""Does it; not before when it is to be done again (None: at once)."""


class Errands:
    """The errands of one process. `start` sends it on those whose time has come; `stop` calls it back."""

    def __init__(self, tools: Tools) -> None:
        self.tools = self._tools = tools
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._next: dict[tuple[str, str], datetime] = {}
        self._kept: dict[str, dict[str, str]] = {}
        self._asked: dict[tuple[str, str], datetime] = {}

    def start(self) -> None:
        """Begin what is due and is not under way here. Returns at once."""
        at = self._tools.now()
        for name, source in self._tools.live.current.loaded.sources.items():
            for job, errand, every in self._wanted(source):
                place = (name, job)
                if place not in self._running and self._next.get(place, at) <= at:
                    self._next[place] = at + min(every, timedelta(seconds=30))
                    task = asyncio.create_task(self._attempt(source, job, errand), name=f"{job} {name}")
                    self._running[place] = task
                    task.add_done_callback(partial(self._ended, place))

    async def settle(self) -> None:
        """Wait for all that is under way."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Call off what is under way; each is let go of, so that another process may go on at once."""
        for task in self._running.values():
            task.cancel()
        await self.settle()

    def _ended(self, place: tuple[str, str], _: asyncio.Task[None]) -> None:
        self._running.pop(place, None)

    def _wanted(self, source: SourceConfig) -> list[tuple[str, Errand, timedelta]]:
        reconciliation, enrichment = getattr(source, "reconcile", None), getattr(source, "enrich", None)
        wanted: list[tuple[str, Errand, timedelta]] = []
        if isinstance(reconciliation, Reconciliation):
            wanted.append(("reconcile", self._reconcile, reconciliation.every))
        if isinstance(enrichment, Enrichment):
            wanted.append(("enrich", self._enrich, ENRICH_EVERY))
        return wanted

    async def _attempt(self, source: SourceConfig, name: str, errand: Errand) -> None:
        """One errand, at the top of its task: whatever goes wrong is written down, and tried again later."""
        try:
            api = fetching.api_of(source)
            job = await self._take(source.name, name) if api is not None else None
            if api is not None and job is not None:
                reading = Reading(self._tools, Caller(self._tools, source, api, PATIENCE), "poll", job)
                await self._do(reading, source, api, errand)
        except Unavailable as error:
            log.warning("An errand waits for the database.", extra={"event": "errand.unavailable", "detail": error.detail})
        except Exception:
            log.exception("An errand failed.", extra={"event": "errand.failed", "source": source.name, "job": name})

    async def _take(self, source: str, name: str) -> Job | None:
        async with self._tools.db.begin() as conn:
            at = self._tools.now()
            return await sources.take(conn, source, name, at, at + LEASE)

    async def _do(self, reading: Reading, source: SourceConfig, api: ApiConfig, errand: Errand) -> None:
        now = self._tools.now
        try:
            next_at = await errand(reading, source, api)
        except Later as error:
            await reading.let_go(now() + timedelta(seconds=error.seconds), finished=False, error=str(error))
        except CannotFetch as error:
            log.warning("An API cannot be read.", extra={"event": "errand.refused", "source": source.name, "detail": str(error)})
            await reading.let_go(now() + timedelta(minutes=15), finished=False, error=str(error))
        except Lost:
            return
        except BaseException:
            await asyncio.shield(reading.let_go(now() + timedelta(seconds=30), finished=False, error="it was interrupted"))
            raise
        else:
            await reading.let_go(next_at, finished=True, error=None)

    async def _reconcile(self, reading: Reading, source: SourceConfig, api: ApiConfig) -> datetime | None:
        """Everything that changed since the last time."""
        wanted: Reconciliation = getattr(source, "reconcile")  # noqa: B009  of the kinds that have it
        began = self._tools.now()
        cursor = reading.job.cursor if reading.job is not None else None
        await reading.run(fetching.walk(source, api, cursor or rfc3339(began - wanted.look_back)))
        return max(began + wanted.every, self._tools.now())

    async def _enrich(self, reading: Reading, source: SourceConfig, api: ApiConfig) -> datetime | None:
        """Look up the tickets that were spoken of since and lack something, until none is left."""
        wanted: Enrichment = getattr(source, "enrich")  # noqa: B009
        while reading.job is not None:
            async with self._tools.db.read() as conn:
                touched, last = await sources.touched_tickets(conn, source.name, reading.job.cursor, limit=LOOKED_AT)
                found = await sources.lacking(conn, touched, wanted.facts)
            if last == reading.job.cursor:
                break
            for row in found:
                await self._look_up(reading, source, api, row.external_id, wanted.again_after)
            await reading.mark(last or "")
        return self._tools.now() + ENRICH_EVERY

    async def _look_up(self, reading: Reading, source: SourceConfig, api: ApiConfig, ticket: str, again_after: timedelta) -> None:
        """Ask for one ticket, unless that was done a short while ago. What the API does not tell now it will not tell at once."""
        at, place = self._tools.now(), (source.name, ticket)
        asked_at = self._asked.get(place)
        if asked_at is not None and at - asked_at < again_after:
            return
        if len(self._asked) >= _REMEMBERED:
            self._asked = {place: then for place, then in self._asked.items() if at - then < again_after}
        kept = self._kept.setdefault(source.name, {})
        if len(kept) >= _REMEMBERED:
            kept.clear()
        await reading.run(fetching.look_up(source, api, ticket, kept))
        self._asked[place] = at
