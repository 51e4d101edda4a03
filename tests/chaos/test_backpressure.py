"""Too much at once: some are asked to come again, nobody is forgotten, and memory has an end."""

import asyncio
import json
import sqlite3
from collections import Counter
from pathlib import Path

import aiohttp
import httpx
import psutil
import pytest
from fastapi import FastAPI, Request

from app.routers import problems
from app.routers.middleware import ROOM, Bodies, Edge
from app.store.database import Database
from tests.chaos.stage import API
from tests.e2e.stage import KEY, world
from tests.routers.api import Api, problem, running
from tests.support.clock import FakeClock

QUEUE = 4
MIB = 1024 * 1024


async def test_a_full_queue_asks_to_come_again_and_answers_those_inside(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> None:
    async with running(Database(sqlite_url, database_time=False), sqlite_url, clock, tmp_path, queue_limit=QUEUE) as api:
        async with api.parts.db.begin():  # so that no commit can happen
            asked = [asyncio.create_task(_send(api, str(number))) for number in range(40)]
            done, inside = await asyncio.wait(asked, timeout=1)
        refused = [task.result() for task in done]
        accepted = await asyncio.gather(*inside)
        later = await _send(api, "later")
        stored = await api.ok("/v1/tickets")

    assert 1 <= len(inside) <= 2 * QUEUE, "a batch in hand and a queue behind it"
    assert {problem(answer, 503, "unavailable").detail for answer in refused} == {"The events could not be stored at the moment."}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert {answer.status_code for answer in [*accepted, later]} == {202}
    assert len(stored["items"]) == len(inside) + 1


async def _send(api: Api, ticket: str) -> httpx.Response:
    at = api.clock().isoformat()
    return await api.post("/v1/events", json={"source": "shop", "ticket": ticket, "at": at, "set": {"status": "new"}})


async def test_bodies_have_so_much_room_together_and_leave_it_when_they_are_answered() -> None:
    app, inside, let_go = FastAPI(), asyncio.Event(), asyncio.Event()
    problems.install(app)

    @app.post("/hold")
    async def hold(request: Request) -> int:
        size = len(await request.body())
        inside.set()
        await let_go.wait()
        return size

    bodies = Bodies(limit=1000, seconds=5, room=1500)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Edge(app, bodies)), base_url="http://test") as client:
        first = asyncio.create_task(client.post("/hold", content=b"x" * 1000))
        await inside.wait()
        second = await client.post("/hold", content=b"x" * 1000)
        held = bodies.held
        small = asyncio.create_task(client.post("/hold", content=b"x" * 500))
        let_go.set()
        statuses = [(await first).status_code, (await small).status_code, (await client.post("/hold", content=b"x" * 1000)).status_code]

    assert (second.status_code, second.headers["retry-after"]) == (503, "1")
    assert held == 1000
    assert statuses == [200, 200, 200]
    assert bodies.held == 0


@pytest.mark.chaos
async def test_a_process_that_cannot_store_anything_does_not_grow_without_end(tmp_path: Path) -> None:
    file = tmp_path / "slawatch.db"
    event = {"source": "shop", "ticket": "1", "at": "2026-03-02T09:00:00Z", "set": {"subject": "x"}}
    bodies = [json.dumps({**event, "key": str(number)}).ljust(MIB - 100) for number in range(250)]
    async with (
        world(tmp_path, f"sqlite:///{file}") as place,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=60)) as session,
    ):
        service = await place.start(*API)
        process = psutil.Process(service.child.process.pid)
        with sqlite3.connect(file, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            before = process.memory_info().rss
            answers = asyncio.gather(*(_post(session, service.url, body) for body in bodies))
            most = before
            while not answers.done():
                most = max(most, process.memory_info().rss)
                await asyncio.sleep(0.05)
            other.execute("ROLLBACK")
        counted = Counter(await answers)
        again = await _post(session, service.url, bodies[0])

    assert counted.keys() == {(503, "1")}
    assert most - before < 2 * ROOM
    assert again == (202, None)


async def _post(session: aiohttp.ClientSession, url: str, body: str) -> tuple[int, str | None]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Expect": "100-continue"}
    async with session.post(f"{url}/v1/events", data=body, headers=headers) as answer:
        return answer.status, answer.headers.get("Retry-After")
