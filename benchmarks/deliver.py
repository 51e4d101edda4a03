"""Signed webhooks out of the outbox: sent, answered, recorded. Against a bare client that signs and posts the same bytes; a storm on two
channels; and whether one endpoint that never answers delays a hundred others."""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from statistics import median
from time import perf_counter, time
from typing import Final

import aiohttp
import orjson

from app.delivery.turns import PER_QUICK_CHANNEL
from app.ids import MESSAGE, new_id
from app.schemas.events_out_examples import examples
from app.store import outbox
from app.store.database import Database
from app.timesource import utc_now
from benchmarks import Figure, Report
from benchmarks._kit import stage
from benchmarks._kit.receiver import Received, receiver
from benchmarks._kit.seed import opened

GOAL: Final = 0.4  # of the bare client
STORM_GOAL: Final = 6.0  # seconds
NEIGHBOUR_GOAL: Final = 1.1  # times the p99 without a dead endpoint
IN_FLIGHT: Final = 64
ENVIRON: Final = {"UPSTREAM": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
BODY: Final = orjson.dumps(examples()["sla.breached"])
CHANNEL: Final = '  c{n}: {{kind: webhook, url: "http://127.0.0.1:{port}/{path}", allow_http: true, secrets: ["${{env:UPSTREAM}}"]}}'


def run(*, quick: bool, db: str) -> Report:
    """Deliveries per second, seconds, milliseconds."""
    return asyncio.run(_run(2_000 if quick else 20_000, 2_000 if quick else 10_000, 1 if quick else 5, db))


async def _run(count: int, storm: int, rounds: int, kind: str) -> Report:
    ours, _ = await _delivered(kind, channels=16, count=count)
    anchor = await _bare(count)
    first, last = await _span(kind, storm)
    lags = [(await _others(kind, dead=False), await _others(kind, dead=True)) for _ in range(rounds)]
    calm, beside = (median(each[place] for each in lags) for place in (0, 1))
    seconds = last - first
    return Report(
        "deliver",
        (
            Figure("16 channels", ours, "per second", f">= {GOAL:g}", ours >= GOAL * anchor, anchor, ours / anchor),
            Figure(f"{storm:,} x 2 channels", seconds, "s", f"<= {STORM_GOAL:g}", seconds <= STORM_GOAL),
            Figure(
                "99 of 100, one dead, p99", beside, "ms", f"<= {NEIGHBOUR_GOAL:g} x", beside <= NEIGHBOUR_GOAL * calm, calm, beside / calm
            ),
        ),
        (f"{kind}; {count:,} deliveries; the bare client has {IN_FLIGHT} on their way, we at most {PER_QUICK_CHANNEL} for each channel",),
    )


async def _delivered(kind: str, *, channels: int, count: int) -> tuple[float, Received]:
    """Per second, from the first arrival to the last."""
    received, first, last = await _work_off(kind, [f"c{n}" for n in range(channels)], count // channels)
    return len(received.arrivals) / (last - first), received


async def _span(kind: str, storm: int) -> tuple[float, float]:
    _, first, last = await _work_off(kind, ["c0", "c1"], storm)
    return first, last


async def _others(kind: str, *, dead: bool) -> float:
    """99th percentile of the milliseconds from the first arrival, over the channels that live."""
    received, first, _ = await _work_off(kind, [f"c{n}" for n in range(100)], 30, dead=dead)
    lags = sorted((at - first) * 1000 for at, _, _ in received.arrivals)
    return lags[int(len(lags) * 0.99)]


async def _work_off(kind: str, names: Sequence[str], each: int, *, dead: bool = False) -> tuple[Received, float, float]:
    """Fill an outbox, start a worker, wait for everything that can arrive."""
    with stage.database(kind) as url:
        async with receiver() as received:
            lines = [CHANNEL.format(n=n, port=received.port, path="dead" if dead and n == 0 else name) for n, name in enumerate(names)]
            document = "\n".join(["version: 1", "delivery: {allow_networks: [127.0.0.0/8]}", "channels:", *lines, ""])
            received.expected = each * (len(names) - dead)
            db = await opened(url)
            await _fill(db, names, each)
            await db.close()
            async with stage.service(url, document, role="worker", environ=ENVIRON):
                async with asyncio.timeout(120):
                    await received.complete.wait()
    times = [at for at, _, _ in received.arrivals]
    return received, min(times), max(times)


async def _fill(db: Database, names: Sequence[str], each: int) -> None:
    at = utc_now()
    notices, deliveries = [], []
    for _ in range(each):
        notice_id = new_id(MESSAGE)
        notices.append({"id": notice_id, "type": "sla.breached", "milestone": "breach", "body": BODY, "created_at": at})
        deliveries += [outbox.fresh(notice_id, "sla.breached", name, f"{notice_id}:{name}", at) for name in names]
    for start in range(0, len(deliveries), 2000):
        async with db.begin() as conn:
            await outbox.add(conn, notices if start == 0 else [], deliveries[start : start + 2000])


async def _bare(count: int) -> float:
    """Signs and posts, nothing else."""
    key = b"0123456789abcdef0123456789abcdef"
    async with receiver() as received, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        numbers = iter(range(count))
        url = f"http://127.0.0.1:{received.port}/bare"

        async def work() -> None:
            for number in numbers:
                stamp = str(int(time()))
                digest = hmac.new(key, f"msg_{number}.{stamp}.".encode() + BODY, hashlib.sha256).hexdigest()
                headers = {"webhook-id": f"msg_{number}", "webhook-timestamp": stamp, "webhook-signature": digest}
                async with session.post(url, data=BODY, headers=headers) as answer:
                    await answer.read()

        began = perf_counter()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return count / (perf_counter() - began)
