"""Lists over HTTP when very many clocks run: first and deep pages, against the bare statement on the same rows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import quantiles
from time import perf_counter
from typing import Any, Final

import aiohttp

from app.store.database import Database
from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage
from benchmarks._kit.seed import DOCUMENT, configured, fixed, opened, seed

GOAL: Final = 20.0  # milliseconds, p95
TIMES: Final = 3.0  # or so many times the bare statement
DEEP: Final = 40  # pages

MIXED: Final = """
    UPDATE clocks SET priority = CASE WHEN n % 10 = 0 THEN 'high' ELSE 'normal' END, tier = CASE WHEN n % 1000 = 0 THEN 'gold' END
    FROM (SELECT id AS numbered, row_number() OVER (ORDER BY id) AS n FROM clocks) AS numbers WHERE id = numbered
"""  # one clock in ten, one in a thousand
BARE: Final = {
    "next due": "SELECT * FROM clocks WHERE state = 'running' ORDER BY due_at, id LIMIT 50",
    "one priority": "SELECT * FROM clocks WHERE state = 'running' AND priority = 'high' ORDER BY due_at, id LIMIT 50",
    "a rare tier": "SELECT * FROM clocks WHERE state = 'running' AND tier = 'gold' ORDER BY due_at, id LIMIT 50",
    "nobody's tier": "SELECT * FROM clocks WHERE state = 'running' AND tier = 'lead' ORDER BY due_at, id LIMIT 50",
    "breaches": "SELECT * FROM breaches WHERE status = 'open' ORDER BY breached_at DESC, id DESC LIMIT 50",
    "tickets": "SELECT * FROM tickets ORDER BY last_event_at DESC, id DESC LIMIT 50",
}
ASKED: Final = {
    "next due": "/v1/clocks?state=running&sort=due_at",
    "one priority": "/v1/clocks?state=running&priority=high&sort=due_at",
    "a rare tier": "/v1/clocks?state=running&tier=gold&sort=due_at",
    "nobody's tier": "/v1/clocks?state=running&tier=lead&sort=due_at",
    "breaches": "/v1/breaches?status=open&sort=-breached_at",
    "tickets": "/v1/tickets",
}


def run(*, quick: bool, db: str) -> Report:
    """Milliseconds per call, 95th percentile."""
    return asyncio.run(_run(100_000 if quick else 1_000_000, 60 if quick else 300, db))


async def _run(size: int, calls: int, kind: str) -> Report:
    now = fixed(utc_now())
    with stage.database(kind) as url:
        db = await opened(url)
        await seed(db, await configured(db, DOCUMENT, now), now, size, spread=timedelta(days=30))
        async with db.begin() as conn:
            await conn.exec_driver_sql(MIXED)
        async with db.begin() as conn:
            await conn.exec_driver_sql("ANALYZE")
        headers = {"authorization": f"Bearer {stage.KEY}"}
        async with stage.service(url, DOCUMENT, role="api") as service, aiohttp.ClientSession(service.url, headers=headers) as session:
            rows = [row for name in ASKED for row in await _case(db, session, name, calls)]
        await db.close()
    return Report("query", tuple(rows), (f"{kind}; {size:,} running clocks; {calls} calls each",))


async def _case(db: Database, session: aiohttp.ClientSession, name: str, calls: int) -> list[Figure]:
    async def bare() -> None:
        async with db.read() as conn:
            (await conn.exec_driver_sql(BARE[name])).all()

    async def first() -> None:
        await _page(session, ASKED[name])

    deep_link, pages = await _deep(session, ASKED[name])

    async def deep() -> None:
        await _page(session, deep_link)

    anchor, ours, deeper = await _p95(calls, bare, first, deep)
    figures = [_figure(f"{name}, first page", ours, anchor)]
    return figures if pages == 1 else [*figures, _figure(f"{name}, page {pages}", deeper, anchor)]


def _figure(case: str, value: float, anchor: float) -> Figure:
    met = value <= max(GOAL, TIMES * anchor)
    return Figure(case, value, "ms p95", f"<= {GOAL:g} ms or {TIMES:g} x", met, anchor, value / anchor)


async def _deep(session: aiohttp.ClientSession, path: str) -> tuple[str, int]:
    """The address of a page far behind the first one, and its number; the last one when there are fewer."""
    link = path
    for number in range(1, DEEP):
        page = await _page(session, link)
        if not page["has_more"]:
            return link, number
        link = f"{path}{'&' if '?' in path else '?'}cursor={page['next_cursor']}"
    return link, DEEP


async def _page(session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with session.get(path) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def _p95(calls: int, *works: Callable[[], Awaitable[None]]) -> list[float]:
    """Milliseconds of each work, 95th percentile; they take turns, so that what else the machine does meets all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(calls):
        for work, times in zip(works, taken, strict=True):
            began = perf_counter()
            await work()
            times.append((perf_counter() - began) * 1000)
    return [quantiles(times, n=20)[18] for times in taken]
