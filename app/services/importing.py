"""The first load: the tickets a helpdesk has already, from a file or over its API. What is past is recorded, and nobody is told of it.

An import can be broken off and begun again: it goes on where it was, and what it tells twice is known by its keys. The tickets of a file
are told one after another, each whole, however the file is sorted: no promise looks broken because its answer comes later in the file.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from app.errors import Conflict, InvalidRequest, Unavailable
from app.exchange import HttpRequest
from app.helpdesks import SourceConfig, fetching
from app.schemas.events_out import rfc3339
from app.services.dump import Dump, Record, read
from app.services.fetching import LEASE, Caller, Later, Lost, Reading, Report, Tools
from app.services.ingest import Arrival, Ingest
from app.store import sources
from app.store.database import Database
from app.store.sources import Job
from app.timesource import Now

TOGETHER: Final = 64
"""Tickets on their way through ingest at a time; the place is written down behind them."""
PATIENCE: Final = 3600.0
"""Seconds an import waits at a time for a busy API."""
EVERYTHING: Final = "2000-01-01T00:00:00.000Z"
_BODY_MAX: Final = 1_048_576

Step = Callable[[int, int, Counter[str]], None]
"""Told how many records are done, of how many, and what became of them."""


async def from_api(tools: Tools, source: SourceConfig, since: datetime | None, report: Report) -> dict[str, int]:
    """Everything that has changed since an instant (None: everything there is); what was counted.

    InvalidRequest when the source has no API to ask; Conflict while another process is at it; Unavailable when the API does not let us get
    on: begin again later.
    """
    api = fetching.api_of(source)
    if api is None or source.kind not in fetching.walkable():
        raise InvalidRequest(
            f"The source {source.name} has no API to ask: it needs an `api` with credentials, and a kind among "
            f"{', '.join(fetching.walkable())}. Every kind can be imported from a file."
        )
    job = await _take(tools.db, tools.now, source.name, "import")
    start = job.cursor if job.finished_at is None else None
    if start is None:
        job = await _begin_anew(tools.db, tools.now, job)
    reading = Reading(tools, Caller(tools, source, api, PATIENCE), "import", job, report)
    try:
        await reading.run(fetching.walk(source, api, start or (rfc3339(since) if since else EVERYTHING)))
    except (Later, Lost, fetching.CannotFetch) as error:
        await reading.let_go(None, finished=False, error=str(error))
        raise Unavailable(f"The import cannot go on at the moment: {error}. Begin it again later; it goes on from here.") from error
    except BaseException:
        await asyncio.shield(reading.let_go(None, finished=False, error="it was interrupted"))
        raise
    await reading.let_go(None, finished=True, error=None)
    return dict(Counter(reading.job.progress if reading.job else {}) + reading.counts)


async def from_file(
    db: Database, ingest: Ingest, now: Now, source: str, config: SourceConfig | None, dump: Dump, step: Step
) -> dict[str, int]:
    """Every record of a file; what became of them, counted. Conflict while another process imports the same file; Unavailable."""
    job = await _take(db, now, source, f"import:{dump.digest[:32]}")
    if job.finished_at is not None:
        job = await _begin_anew(db, now, job)
    counts: Counter[str] = Counter(job.progress)
    groups = _groups(dump, source, config, now())
    done, waiting = 0, []
    try:
        for ticket, places in groups:
            if job.cursor is not None and ticket <= job.cursor[1:]:
                done += len(places)
                continue
            waiting.append((ticket, places))
            if len(waiting) == TOGETHER:
                job = await _tell(db, ingest, now, source, config, dump, waiting, job, counts)
                done, waiting = done + sum(len(places) for _, places in waiting), []
                step(done, len(dump), counts)
        if waiting:
            job = await _tell(db, ingest, now, source, config, dump, waiting, job, counts)
        step(len(dump), len(dump), counts)
    except BaseException:
        await asyncio.shield(_let_go(db, now, job, finished=False))
        raise
    await _let_go(db, now, job, finished=True)
    return dict(counts)


def _groups(dump: Dump, source: str, config: SourceConfig | None, at: datetime) -> list[tuple[str, list[int]]]:
    """The places of the records of each ticket, in the order of the tickets' names; those of none first."""
    named = sorted((read(dump[index], source, config, at).ticket, index) for index in range(len(dump)))
    return [(ticket, [index for _, index in group]) for ticket, group in groupby(named, key=lambda entry: entry[0])]


async def _tell(
    db: Database,
    ingest: Ingest,
    now: Now,
    source: str,
    config: SourceConfig | None,
    dump: Dump,
    groups: Sequence[tuple[str, list[int]]],
    job: Job,
    counts: Counter[str],
) -> Job:
    """Tell these tickets, each whole, and write down that it was done."""
    at = now()
    arrivals: list[Arrival] = []
    for ticket, places in groups:
        records = [read(dump[place], source, config, at) for place in places]
        counts["records"] += len(records)
        counts["ignored"] += sum(record.ignored is not None for record in records)
        arrivals += _story(source, records, at) if ticket else _refusals(source, records, at)
        counts["tickets"] += bool(ticket)
    for receipt in await asyncio.gather(*(ingest.submit(arrival) for arrival in arrivals)):
        counts["quarantined"] += receipt.outcome == "quarantined"
        counts["events"] += sum(receipt.accepted)
        counts["known"] += len(receipt.accepted) - sum(receipt.accepted)
    async with db.begin() as conn:
        kept = await sources.advance(conn, job, now(), until=now() + LEASE, cursor=f"={groups[-1][0]}", progress=dict(+counts))
    if kept is None:
        raise Conflict("Another process has taken this import; it goes on there.")
    return kept


def _story(source: str, records: Sequence[Record], at: datetime) -> list[Arrival]:
    """All that the file says of one ticket, as one message."""
    events = tuple(event for record in records for event in record.events)
    body = b"\n".join(record.request.body for record in records)
    request = HttpRequest("POST", "import", {"content-type": "application/x-ndjson"}, body[:_BODY_MAX])
    return [Arrival(source, "import", request, at, events, quiet=True)]


def _refusals(source: str, records: Sequence[Record], at: datetime) -> list[Arrival]:
    """What cannot be read goes to quarantine, and can be replayed when it can."""
    return [
        Arrival(source, "import", record.request, at, quarantined=f"{record.refused[:1].upper()}{record.refused[1:]}", quiet=True)
        for record in records
        if record.refused is not None
    ]


async def _take(db: Database, now: Now, source: str, name: str) -> Job:
    async with db.begin() as conn:
        at = now()
        job = await sources.take(conn, source, name, at, at + LEASE)
    if job is None:
        raise Conflict(f"Another process is importing into {source}; if it has died, wait {LEASE // timedelta(minutes=1)} minutes.")
    return job


async def _begin_anew(db: Database, now: Now, job: Job) -> Job:
    """From the beginning; what is known by then is told again, which is harmless."""
    async with db.begin() as conn:
        kept = await sources.advance(conn, job, now(), until=job.held_until, cursor=None, progress={}, finished_at=None, error=None)
    if kept is None:
        raise Conflict("Another process has taken this import; it goes on there.")
    return kept


async def _let_go(db: Database, now: Now, job: Job, *, finished: bool) -> None:
    ended = {"finished_at": now(), "error": None} if finished else {"error": "it was interrupted"}
    async with db.begin() as conn:
        await sources.advance(conn, job, now(), until=None, **ended)
