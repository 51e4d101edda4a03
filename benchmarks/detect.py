"""From the due instant to the committed breach, and to the message at the receiver, while very many other clocks run.

Anchor in the same run: the least that detects and posts (`benchmarks._kit.prototype`), with as many clocks in the same kind of database.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import orjson

from app.store.database import Connection, Database
from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import prototype, stage
from benchmarks._kit.receiver import Received, receiver
from benchmarks._kit.seed import configured, fixed, opened, seed

COMMITTED: Final = 25.0  # milliseconds, p99
RECEIVED: Final = {100: 20.0, 1000: 60.0}  # milliseconds, p99, by clocks due a second
TARGET: Final = timedelta(hours=4)
LINES: Final = 500
_BUCKET: Final = re.compile(r'slawatch_due_to_detected_seconds_bucket\{le="([^"]+)"\} (\S+)')
ENVIRON: Final = {"UPSTREAM": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
DOCUMENT: Final = """\
version: 1
policies: [{{name: everyone, calendar: always, targets: {{resolution: 4h}}}}]
channels:
  upstream:
    {{kind: webhook, url: "http://127.0.0.1:{port}/", allow_http: true, secrets: ["${{env:UPSTREAM}}"], events: [sla.breached]}}
delivery: {{allow_networks: [127.0.0.0/8]}}
"""


def run(*, quick: bool, db: str) -> Report:
    """Milliseconds, 50th and 99th percentile."""
    return asyncio.run(_run(20_000 if quick else 1_000_000, 3 if quick else 20, db))


async def _run(running: int, seconds: int, kind: str) -> Report:
    rows: list[Figure] = []
    with stage.database(kind) as url, stage.database(kind) as bare:
        async with receiver() as received:
            anchors = [await _bare(bare, received, rate, seconds, running) for rate in RECEIVED]
            document = DOCUMENT.format(port=received.port)
            now = fixed(utc_now())
            db = await opened(url)
            await seed(db, await configured(db, document, now, ENVIRON), now, running, spread=timedelta(days=30))
            async with stage.service(url, document, environ=ENVIRON) as service:
                for rate, anchor in zip(RECEIVED, anchors, strict=True):
                    rows += await _at(service, received, rate, seconds, anchor)
            await db.close()
    return Report("detect", tuple(rows), (f"{kind}; {running:,} running clocks; {seconds} s each",))


async def _at(service: stage.Served, received: Received, rate: int, seconds: int, anchor: list[float]) -> list[Figure]:
    """Tickets opened in the past so that their clocks are due one after the other, soon."""
    count = rate * seconds
    first = utc_now() + timedelta(seconds=6 + count / 400)
    _expect(received, count)
    headers = {"authorization": f"Bearer {stage.KEY}", "content-type": "application/x-ndjson"}
    async with aiohttp.ClientSession(service.url, headers=headers) as session:
        for start in range(0, count, LINES):
            lines = [_line(rate, number, first + timedelta(seconds=number / rate)) for number in range(start, min(count, start + LINES))]
            async with session.post("/v1/events", data=b"\n".join(lines)) as answer:
                assert answer.status == 202, await answer.text()
        assert utc_now() < first, "the tickets could not be taken in before the first one was due"
        before = await _recorded(session)
        async with asyncio.timeout(120 + seconds):
            await received.complete.wait()
        after = await _recorded(session)
    arrived = [(at - _due(body)) * 1000 for at, _, body in received.arrivals]
    p50, p99 = (_quantile(before, after, share) for share in (0.5, 0.99))
    return [
        _of(f"{rate}/s: due -> committed", p50, p99, COMMITTED),
        _figure(f"{rate}/s: due -> received", arrived, RECEIVED[rate], anchor),
    ]


async def _bare(url: str, received: Received, rate: int, seconds: int, running: int) -> list[float]:
    """Milliseconds from due to received, when next to nothing is done in between."""
    count = rate * seconds
    db = Database(url, database_time=False)
    async with db.begin(aside=True) as conn:
        await conn.exec_driver_sql("DROP TABLE IF EXISTS bare_clocks")
        for statement in prototype.TABLES:
            await conn.exec_driver_sql(statement)
        await _fill(conn, [(f"later-{number}", _micro(utc_now()) + 86_400_000_000 + number) for number in range(running)])
        await conn.exec_driver_sql("ANALYZE bare_clocks")
    first = _micro(utc_now() + timedelta(seconds=3))
    async with db.begin() as conn:
        await _fill(conn, [(f"due-{number}", first + number * 1_000_000 // rate) for number in range(count)])
    await db.close()
    _expect(received, count)
    async with _prototype(url, f"http://127.0.0.1:{received.port}/"), asyncio.timeout(120 + seconds):
        await received.complete.wait()
    return [at * 1000 - orjson.loads(body)["timestamp"] / 1000 for at, _, body in received.arrivals]


async def _fill(conn: Connection, clocks: list[tuple[str, int]]) -> None:
    mark = ("?", "?") if conn.dialect.name == "sqlite" else ("$1", "$2")
    await conn.exec_driver_sql(f"INSERT INTO bare_clocks VALUES ({mark[0]}, {mark[1]}, 0)", clocks)


@asynccontextmanager
async def _prototype(url: str, target: str) -> AsyncIterator[None]:
    arguments = ("-m", "benchmarks._kit.prototype", url, target)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=asyncio.subprocess.PIPE)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def _expect(received: Received, count: int) -> None:
    received.arrivals.clear()
    received.complete.clear()
    received.expected = count


def _micro(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _line(rate: int, number: int, due: datetime) -> bytes:
    return orjson.dumps(
        {
            "source": f"rate-{rate}", "ticket": str(number), "key": "e1", "at": (due - TARGET).isoformat(), "set": {"status": "open"},
            "message": {"author": "customer", "public": True, "id": "m1"}, "actor": {"kind": "customer", "id": "77"},
        }
    )  # fmt: skip


async def _recorded(session: aiohttp.ClientSession) -> dict[float, float]:
    """How many milestones were committed at most so many seconds after their instant, by the service's own histogram."""
    async with session.get("/metrics") as answer:
        assert answer.status == 200, await answer.text()
        lines = (await answer.text()).splitlines()
    found = (_BUCKET.match(line) for line in lines)
    return {float(match[1]): float(match[2]) for match in found if match}


def _quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Milliseconds: evenly spread within a bucket, as Prometheus' histogram_quantile takes it."""
    counts = [(bound, after[bound] - before.get(bound, 0.0)) for bound in sorted(after)]
    wanted, low, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted and count > below:
            return 1000 * (low + (min(bound, 3600.0) - low) * (wanted - below) / (count - below))
        low, below = bound, count
    return 1000 * low


def _due(body: bytes) -> float:
    return datetime.fromisoformat(orjson.loads(body)["timestamp"]).astimezone(UTC).timestamp()


def _figure(case: str, lags: list[float], goal: float, anchor: list[float]) -> Figure:
    return _of(case, *_percentiles(lags), goal, _percentiles(anchor)[1])


def _of(case: str, p50: float, p99: float, goal: float, bare: float | None = None) -> Figure:
    return Figure(f"{case}, p99 (p50 {p50:.1f})", p99, "ms", f"<= {goal:g}", p99 <= goal, bare, p99 / bare if bare else None)


def _percentiles(lags: list[float]) -> tuple[float, float]:
    ordered = sorted(lags)
    return ordered[len(lags) // 2], ordered[int(len(lags) * 0.99)]
