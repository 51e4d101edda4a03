"""Memory: of a fresh process, with very many clocks in the store, after very many events; and how long it takes to be ready."""

import asyncio
from datetime import timedelta
from time import perf_counter
from typing import Final

from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage, tickets
from benchmarks._kit.load import Load
from benchmarks._kit.load import run as drive
from benchmarks._kit.seed import configured, fixed, opened, seed

FRESH: Final = 130.0  # MB
GROWTH: Final = 30.0  # MB
FILL: Final = 22_000
"""Events after which a process remembers as many tickets as it may (`app.services.recent`)."""
READY: Final = 2.0  # seconds


def run(*, quick: bool, db: str) -> Report:
    """Megabytes and seconds."""
    return asyncio.run(_run((10_000, 100_000, 5_000) if quick else (10_000, 1_000_000, 300_000), db))


async def _run(sizes: tuple[int, int, int], kind: str) -> Report:
    few, many, more = sizes
    now = fixed(utc_now())
    with stage.database(kind) as url:
        db = await opened(url)
        live = await configured(db, tickets.DOCUMENT, now, tickets.ENVIRON)
        await seed(db, live, now, few, spread=timedelta(days=30))
        fresh, _, _ = await _served(url, 0)
        await seed(db, live, now, many - few, spread=timedelta(days=30), since=few)
        large, ready, _ = await _served(url, 0)
        _, _, flood = await _served(url, more)
        await db.close()
    first, last = flood
    return Report(
        "soak",
        (
            Figure("fresh process", fresh, "MB", f"<= {FRESH:g}", fresh <= FRESH),
            Figure(f"more with {many:,} clocks", large - fresh, "MB", f"<= {GROWTH:g}", large - fresh <= GROWTH),
            Figure(f"start to ready with {many:,} clocks", ready, "s", f"<= {READY:g}", ready <= READY),
            Figure(
                f"more after {more:,} more events",
                last - first,
                "MB",
                f"<= {GROWTH / 3:g}",
                last - first <= GROWTH / 3,
                first,
                last / first,
            ),
        ),
        (f"{kind}; ready includes starting Python and importing everything; {FILL:,} events fill what a process remembers",),
    )


async def _served(url: str, more: int) -> tuple[float, float, tuple[float, float]]:
    """Memory a moment after the start, seconds to ready, and memory once it remembers as much as it may, and after more events."""
    began = perf_counter()
    async with stage.service(url, tickets.DOCUMENT, environ=tickets.ENVIRON) as service:
        ready = perf_counter() - began
        await asyncio.sleep(1)
        memory = service.memory()
        after = [0.0, 0.0]
        for turn, events in enumerate((FILL, more) if more else ()):
            raw = tickets.signed(events, service.host, prefix=f"soak{turn}-")
            await drive(Load(service.host, service.port, raw, 128))
            after[turn] = service.memory()
    return memory, ready, (after[0], after[1])
