"""What a silence leaves behind where each breach is an incident of its own: told one by one, and each ends with its all-clear."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy import update

from app.channels import Notice, pagerduty
from app.delivery import fallbacks
from app.exchange import HttpRequest
from app.services import silences
from app.services.routes import routes
from app.services.silences import Wish
from app.services.summaries import tell_what_is_left
from app.store.database import Database
from app.store.tables import deliveries, notices, tickets
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
DOCUMENT = """
version: 1
calendars: {office: {timezone: Europe/Berlin, hours: {mon-fri: "08:00-17:00"}}}
policies: [{name: everyone, targets: {first_response: 1h}, escalation: ladder}]
escalations: {ladder: {steps: [{at: breach, notify: [chat, duty]}]}}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}"}
  chat: {kind: slack, url: "https://a.example.com/x", fallback: {channel: duty, after: 5m}}
  duty:
    kind: pagerduty
    routing_key: "${env:SECRET}"
    events: [sla.recovered, escalation.*]
    quiet: {outside: office}
    fallback: {channel: upstream, after: 10m}
"""


@pytest.fixture
async def place(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def broken_in_silence(place: World, count: int, hours: float = 3) -> None:
    """So many tickets, broken in a silence that ends so long after it began."""
    await silences.create(place.db, place.live, place.clock, Wish({"source": "desk"}, "moving house", "jo", span=hours * HOUR))
    await place.tell(*(event(place.clock(), "created", f"{n}") for n in range(1, count + 1)))
    place.clock.advance(hours=1)
    await place.tick()


async def its_end(place: World, hours: float = 2) -> int:
    place.clock.advance(hours=hours)
    return await tell_what_is_left(place.db, place.live, place.clock)


async def of(place: World, channel: str) -> Sequence[Any]:
    return [row for row in await place.rows(deliveries, "created_at", "id") if row.channel == channel]


async def waits(place: World, channel: str) -> list[tuple[str, datetime]]:
    return [(row.type, row.next_attempt_at) for row in await of(place, channel) if row.state == "pending"]


async def accept(place: World) -> None:
    """Every channel accepts what waits for it."""
    async with place.db.begin() as conn:
        accepted = {"state": "delivered", "next_attempt_at": None, "delivered_at": place.clock()}
        await conn.execute(update(deliveries).where(deliveries.c.state == "pending").values(**accepted))


async def called(place: World) -> list[tuple[str, str]]:
    """What PagerDuty has accepted or waits for: the action and the key of its incident."""
    bodies = {row.id: row.body for row in await place.rows(notices)}
    config = pagerduty.Config(routing_key=SecretStr("R" * 32))
    found = []
    for row in await of(place, "duty"):
        if row.state in ("pending", "delivered"):
            body = bodies[row.notice_id]
            request = pagerduty.render(Notice(row.notice_id, row.type, body, orjson.loads(body)), config, place.clock())
            assert isinstance(request, HttpRequest)
            sent = orjson.loads(request.body)
            found.append((sent["event_action"], sent["dedup_key"]))
    return found


async def test_a_pager_hears_each_breach_by_itself_and_a_chat_all_in_one(place: World) -> None:
    await broken_in_silence(place, 3)
    assert ([], []) == (await waits(place, "duty"), await waits(place, "chat"))
    told = await its_end(place)

    assert 2 == told
    assert [("sla.breached", place.clock())] * 3 == await waits(place, "duty")
    assert ["sla.digest"] == [type_ for type_, _ in await waits(place, "chat")]
    assert 0 == await tell_what_is_left(place.db, place.live, place.clock)


async def test_every_incident_that_is_opened_is_resolved(place: World) -> None:
    await broken_in_silence(place, 2)
    await its_end(place)
    opened = await called(place)
    await accept(place)
    place.clock.advance(minutes=1)
    await place.tell(*(event(place.clock(), "replies", f"{n}") for n in (1, 2)))
    told = await called(place)

    assert ["trigger", "trigger"] == [action for action, _ in opened]
    assert 2 == len({key for _, key in opened})
    assert {key for _, key in opened} == {key for action, key in told if action == "resolve"}
    assert {action for action, _ in told} == {"trigger", "resolve"}


async def test_what_was_answered_in_the_silence_opens_no_incident(place: World) -> None:
    await broken_in_silence(place, 2)
    place.clock.advance(minutes=1)
    await place.tell(event(place.clock(), "replies", "1"))
    await its_end(place)
    [(action, key)] = await called(place)
    [left] = [row for row in await of(place, "duty") if row.state == "pending"]

    assert ("trigger", f"sla:{left.clock_id}") == (action, key)


async def test_what_else_was_suppressed_of_the_breach_counts_as_told_by_it(place: World) -> None:
    await broken_in_silence(place, 1)
    await its_end(place)
    [breach] = [row for row in await of(place, "duty") if row.type == "sla.breached"]
    others = [row for row in await of(place, "duty") if row.type != "sla.breached"]

    assert ["escalation.opened"] == [row.type for row in others]
    assert {("suppressed", breach.id)} == {(row.state, row.waits_for) for row in others}


async def test_each_waits_for_the_end_of_the_quiet_hours_and_the_fallback_from_then_on(place: World) -> None:
    place.clock.set(datetime(2026, 3, 2, 15, tzinfo=UTC))
    await broken_in_silence(place, 1)
    await its_end(place)
    [row] = [row for row in await of(place, "duty") if row.state == "pending"]
    opens = datetime(2026, 3, 3, 7, tzinfo=UTC)

    assert (opens, opens + timedelta(minutes=10)) == (row.next_attempt_at, row.fallback_at)


async def test_a_pager_that_is_the_fallback_of_a_chat_hears_what_its_digest_stands_for_and_still_holds(place: World) -> None:
    text = DOCUMENT.replace("notify: [chat, duty]", "notify: chat").replace("    events: [sla.recovered, escalation.*]\n", "")
    await place.live.put(text, author="test", if_match="*")
    await broken_in_silence(place, 3)
    await its_end(place)
    await place.tell(event(place.clock(), "replies", "2"))
    place.clock.advance(minutes=5)
    for _ in range(2):
        async with place.db.begin() as conn:
            await fallbacks.tell(conn, routes(place.live.current), place.clock())
    opened = await called(place)
    subjects = {row.id: row.external_id for row in await place.rows(tickets)}

    assert [("sla.breached", place.clock())] * 2 == await waits(place, "duty")
    assert ["trigger", "trigger"] == [action for action, _ in opened]
    assert {"1", "3"} == {subjects[row.ticket_id] for row in await of(place, "duty")}
