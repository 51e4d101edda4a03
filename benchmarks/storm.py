"""Very many clocks due at one instant: until all their breaches are committed, against the bare statements that claim as many rows and
write as many breaches and messages. Meanwhile messages come at a steady rate; anchor of their latency: the same rate in the calm before.
On PostgreSQL also by one, two and four workers, each a process."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Final

from app.services.breaches import Floor, fire_due
from app.store.database import Database
from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage, steady, workers
from benchmarks._kit.seed import configured, fixed, opened, seed
from benchmarks._kit.stage import as_service

GOAL: Final = 2.5  # times the anchor
INGEST_GOAL: Final = 4.0  # times the calm
DOCUMENT: Final = """\
version: 1
policies:
  - name: everyone
    calendar: always
    targets: {resolution: 4h}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secrets: ["${env:UPSTREAM}"], events: ["sla.*"]}
"""
ENVIRON: Final = {"UPSTREAM": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
BATCH: Final = 500


def run(*, quick: bool, db: str) -> Report:
    """Breaches committed per second."""
    report = as_service(_run(5_000 if quick else 100_000, 20_000 if quick else 1_000_000, db))
    if db == "sqlite":  # one file, one process
        return report
    return replace(
        report, rows=(*report.rows, *asyncio.run(workers.scaling((1, 2, 4), *((5_000, 1) if quick else (20_000, 3)), workers.storm)))
    )


async def _run(due: int, running: int, kind: str) -> Report:
    start = utc_now()
    later = fixed(start + timedelta(hours=4))
    with stage.database(kind) as url:
        db = await opened(url)
        live = await configured(db, DOCUMENT, fixed(start), ENVIRON)
        await seed(db, live, fixed(start), due)
        await seed(db, live, fixed(start + timedelta(days=1)), running, spread=timedelta(days=30), since=due + 1)
        floor, fired = Floor(), 0
        calm = await steady.calm(db, live, later)
        began = perf_counter()
        async with steady.meanwhile(db, live, later) as waited:
            while (done := await fire_due(db, live, later, floor=floor)).tickets:
                fired += done.breaches
            ours = perf_counter() - began
        stormy = steady.p99(waited)
        await _check(db, due + 1)
        anchor = await _bare(db, due + 1)
        await db.close()
    assert fired == due + 1
    rows = (
        Figure("breaches committed", fired / ours, "per second", None, None, fired / anchor, anchor / ours),
        Figure("time / anchor", ours, "s", f"<= {GOAL:g} x", ours <= GOAL * anchor, anchor, ours / anchor),
        Figure("ingest meanwhile, p99", stormy, "ms", f"<= {INGEST_GOAL:g} x", stormy <= INGEST_GOAL * calm, calm, stormy / calm),
    )
    return Report("storm", rows, (f"{kind}; {due:,} due at once, {running:,} running; none lost, none doubled",))


async def _check(db: Database, due: int) -> None:
    async with db.read() as conn:
        for table in ("breaches", "deliveries"):
            count = (await conn.exec_driver_sql(f"SELECT count(*), count(DISTINCT clock_id) FROM {table}")).one()
            assert tuple(count) == (due, due), (table, count)


async def _bare(db: Database, count: int) -> float:
    """The same number of rows claimed and written by SQL alone, in batches of the same size."""
    async with db.begin() as conn:
        await conn.exec_driver_sql("CREATE TABLE bare_breaches AS SELECT * FROM breaches WHERE 1 = 0")
        await conn.exec_driver_sql("CREATE TABLE bare_notices AS SELECT * FROM notices WHERE 1 = 0")
        await conn.exec_driver_sql("CREATE TABLE bare_deliveries AS SELECT * FROM deliveries WHERE 1 = 0")
        await conn.exec_driver_sql("CREATE TABLE bare_due AS SELECT clock_id AS id FROM breaches ORDER BY clock_id")
        await conn.exec_driver_sql("CREATE INDEX bare_ix ON bare_due (id)")
    began = perf_counter()
    last = ""
    while count > 0:
        async with db.begin() as conn:
            ids = (await conn.exec_driver_sql(f"SELECT id FROM bare_due WHERE id > '{last}' ORDER BY id LIMIT {BATCH}")).scalars().all()
            among = f"BETWEEN '{ids[0]}' AND '{ids[-1]}'"
            await conn.exec_driver_sql(f"UPDATE clocks SET health = 'overdue', next_check_at = NULL WHERE id {among}")
            for table in ("breaches", "notices", "deliveries"):
                await conn.exec_driver_sql(f"INSERT INTO bare_{table} SELECT * FROM {table} WHERE clock_id {among}")
        last, count = ids[-1], count - len(ids)
    return perf_counter() - began
