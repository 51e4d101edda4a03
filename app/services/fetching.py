"""Reading tickets over the APIs of helpdesks: within a budget, obedient to `Retry-After`, from the place where it ended the last time.

What is read goes through the same ingest as webhooks, one ticket at a time, and only what webhooks have not told already. The place is
written down once everything before it is durable: a process that dies tells some of it again, which is harmless.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from app.channels._answers import retry_after
from app.delivery.client import DeliveryClient, Limits
from app.exchange import HttpRequest, HttpResponse, Response
from app.helpdesks import SourceConfig
from app.helpdesks.fetching import ApiConfig, Mark, Story, Walk
from app.rules.news import news
from app.services.configuration import LiveConfig
from app.services.ingest import Arrival, Ingest, unreadable
from app.store import sources
from app.store.database import Database
from app.store.sources import Job
from app.telemetry import metrics
from app.timesource import Now

log = logging.getLogger(__name__)

LIMITS: Final = Limits(total=30.0, body=30.0, body_bytes=32 * 1024 * 1024, header_bytes=16 * 1024)
"""Of one request: pages of tickets are large."""
LEASE: Final = timedelta(minutes=15)
"""A job whose process is gone is taken by another one after this."""
_RENEW: Final = timedelta(minutes=2)
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_TRIES: Final = 4
_LONGEST_HINT: Final = 6 * 3600.0
_RAW_MAX: Final = 1_048_576  # bytes of a record that are kept beside its events

Sleep = Callable[[float], Awaitable[None]]
Report = Callable[[Job], None]
"""Told after each ticket how far it got."""


class Later(Exception):
    """Not now: try again in so many `seconds`."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class Lost(Exception):
    """Another process has taken the job."""


@dataclass(slots=True)
class Bucket:
    """A budget of requests: so many a minute, of which ten seconds' worth may be used at once."""

    per_minute: float
    full_at: datetime | None = None
    """When all of it is there again; None: it is."""

    def take(self, at: datetime) -> float:
        """0 and one request is taken; or the seconds to wait for the next one."""
        cost = timedelta(seconds=60 / self.per_minute)
        burst = max(timedelta(seconds=10), cost)
        full_at = max(self.full_at or at, at) + cost
        if full_at - at <= burst:
            self.full_at = full_at
            return 0.0
        return (full_at - at - burst).total_seconds()


