"""Signed native webhooks: verified, read, durable, folded, evaluated, 202 after the commit. One process answers, another asks.

Anchors in the same run: the echo (nothing is done with the body) and the naive handler (one ORM transaction for each request), on the
same database settings. The same on a disk that takes a millisecond more for each fsync, against the disk as it is. Then an open loop at a
steady rate, and canonical events in NDJSON of 500, against writing the same rows.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Final

import orjson
from sqlalchemy import Table, select

from app.store import bulk, migrations
from app.store.database import Database
from app.store.tables import clocks, events, inbox
from app.store.tables import tickets as tickets_table
from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import slow_disk, stage, tickets
from benchmarks._kit.anchors import PATH as ANCHOR_PATH
from benchmarks._kit.load import Load, Measured, request
from benchmarks._kit.load import run as drive

ECHO_GOAL: Final = {"sqlite": 0.40, "postgres": 0.35}
NAIVE_GOAL: Final = 10.0
BULK_GOAL: Final = 0.4
SLOW_GOAL: Final = {32: 0.55, 128: 0.9}
"""By connections: times what the disk as it is lets through."""
STEADY: Final = 1000.0  # events per second
STEADY_GOAL: Final = 15.0  # milliseconds, p99
CONNECTIONS: Final = (32, 128)
LINES: Final = 500


@dataclass(frozen=True)
class _Size:
    rounds: int
    requests: int
    naive: int
    steady: int
    batches: int


def _size(quick: bool) -> _Size:
    return _Size(2, 2_000, 300, 4_000, 12) if quick else _Size(5, 15_000, 2_000, 30_000, 60)


def run(*, quick: bool, db: str) -> Report:
    """Requests per second against the anchors, and latency under a steady load."""
    return asyncio.run(_run(_size(quick), db))


async def _run(size: _Size, db: str) -> Report:
    async with AsyncExitStack() as stack:
        ours, theirs = stack.enter_context(stage.database(db)), stack.enter_context(stage.database(db))
        service = await stack.enter_async_context(_service(ours))
        servers = {
            "ours": service,
            "echo": await stack.enter_async_context(stage.anchor("echo")),
            "naive": await stack.enter_async_context(stage.anchor("naive", theirs)),
        }
        if slow_disk.possible():
            with slow_disk.slow_disk():
                servers["slow"] = await stack.enter_async_context(_service(stack.enter_context(stage.database(db))))
        seen = await _rounds(servers, size)
        raw = tickets.signed(size.steady, service.host, prefix="steady-")
        steady = await drive(Load(service.host, service.port, raw, 256, rate=STEADY, warm_up=size.steady // 10))
        lines = await _lines(service, ours, size)
    rows = [row for connections in CONNECTIONS for row in _against(seen, connections, db)]
    notes = [f"{db}; {size.rounds} rounds of {size.requests} requests"]
    if "slow" in servers:
        rows += [_slow(seen, connections) for connections in CONNECTIONS]
    else:
        notes.append("no slower disk without a C compiler")
    return Report("ingest", (*rows, *_steady(steady), lines), tuple(notes))


@asynccontextmanager
async def _service(url: str) -> AsyncIterator[stage.Served]:
    migrations.upgrade(url)
    async with stage.service(url, tickets.DOCUMENT, environ=tickets.ENVIRON) as served:
        yield served


async def _rounds(servers: Mapping[str, stage.Served], size: _Size) -> dict[str, list[Measured]]:
    """What each server made of it with so many connections, in turns: `ours 32`."""
    seen: dict[str, list[Measured]] = {}
    for number in range(size.rounds):
        for connections in CONNECTIONS:
            for name, served in servers.items():
                count = size.naive if name == "naive" else size.requests
                path = ANCHOR_PATH if name in {"echo", "naive"} else tickets.PATH
                raw = tickets.signed(count, served.host, path=path, prefix=f"r{number}c{connections}-")
                load = Load(served.host, served.port, raw, connections, warm_up=count // 10)
                seen.setdefault(f"{name} {connections}", []).append(await drive(load))
    return seen


def _against(seen: Mapping[str, list[Measured]], connections: int, db: str) -> list[Figure]:
    ours, echo, naive = (median(one.per_second for one in seen[f"{name} {connections}"]) for name in ("ours", "echo", "naive"))
    bad = {status for name, each in seen.items() for one in each for status in one.statuses if status != "202"}
    assert not bad, bad
    p99 = median(one.p99 for one in seen[f"ours {connections}"])
    return [
        Figure(
            f"{connections} connections / echo", ours, "per second", f">= {ECHO_GOAL[db]}", ours / echo >= ECHO_GOAL[db], echo, ours / echo
        ),
        Figure(
            f"{connections} connections / naive", ours, "per second", f">= {NAIVE_GOAL:g}", ours / naive >= NAIVE_GOAL, naive, ours / naive
        ),
        Figure(f"{connections} connections, p99", p99, "ms"),
    ]


def _slow(seen: Mapping[str, list[Measured]], connections: int) -> Figure:
    slow, fast = (median(one.per_second for one in seen[f"{name} {connections}"]) for name in ("slow", "ours"))
    goal = SLOW_GOAL[connections]
    return Figure(
        f"{connections} connections, fsync 1 ms slower", slow, "per second", f">= {goal} x", slow / fast >= goal, fast, slow / fast
    )


def _steady(measured: Measured) -> list[Figure]:
    p99 = Figure(f"open loop at {STEADY:.0f}/s, p99", measured.p99, "ms", f"<= {STEADY_GOAL:g}", measured.p99 <= STEADY_GOAL)
    return [p99, Figure(f"open loop at {STEADY:.0f}/s, p99.9", measured.p999, "ms")]


async def _lines(service: stage.Served, url: str, size: _Size) -> Figure:
    """Canonical events, 500 in a body, against writing the rows they became, which is all the anchor does; in turns."""
    headers = {"authorization": f"Bearer {stage.KEY}", "content-type": "application/x-ndjson"}
    db = Database(url)
    seconds: dict[str, list[float]] = {"ours": [], "anchor": []}
    for turn in range(size.rounds):
        numbers = range(turn * size.batches, (turn + 1) * size.batches)
        raw = [request(service.host, "/v1/events", headers, _batch(number)) for number in numbers]
        measured = await drive(Load(service.host, service.port, raw, 4))
        assert measured.statuses == {"202": size.batches}, measured.statuses
        seconds["ours"].append(size.batches / measured.per_second)
        seconds["anchor"].append(await _written_again(db, numbers))
    await db.close()
    ours, anchor = (size.batches * LINES / median(each) for each in (seconds["ours"], seconds["anchor"]))
    return Figure(f"NDJSON of {LINES}", ours, "per second", f">= {BULK_GOAL:g}", ours / anchor >= BULK_GOAL, anchor, ours / anchor)


async def _written_again(db: Database, numbers: range) -> float:
    """The seconds that it takes to write the rows of these batches as new ones, one transaction for each batch."""
    taken = 0.0
    for number in numbers:
        copies = await _copies(db, number)
        began = perf_counter()
        async with db.begin() as conn:
            for table, rows in copies.items():
                await bulk.write(conn, table, "insert", rows)
        taken += perf_counter() - began
    return taken


async def _copies(db: Database, number: int) -> dict[Table, list[dict[str, Any]]]:
    """The rows that a batch became, under other ids."""
    mine = tickets_table.c.external_id.like(f"{number}-%")
    ids = select(tickets_table.c.id).where(mine, tickets_table.c.source == "bulk")
    copies: dict[Table, list[dict[str, Any]]] = {}
    async with db.read() as conn:
        for table, which in ((tickets_table, tickets_table.c.id), (clocks, clocks.c.ticket_id), (events, events.c.ticket_id)):
            copies[table] = [dict(row._mapping) for row in await conn.execute(select(table).where(which.in_(ids)))]
        messages = {row["inbox_id"] for row in copies[events]}
        copies[inbox] = [dict(row._mapping) for row in await conn.execute(select(inbox).where(inbox.c.id.in_(messages)))]
    for rows in copies.values():
        for row in rows:
            row |= {name: f"{row[name][:4]}~{row[name][5:]}" for name in ("id", "ticket_id", "inbox_id") if name in row}
            row |= {"external_id": f"~{row['external_id']}"} if "external_id" in row else {}
    return copies


def _batch(number: int) -> bytes:
    at = utc_now().isoformat()

    def line(index: int) -> bytes:
        return orjson.dumps(
            {
                "source": "bulk", "ticket": f"{number}-{index}", "key": "e1", "at": at,
                "set": {"status": "open", "priority": "high", "subject": "Where is my order?", "organization": "Acme"},
                "message": {"author": "customer", "public": True, "id": "m1"}, "actor": {"kind": "customer", "id": "77"},
            }
        )  # fmt: skip

    return b"\n".join(line(index) for index in range(LINES))
