"""Signals over HTTP: what tickets have raised, listed."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.schemas.instants import rfc3339
from app.schemas.signals import RaisedSignal, Signal
from app.store.database import Database
from tests.routers.api import DOCUMENT, Api, problem, running
from tests.support.clock import FakeClock

SIGNALS = """\
signals:
  silence: {longer_than: 2h}
  severity: {match: {priority: urgent}, escalate: ladder}
escalations:
  ladder:
    steps:
      - {at: breach, notify: upstream}
"""


@pytest.fixture
async def watchful(database: Database, database_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Api]:
    """An application that watches for signals."""
    async with running(database, database_url, clock, tmp_path, DOCUMENT + SIGNALS) as made:
        yield made


async def raised(api: Api) -> None:
    """One ticket that is silent and was severe; one whose silence is taken back by an answer that is heard late."""
    begun = api.clock()
    await api.send({"ticket": "1", "set": {"status": "open", "priority": "urgent", "tags": ["gold"], "subject": "Fire"}})
    await api.send({"ticket": "2", "set": {"status": "open", "subject": "Smoke"}})
    api.clock.advance(minutes=30)
    await api.send({"ticket": "1", "set": {"priority": "low"}})
    api.clock.advance(hours=2)
    await api.tick()
    answer = {"actor": {"kind": "agent", "id": "ann"}, "message": {"author": "agent", "public": True}}
    await api.send({"ticket": "2", "at": rfc3339(begun + timedelta(hours=1)), **answer})


def names(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["external_id"], item["name"]) for item in page["items"]]


async def test_signals_are_listed_the_latest_first_with_what_shows_them(watchful: Api) -> None:
    begun = watchful.clock()
    await raised(watchful)
    page = await watchful.ok("/v1/signals")
    table = list(csv.DictReader(io.StringIO((await watchful.get("/v1/signals", params={"format": "csv"})).text)))
    last = page["items"][-1]
    [run] = (await watchful.ok("/v1/escalations"))["items"]

    assert {("1", "silence"), ("2", "silence"), ("1", "severity")} == set(names(page))
    assert ("severity", rfc3339(begun), run["id"], "gold", "Fire") == tuple(
        last[name] for name in ("name", "raised_at", "escalation_id", "tier", "subject")
    )
    assert last["sentences"]
    assert all(set(item) == set(Signal.model_fields) and Signal.model_validate(item) for item in page["items"])
    assert [item["id"] for item in page["items"]] == [row["id"] for row in table]


async def test_a_ticket_is_shown_with_what_it_has_raised_but_not_with_what_was_taken_back(watchful: Api) -> None:
    await raised(watchful)
    listed = (await watchful.ok("/v1/signals", ticket="shop:1", sort="raised_at"))["items"]
    first, second = [await watchful.ok(f"/v1/tickets/shop:{number}") for number in (1, 2)]

    assert [{name: item[name] for name in RaisedSignal.model_fields} for item in listed] == first["signals"]
    assert [] == second["signals"]


FOUND: list[tuple[dict[str, str], set[tuple[str, str]]]] = [
    ({"stands": "true"}, {("1", "silence")}),
    ({"stands": "false"}, {("1", "severity"), ("2", "silence")}),
    ({"status": "withdrawn"}, {("2", "silence")}),
    ({"name": "silence", "status": "raised"}, {("1", "silence")}),
    ({"escalated": "true"}, {("1", "severity")}),
    ({"tier": "none"}, {("2", "silence")}),
    ({"ticket": "shop:1"}, {("1", "silence"), ("1", "severity")}),
    ({"told": "false"}, set()),
    ({"source": "desk"}, set()),
]


async def test_each_filter_leaves_what_it_says(watchful: Api) -> None:
    begun = watchful.clock()
    await raised(watchful)
    since = {"raised_at[gt]": rfc3339(begun + timedelta(hours=1))}
    for params, expected in [*FOUND, (since, {("1", "silence"), ("2", "silence")})]:
        found = names(await watchful.ok("/v1/signals", **params))

        assert (expected, len(expected)) == (set(found), len(found)), params


async def test_following_the_cursor_yields_every_signal_once(watchful: Api) -> None:
    await raised(watchful)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await watchful.ok("/v1/signals", limit=1, **cursor)
        found += [item["id"] for item in page["items"]]
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert found == [item["id"] for item in (await watchful.ok("/v1/signals"))["items"]]


async def test_the_list_is_for_those_who_may_read(watchful: Api) -> None:
    assert 200 == (await watchful.get("/v1/signals", headers=await watchful.key("read"))).status_code
    problem(await watchful.get("/v1/signals", headers=await watchful.key("ingest")), 403, "forbidden")