@dataclass(frozen=True, slots=True)
class Tools:
    """What fetching works with. `sleep` waits; tests let it move the clock."""

    db: Database
    live: LiveConfig
    now: Now
    ingest: Ingest
    client: DeliveryClient
    sleep: Sleep
    buckets: dict[str, Bucket] = field(default_factory=dict)
    """By source; they outlast a change of the document unless the budget changes."""

    def bucket(self, source: str, per_minute: float) -> Bucket:
        found = self.buckets.get(source)
        if found is None or found.per_minute != per_minute:
            found = self.buckets[source] = Bucket(per_minute)
        return found


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the calls of one source."""

    tools: Tools
    source: SourceConfig
    api: ApiConfig
    patience: float
    """Seconds it waits at a time; told to wait longer, it is Later."""

    async def call(self, request: HttpRequest) -> HttpResponse:
        """An answer that is worth reading, whatever its status. Later when there is none in time."""
        for tried in range(1, _TRIES + 1):
            await self._afford()
            exchange = await self.tools.client.send(request, allow_http=self.api.allow_http)
            response = exchange.response
            if isinstance(response, HttpResponse) and response.status not in _BUSY:
                self._count("ok" if response.status < 400 else f"http_{response.status // 100}xx")
                return response
            status = response.status if isinstance(response, HttpResponse) else None
            self._count(exchange.error_class or ("http_429" if status == 429 else f"http_{(status or 0) // 100}xx"))
            why = exchange.detail or f"the API answered {status}"
            wait = self._wait(response, tried)
            if tried == _TRIES or wait > self.patience:
                raise Later(max(wait, 60.0), why)
            await self.tools.sleep(wait)
        raise Later(60.0, "the API does not answer")

    def _wait(self, response: Response | None, tried: int) -> float:
        """Seconds: as the answer asks, at most six hours; else more with each try."""
        at = self.tools.now()
        until = retry_after(response.headers.get("retry-after"), at) if isinstance(response, HttpResponse) else None
        return min(60.0, 2.0**tried) if until is None else min((until - at).total_seconds(), _LONGEST_HINT)

    async def _afford(self) -> None:
        bucket = self.tools.bucket(self.source.name, self.api.budget)
        while (wait := bucket.take(self.tools.now())) > 0:
            if wait > self.patience:
                raise Later(wait, "the budget of requests is used up")
            await self.tools.sleep(wait)

    def _count(self, error_class: str) -> None:
        metrics.SOURCE_CALLS.labels(self.source.kind, error_class).inc()


@dataclass(slots=True)
class Reading:
    """One run through a source: reads what a walk tells into our tickets, and writes down how far it got."""

    tools: Tools
    caller: Caller
    via: Literal["poll", "import"]
    job: Job | None = None
    """None: nothing is written down."""
    report: Report = lambda _job: None
    counts: Counter[str] = field(default_factory=Counter)

    async def run(self, walk: Walk[None]) -> None:
        """To the end of the walk. Later, CannotFetch, Lost, Unavailable."""
        answer: HttpResponse | None = None
        try:
            while True:
                try:
                    said = walk.send(answer)
                except StopIteration:
                    return
                answer = await self._answer(said)
        finally:
            walk.close()

    async def mark(self, cursor: str) -> None:
        """Everything before this place is told."""
        await self._write_down(cursor=cursor)

    async def _answer(self, said: HttpRequest | Story | Mark) -> HttpResponse | None:
        if isinstance(said, HttpRequest):
            self.counts["requests"] += 1
            return await self.caller.call(said)
        if isinstance(said, Story):
            await self._tell(said)
            await self._write_down(cursor=None)
        else:
            await self._write_down(cursor=said.cursor)
        return None

    async def _tell(self, story: Story) -> None:
        source, at = self.caller.source.name, self.tools.now()
        self.counts["tickets"] += 1
        if story.events and (why := unreadable(story.events, at)) is not None:
            self.counts["unreadable"] += 1
            log.warning("A ticket of an API cannot be read.", extra={"event": "fetch.unreadable", "source": source, "detail": why})
            return
        async with self.tools.db.read() as conn:
            known = await sources.timeline_of(conn, source, story.ticket)
        fresh = news(known, story.events)
        if fresh:
            request = HttpRequest("GET", f"{source}:{story.ticket}", {"content-type": "application/json"}, story.raw[:_RAW_MAX])
            arrival = Arrival(source, self.via, request, at, tuple(fresh), quiet=self.via == "import")
            receipt = await self.tools.ingest.submit(arrival)
            self.counts["events"] += sum(receipt.accepted)

    async def _write_down(self, *, cursor: str | None) -> None:
        """The place, when there is a new one; else, now and then, that somebody is still at it."""
        job, at = self.job, self.tools.now()
        if job is None:
            return
        progress = _sum(job.progress, self.counts)
        if cursor is None and at - job.updated_at < _RENEW:
            self.report(_shown(job, progress))
            return
        async with self.tools.db.begin() as conn:
            kept = await sources.advance(conn, job, at, until=at + LEASE, cursor=cursor or job.cursor, progress=progress)
        if kept is None:
            raise Lost(f"another process has taken the {job.job} of {job.source}")
        self.job = kept
        self.counts.clear()
        self.report(kept)

    async def let_go(self, next_at: datetime | None, *, finished: bool, error: str | None) -> None:
        """Write down how it ended, for whoever goes on."""
        job, at = self.job, self.tools.now()
        if job is None:
            return
        more = {"finished_at": at} if finished else {}
        progress = _sum(job.progress, self.counts)
        async with self.tools.db.begin() as conn:
            await sources.advance(conn, job, at, until=None, progress=progress, next_at=next_at, error=error, **more)


def _sum(before: dict[str, int], counts: Counter[str]) -> dict[str, int]:
    return dict(Counter(before) + counts)


def _shown(job: Job, progress: dict[str, int]) -> Job:
    return Job(job.source, job.job, job.cursor, progress, job.next_at, job.held_until, job.updated_at, job.finished_at, job.error)
