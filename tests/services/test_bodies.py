"""Bodies are made without the models that describe them, and are what these say all the same."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.schemas.events_out import EscalationData, SignalData, SlaData, event_types
from app.services.acknowledge import acknowledge
from app.services.breaches import fire_due
from app.services.escalations import fire_steps, open_by_hand
from app.store.database import Database
from app.store.tables import breaches, deliveries, notices
from tests.services.world import World, as_documented, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DOCUMENT = """
version: 1
policies:
  - name: everyone
    targets: {first_response: 1h, resolution: {within: {low: 24h, default: 4h}}}
    warn_at: [50%]
    escalation: ladder
escalations:
  ladder:
    steps:
      - {at: breach, notify: lead}
      - {after: 30m, wall: true, notify: lead}
signals:
  severity: {match: {priority: urgent}, escalate: ladder}
channels:
  upstream:
    kind: webhook
    url: https://hooks.example.com/sla
    secret: "${env:SECRET}"
    events: ["sla.*", "signal.*", "escalation.*"]
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}"}
"""
SAID = {type_ for type_ in event_types() if type_.startswith(("sla.", "escalation.", "signal."))} - {"sla.digest"}
"""What is said of tickets."""


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """A world in which everything is told, with links."""
    async with world(database, clock, tmp_path, DOCUMENT, public_url="https://sla.example.com/") as made:
        yield made


async def pass_time(desk: World, span: timedelta) -> None:
    """So much time later everything that is due is looked at."""
    desk.clock.set(desk.clock() + span)
    await fire_due(desk.db, desk.live, desk.clock)
    await fire_steps(desk.db, desk.live, desk.clock)


async def accept_everything(desk: World) -> None:
    """The receivers accept what waits for them."""
    async with desk.db.begin() as conn:
        waiting = deliveries.c.state == "pending"
        await conn.execute(deliveries.update().where(waiting).values(state="delivered", next_attempt_at=None, delivered_at=desk.clock()))


async def tell_everything(desk: World) -> None:
    """Tickets that between them give rise to everything that is said of tickets."""
    start = desk.clock()
    facts: dict[str, Any] = {
        "subject": 'Grüße\t\u2028 "quoted" \\ \x7f',
        "tags": ("a", "ü"),
        "requester": "zoe",
        "organization": "Acme",
        "language": "de",
    }
    for ticket in "12345":
        await desk.tell(event(start, "created", ticket, **facts))
    await desk.tell(event(start, "updated", "1", assignee="anna", group="first"), event(start + MINUTE, "asks", "1"))
    await pass_time(desk, HOUR / 2)
    await pass_time(desk, HOUR / 2 + MINUTE)
    await desk.tell(event(desk.clock(), "replies", "2"))  # nobody was told yet
    await accept_everything(desk)
    await desk.tell(event(desk.clock(), "replies", "1"), event(start + MINUTE, "replies", "3", key="the-proof"))
    await desk.tell(event(desk.clock(), "updated", "4", priority="urgent"))
    await desk.tell(event(desk.clock(), "updated", "5", priority="low"))
    await open_by_hand(
        desk.db, desk.live, desk.clock, reference="desk:5", type_="functional", target="lead", reason="Bitte übernehmen", by="jo"
    )
    [mine] = [row for row in await desk.rows(breaches) if row.status == "open" and row.ticket_id == await ticket_id(desk, "4")]
    await acknowledge(desk.db, desk.live, desk.clock, mine.id, by="jo", note=None)
    await pass_time(desk, HOUR)
    await pass_time(desk, HOUR)


async def ticket_id(desk: World, external_id: str) -> str:
    bodies = [orjson.loads(row.body) for row in await desk.rows(notices)]
    return str(next(body["data"]["ticket"]["id"] for body in bodies if body["data"]["ticket"]["external_id"] == external_id))


async def test_every_kind_of_body_is_what_its_model_says_to_the_byte(desk: World) -> None:
    await tell_everything(desk)
    rows = await desk.rows(notices)

    assert SAID == {row.type for row in rows}
    assert [as_documented(row.type, row.body) for row in rows] == [row.body for row in rows]


async def test_between_them_the_bodies_have_every_field_of_their_models(desk: World) -> None:
    await tell_everything(desk)
    bodies = [orjson.loads(row.body)["data"] for row in await desk.rows(notices)]
    told = {name for body in bodies for name in body}
    documented = {name for model in (SlaData, EscalationData, SignalData) for name in model.model_fields}

    assert documented - {"source_stale"} == told
