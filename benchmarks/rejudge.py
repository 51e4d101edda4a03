"""Every open ticket judged anew after a change of the document, while messages come at a steady rate; anchor of their latency: the same
rate in the calm before. On PostgreSQL also by one, two and four workers, each a process."""

import asyncio
from dataclasses import replace
from time import perf_counter
from typing import Final

from app.services.breaches import rejudge_stale
from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage, steady, workers
from benchmarks._kit.seed import DOCUMENT, configured, fixed, opened, seed
from benchmarks._kit.stage import as_service

GOAL: Final = 30.0  # seconds for a million
INGEST_GOAL: Final = 2.0  # times the calm
MILLION: Final = 1_000_000


def run(*, quick: bool, db: str) -> Report:
    """Tickets judged per second, and how long a million would take."""
    report = as_service(_run(10_000 if quick else 100_000, db))
    if db == "sqlite":  # one file, one process
        return report
    return replace(
        report, rows=(*report.rows, *asyncio.run(workers.scaling((1, 2, 4), *((5_000, 1) if quick else (20_000, 3)), workers.rejudging)))
    )


async def _run(size: int, kind: str) -> Report:
    now = fixed(utc_now())
    with stage.database(kind) as url:
        db = await opened(url)
        live = await configured(db, DOCUMENT, now)
        await seed(db, live, now, size)
        await live.put(DOCUMENT.replace("calendar: always", "calendar: office"), author="benchmark", if_match=f'"{live.current.etag}"')
        calm = await steady.calm(db, live, now)
        began, judged = perf_counter(), 0
        async with steady.meanwhile(db, live, now) as waited:
            while count := await rejudge_stale(db, live, now):
                judged += count
            rate = judged / (perf_counter() - began)
        busy = steady.p99(waited)
        await db.close()
    assert judged >= size
    seconds = MILLION / rate
    return Report(
        "rejudge",
        (
            Figure("tickets", rate, "per second"),
            Figure("a million", seconds, "s", f"<= {GOAL:g} s", seconds <= GOAL),
            Figure("ingest meanwhile, p99", busy, "ms", f"<= {INGEST_GOAL:g} x", busy <= INGEST_GOAL * calm, calm, busy / calm),
        ),
        (f"{kind}; measured with {size:,} tickets",),
    )
