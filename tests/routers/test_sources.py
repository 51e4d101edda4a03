"""Sources and the inbox over HTTP: how a helpdesk does, and reading again what could not be read."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.services.silence import Watch
from app.store.database import Database
from tests.routers.api import DOCUMENT, Api, problem, running
from tests.support.clock import FakeClock

WEBHOOK = "/v1/sources/desk/webhook"
HEADERS = {"authorization": "Bearer desk-secret"}


@pytest.fixture
async def desk(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Api]:
    db = Database(sqlite_url, database_time=False)
    async with running(db, sqlite_url, clock, tmp_path) as made:
        yield made


async def send(api: Api, number: int, word: str) -> Any:
    body = {"ticket": str(number), "id": f"e{number}", "at": api.clock().isoformat(), "status": word}
    return (await api.client.post(WEBHOOK, content=json.dumps(body), headers=HEADERS)).json()


async def test_a_source_tells_its_rates_its_silence_and_its_quarantine(desk: Api) -> None:
    for number, word in enumerate(["open", "open", "ajar"]):
        await send(desk, number, word)
        desk.clock.advance(minutes=10)
    busy = await desk.ok("/v1/sources/desk")
    desk.clock.advance(hours=3)
    [quiet] = (await desk.ok("/v1/sources"))["items"]

    assert (3, 3, 1, False, None) == tuple(
        busy[name] for name in ("received_last_hour", "received_last_day", "quarantined", "silent", "silent_since")
    )
    assert (0, 3, 1, True, busy["last_received_at"]) == tuple(
        quiet[name] for name in ("received_last_hour", "received_last_day", "quarantined", "silent", "silent_since")
    )
    assert (7200, None, []) == (quiet["silent_after_seconds"], quiet["usual_gap_seconds"], quiet["jobs"])


async def test_the_quarantine_is_read_again_at_once_after_the_mapping_was_repaired(desk: Api) -> None:
    for number in range(3):
        await send(desk, number, "ajar")
    waiting = (await desk.ok("/v1/inbox", outcome="quarantined"))["items"]
    tried = await desk.post("/v1/inbox:replay", json={"source": "desk", "dry_run": True})
    await desk.parts.live.put(DOCUMENT.replace("open: open", "open: open, ajar: pending"), author="test", if_match="*")
    done = await desk.post("/v1/inbox:replay", json={"source": "desk"})
    found = (await desk.ok("/v1/tickets"))["items"]

    assert len(waiting) == 3
    assert (200, {"quarantined": 3}, True) == (tried.status_code, tried.json()["outcomes"], tried.json()["dry_run"])
    assert (3, 3, {"applied": 3}, {}) == tuple(done.json()[name] for name in ("matched", "replayed", "outcomes", "reasons"))
    assert {"pending"} == {ticket["status"] for ticket in found}
    assert (await desk.ok("/v1/inbox", outcome="quarantined"))["items"] == []


async def test_replaying_needs_a_source_that_is_there_and_the_right_to_operate(desk: Api) -> None:
    problem(await desk.post("/v1/inbox:replay", json={"source": "nowhere"}), 404, "source_not_found")
    problem(await desk.post("/v1/inbox:replay", json={"source": "desk", "outcome": "odd"}), 422, "invalid_body")

    problem(await desk.post("/v1/inbox:replay", json={"source": "desk"}, headers=await desk.key("read")), 403, "forbidden")


async def test_a_breach_says_that_its_source_was_silent(desk: Api) -> None:
    await send(desk, 1, "open")
    await Watch(desk.parts.db, desk.parts.live, desk.clock).run()
    desk.clock.advance(hours=2, seconds=1)
    await Watch(desk.parts.db, desk.parts.live, desk.clock).run()
    desk.clock.advance(hours=7)
    await desk.tick()
    found = (await desk.ok("/v1/breaches"))["items"]

    assert found
    assert all(breach["source_stale"] for breach in found)
