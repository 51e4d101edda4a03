"""From the due instant to the committed breach, and to the message at the receiver, while very many other clocks run."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp
import orjson

from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage
from benchmarks._kit.receiver import Received, receiver
from benchmarks._kit.seed import configured, fixed, opened, seed

COMMITTED: Final = 25.0  # milliseconds, p99
RECEIVED: Final = {100: 20.0, 1000: 60.0}  # milliseconds, p99, by clocks due a second
TARGET: Final = timedelta(hours=4)
LINES: Final = 500
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
    with stage.database(kind) as url:
        async with receiver() as received:
            document = DOCUMENT.format(port=received.port)
            now = fixed(utc_now())
            db = await opened(url)
            await seed(db, await configured(db, document, now, ENVIRON), now, running, spread=timedelta(days=30))
            async with stage.service(url, document, environ=ENVIRON) as service:
                for rate in RECEIVED:
                    rows += await _at(service, received, rate, seconds)
            await db.close()
    return Report("detect", tuple(rows), (f"{kind}; {running:,} running clocks; {seconds} s each",))


async def _at(service: stage.Served, received: Received, rate: int, seconds: int) -> list[Figure]:
    """Tickets opened in the past so that their clocks are due one after the other, soon."""
    count = rate * seconds
    first = utc_now() + timedelta(seconds=6 + count / 400)
    received.arrivals.clear()
    received.complete.clear()
    received.expected = count
    headers = {"authorization": f"Bearer {stage.KEY}", "content-type": "application/x-ndjson"}
    async with aiohttp.ClientSession(service.url, headers=headers) as session:
        for start in range(0, count, LINES):
            lines = [_line(rate, number, first + timedelta(seconds=number / rate)) for number in range(start, min(count, start + LINES))]
            async with session.post("/v1/events", data=b"\n".join(lines)) as answer:
                assert answer.status == 202, await answer.text()
        assert utc_now() < first, "the tickets could not be taken in before the first one was due"
        async with asyncio.timeout(120 + seconds):
            await received.complete.wait()
        committed = await _committed(session, rate)
    arrived = [(at - _due(body)) * 1000 for at, _, body in received.arrivals]
    return [
        _figure(f"{rate}/s: due -> committed", committed, COMMITTED),
        _figure(f"{rate}/s: due -> received", arrived, RECEIVED[rate]),
    ]


def _line(rate: int, number: int, due: datetime) -> bytes:
    return orjson.dumps(
        {
            "source": f"rate-{rate}", "ticket": str(number), "key": "e1", "at": (due - TARGET).isoformat(), "set": {"status": "open"},
            "message": {"author": "customer", "public": True, "id": "m1"}, "actor": {"kind": "customer", "id": "77"},
        }
    )  # fmt: skip


async def _committed(session: aiohttp.ClientSession, rate: int) -> list[float]:
    """Milliseconds from due to the record of each breach."""
    lags: list[float] = []
    async with session.get("/v1/breaches", params={"source": f"rate-{rate}", "format": "ndjson"}) as answer:
        assert answer.status == 200, await answer.text()
        for line in (await answer.read()).splitlines():
            row: dict[str, Any] = orjson.loads(line)
            due, seen = (datetime.fromisoformat(row[name]) for name in ("breached_at", "detected_at"))
            lags.append((seen - due).total_seconds() * 1000)
    return lags


def _due(body: bytes) -> float:
    return datetime.fromisoformat(orjson.loads(body)["timestamp"]).astimezone(UTC).timestamp()


def _figure(case: str, lags: list[float], goal: float) -> Figure:
    lags.sort()
    p50, p99 = lags[len(lags) // 2], lags[int(len(lags) * 0.99)]
    return Figure(f"{case}, p99 (p50 {p50:.1f})", p99, "ms", f"<= {goal:g}", p99 <= goal)
