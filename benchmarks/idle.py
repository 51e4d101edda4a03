"""The tick of detection when nothing is due: with few clocks running and with very many, and behind dead index entries that an old
snapshot keeps from being cleaned up (PostgreSQL). Beside it what an event about a new ticket takes with so many clocks."""

import asyncio
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Final

from app.services.breaches import Floor, fire_due
from app.services.configuration import LiveConfig
from app.services.ingest import Ingest
from app.store.database import Database
from app.timesource import Now, utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage
from benchmarks._kit.seed import DOCUMENT, configured, fixed, opened, seed
from benchmarks._kit.stage import as_service
from benchmarks._kit.steady import message

TICK_GOAL: Final = 1.0  # milliseconds, p99
GROWTH_GOAL: Final = 1.5  # times the tick at the smallest store
DEAD_GOAL: Final = 2.0  # milliseconds
SMALL: Final = 10_000
ROUNDS: Final = 9
MESSAGES: Final = 250


def run(*, quick: bool, db: str) -> Report:
    """Milliseconds per tick."""
    return as_service(_run(quick, db))


async def _run(quick: bool, kind: str) -> Report:
    sizes = [SMALL, 100_000, *([] if quick else [1_000_000]), *([10_000_000] if kind == "postgres" and not quick else [])]
    now = fixed(utc_now())
    rows: list[Figure] = []
    with stage.database(kind) as url:
        db = await opened(url)
        live = await configured(db, DOCUMENT, now)
        have, smallest, least = 0, 0.0, 0.0
        for size in sizes:
            await seed(db, live, now, size - have, spread=timedelta(days=30), since=have)
            have = size
            p50, p99 = await _ticks(db, live, now, 300)
            smallest = smallest or p50
            goal, met = (None, None) if size == SMALL else (f"<= {GROWTH_GOAL:g} x", p50 <= GROWTH_GOAL * smallest)
            rows.append(Figure(f"{size:,} clocks, p99", p99, "ms", f"<= {TICK_GOAL:g}", p99 <= TICK_GOAL))
            rows.append(Figure(f"{size:,} clocks, p50", p50, "ms", goal, met, smallest, p50 / smallest))
            event = await _event(db, live, now)
            least = least or event
            met = None if goal is None else event <= GROWTH_GOAL * least
            rows.append(Figure(f"{size:,} clocks, an event", event, "µs", goal, met, least, event / least))
        if kind == "postgres":
            rows.append(await _behind_dead_entries(db, live, now, min(have, 100_000)))
        await db.close()
    return Report("idle", tuple(rows), (f"{kind}; the goals are for a quiet machine",))


async def _ticks(db: Database, live: LiveConfig, now: Now, count: int) -> tuple[float, float]:
    floor = Floor()
    taken = []
    for _ in range(count):
        began = perf_counter()
        await fire_due(db, live, now, floor=floor)
        taken.append((perf_counter() - began) * 1000)
    taken.sort()
    return taken[count // 2], taken[int(count * 0.99)]


async def _event(db: Database, live: LiveConfig, now: Now) -> float:
    """Microseconds for each of many messages about new tickets, durable and judged: the middle of some rounds."""
    ingest = Ingest(db, live, now)
    await ingest.start()
    taken = []
    for _ in range(ROUNDS):
        began = perf_counter()
        await asyncio.gather(*(ingest.submit(message(now)) for _ in range(MESSAGES)))
        taken.append((perf_counter() - began) / MESSAGES * 1e6)
    await ingest.stop()
    return median(taken)


async def _behind_dead_entries(db: Database, live: LiveConfig, now: Now, entries: int) -> Figure:
    """Clocks that were due an hour ago and are not any more, while somebody still reads the store as it was."""
    past = "UPDATE clocks SET next_check_at = next_check_at - 100 * 86400 * 1000000::bigint WHERE id IN (SELECT id FROM clocks LIMIT {n})"
    back = past.replace(" - ", " + ").format(n=entries).replace("SELECT id FROM clocks", "SELECT id FROM clocks ORDER BY next_check_at")
    async with db.begin() as conn:
        await conn.exec_driver_sql(past.format(n=entries))
    async with db.read() as snapshot:
        for name in ("idle_in_transaction_session_timeout", "transaction_timeout"):
            await snapshot.exec_driver_sql(f"SET LOCAL {name} = 0")
        await snapshot.exec_driver_sql("SELECT count(*) FROM config_revisions")
        async with db.begin() as conn:
            await conn.exec_driver_sql(back)
        p50, _ = await _ticks(db, live, now, 100)
    return Figure(f"behind {entries:,} dead entries, p50", p50, "ms", f"<= {DEAD_GOAL:g}", p50 <= DEAD_GOAL)
