"""The context that every notice carries: what happened, what was tried, who had it, what comes next, what helps."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.services.bodies import BODY_MAX
from app.store.database import Database
from app.store.tables import notices
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DOCUMENT = """
version: 1
policies:
  - {name: everyone, targets: {first_response: 1h, resolution: 4h}, escalation: ladder}
escalations:
  ladder:
    steps:
      - {at: breach, notify: lead}
      - {after: 30m, wall: true, notify: lead}
signals:
  severity: {match: {priority: urgent}, escalate: ladder}
guidance:
  language: de
  update_within: 2h
  texts:
    first_response:
      de: {advice: Jetzt antworten.}
      fr: {customer: "Nous revenons vers vous avant {next_update} pour {ticket}."}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*", "signal.*"]}
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}"}
"""


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose document has guidance of its own."""
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def said(desk: World, type_: str) -> list[dict[str, Any]]:
    """The data of what was said, oldest first."""
    return [orjson.loads(row.body)["data"] for row in await desk.rows(notices, "created_at", "id") if row.type == type_]


async def test_a_breach_tells_what_happened_what_was_tried_and_what_comes_next(desk: World) -> None:
    start = desk.clock()
    await desk.tell(
        event(start, "created", status="new"),
        event(start + MINUTE, "updated", assignee="anna", status="open"),
        event(start + 2 * MINUTE, "updated", assignee="bert"),
        event(start + 3 * MINUTE, "asks"),
    )
    desk.clock.set(start + HOUR)
    await desk.tick()
    [data] = await said(desk, "sla.breached")

    assert [
        ("customer", "ticket created"),
        ("helpdesk", "status new → open; assignee not set → anna"),
        ("helpdesk", "assignee anna → bert"),
        ("customer", "asked"),
    ] == [(one["who"], one["what"]) for one in data["history"]]
    assert {"replies": 0, "customer_messages": 1, "notes": 0, "transfers": 1, "reopenings": 0} == data["tried"]
    assert [("anna", True), ("bert", False)] == [(owner["who"], "until" in owner) for owner in data["owners"]]
    assert ["resolution is due"] == [one["what"] for one in data["upcoming"]]
    assert [] == data["earlier_escalations"]


async def test_guidance_is_the_documents_in_its_language_and_the_customers_in_theirs(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created", language="fr-CA"), event(start, "created", "2"))
    desk.clock.set(start + HOUR)
    await desk.tick()
    french, english = sorted(await said(desk, "sla.breached"), key=lambda data: str(data["ticket"]["external_id"]))

    assert ["Jetzt antworten."] == french["guidance"] == english["guidance"]
    assert f"Nous revenons vers vous avant {start + 3 * HOUR:%Y-%m-%d %H:%M} (UTC) pour #1." == french["customer_text"]
    assert english["customer_text"].startswith("Thank you for your patience with #2")


async def test_good_news_carries_no_advice(desk: World) -> None:
    start = desk.clock()
    desk.clock.set(start + 2 * HOUR)
    await desk.tell(event(start, "created"))
    await desk.tell(event(start + 2 * HOUR, "replies"))
    [late] = await said(desk, "sla.met_late")

    assert ([], False) == (late["guidance"], "customer_text" in late)
    assert ["ticket created", "public message"] == [one["what"] for one in late["history"]]


async def test_a_step_of_a_signals_ladder_tells_the_signal_with_its_evidence_and_the_escalations_before(desk: World) -> None:
    start = desk.clock()
    desk.clock.set(start + HOUR)
    await desk.tell(event(start, "created"))
    await desk.tell(event(start + HOUR, "updated", priority="urgent"))
    steps = {data["escalation"]["cause"]: data for data in await said(desk, "escalation.step")}
    [raised] = await said(desk, "signal.raised")
    told = steps["signal"]

    assert told["signal"] == raised["signal"]
    assert told["signal"]["evidence"][0].endswith("priority is urgent.")
    assert [("breach", "active")] == [(one["cause"], one["state"]) for one in told["earlier_escalations"]]
    assert ["next step of the ladder ladder", "resolution is due"] == [one["what"] for one in told["upcoming"]]
    assert "Take it before everything else, and say in the ticket that you have it." == told["guidance"][0]


async def test_a_body_that_would_be_too_large_loses_the_oldest_history_first(desk: World) -> None:
    start = desk.clock()
    huge = dict.fromkeys(("subject", "url", "category"), "ä" * 490)
    tags = tuple(f"{number}" + "ü" * 120 for number in range(40))
    await desk.tell(event(start, "created", tags=tags, **huge, requester="ß" * 290), *_long_story(start))
    desk.clock.set(start + HOUR)
    await desk.tick()
    [row] = [row for row in await desk.rows(notices) if row.type == "sla.breached"]
    data = orjson.loads(row.body)["data"]

    assert BODY_MAX - 2_000 < len(row.body) <= BODY_MAX
    assert data["truncated"]
    assert 0 < len(data["history"]) < 10
    assert "#29" in data["history"][-1]["what"]


def _long_story(start: Any) -> list[Any]:
    long = "ö" * 190
    return [
        event(start + number * MINUTE, "updated", group=f"#{number}{long}", category=f"#{number}{long}", organization=f"{number}{long}")
        for number in range(30)
    ]
