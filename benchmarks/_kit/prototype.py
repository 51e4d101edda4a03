"""The least that detects: sleep until the next clock is due, claim what is due in one statement, post it, signed.

`python -m benchmarks._kit.prototype DATABASE_URL RECEIVER_URL` works on the table `bare_clocks (id, due_at, told)`, instants in
microseconds, as durable as the service, until its standard input ends. No verdicts, no outbox, no retries: what detection costs at least.
"""

import asyncio
import base64
import hashlib
import hmac
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from time import time
from typing import Final

import aiohttp
import asyncpg
import orjson

TABLES: Final = (
    "CREATE TABLE bare_clocks (id TEXT PRIMARY KEY, due_at BIGINT NOT NULL, told INTEGER NOT NULL)",
    "CREATE INDEX bare_next ON bare_clocks (due_at) WHERE told = 0",
)
LONGEST: Final = 0.25  # seconds of sleep
_BATCH: Final = 1000
_SECRET: Final = b"benchmarks only, and long enough"
_DUE: Final = f"SELECT id FROM bare_clocks WHERE told = 0 AND due_at <= {{at}} ORDER BY due_at LIMIT {_BATCH}"
_CLAIM: Final = f"UPDATE bare_clocks SET told = 1 WHERE id IN ({_DUE}) RETURNING id, due_at"
_CLAIM_POSTGRES: Final = f"UPDATE bare_clocks SET told = 1 WHERE id = ANY(ARRAY({_DUE} FOR UPDATE SKIP LOCKED)) RETURNING id, due_at"
_NEXT: Final = "SELECT min(due_at) FROM bare_clocks WHERE told = 0"

Claimed = list[tuple[str, int]]
Look = Callable[[int], Awaitable[tuple[Claimed, int | None]]]
"""Given the present: what was due and is claimed and committed now, and when the next one is due."""


def _sqlite(file: str) -> Look:
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000"):
        connection.execute(f"PRAGMA {pragma}")

    async def look(at: int) -> tuple[Claimed, int | None]:
        ahead = connection.execute(_NEXT).fetchone()[0]
        claimed = connection.execute(_CLAIM.format(at="?"), (at,)).fetchall() if ahead is not None and ahead <= at else []
        return claimed, connection.execute(_NEXT).fetchone()[0] if claimed else ahead

    return look


async def _postgres(url: str) -> Look:
    connection = await asyncpg.connect(url)

    async def look(at: int) -> tuple[Claimed, int | None]:
        ahead = await connection.fetchval(_NEXT)
        claimed = await connection.fetch(_CLAIM_POSTGRES.format(at="$1"), at) if ahead is not None and ahead <= at else []
        return [tuple(row) for row in claimed], await connection.fetchval(_NEXT) if claimed else ahead

    return look


async def _run(url: str, target: str) -> None:
    look = _sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else await _postgres(url)
    posts: set[asyncio.Task[None]] = set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        while True:
            claimed, ahead = await look(_present())
            for name, due in claimed:
                post = asyncio.create_task(_post(session, target, name, due))
                posts.add(post)
                post.add_done_callback(posts.discard)
            await asyncio.sleep(LONGEST if ahead is None else min(LONGEST, max(0.0, (ahead - _present()) / 1_000_000)))


async def _post(session: aiohttp.ClientSession, target: str, name: str, due: int) -> None:
    body = orjson.dumps({"type": "sla.breached", "timestamp": due, "data": {"clock": name, "filler": "x" * 1000}})
    signature = base64.b64encode(hmac.digest(_SECRET, body, hashlib.sha256)).decode()
    async with session.post(target, data=body, headers={"webhook-id": name, "webhook-signature": f"v1,{signature}"}) as answer:
        await answer.read()


def _present() -> int:
    return round(time() * 1_000_000)


async def main(url: str, target: str) -> None:
    """Until nobody holds our standard input any more."""
    work = asyncio.create_task(_run(url, target))
    await asyncio.to_thread(sys.stdin.read)
    work.cancel()
    await asyncio.wait([work])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
