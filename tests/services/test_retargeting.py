"""Another due instant because another promise: told once, with what it was and why; and not for what moves by itself."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.rules.evaluate import evaluate
from app.schemas.events_out import event_types
from app.services import retargeting, silences
from app.services.breaches import rejudge_stale
from app.services.consequences import Consequences, follow
from app.services.silences import Wish
from app.store import clocks as clock_store
from app.store import tickets
from app.store.database import Database
from app.store.tables import audit_log, clocks, deliveries, notices
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
TYPE = "sla.retargeted"
DOCUMENT = """
version: 1
tiers:
  - {name: gold, match: {organization: Acme}, from: "2026-03-02T11:00:00Z"}
  - {name: standard}
policies:
  - {name: gold, match: {tier: gold}, targets: {resolution: 3h}}
  - name: everyone
    targets:
      next_response: 6h
      resolution: {within: {high: 2h, low: 8h, default: 4h}, pause_while: {status: pending}}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: [sla.breached, sla.retargeted]}
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}", events: [sla.breached]}
"""


@asynccontextmanager
async def begun(db: Database, clock: FakeClock, folder: Path) -> AsyncIterator[World]:
    """The world of `DOCUMENT`, where a ticket without a priority was created at 09:00."""
    async with world(db, clock, folder, DOCUMENT) as made:
        await made.tell(event(clock(), "created", status="open"))
        yield made


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """On both databases."""
    async with begun(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def place(sqlite_url: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """On SQLite."""
    db = Database(sqlite_url, database_time=False)
    await db.open()
    async with begun(db, clock, tmp_path) as made:
        yield made
    await db.close()


async def told(place: World) -> list[dict[str, Any]]:
    """The bodies of what was said of due instants, the oldest first; each fits its model."""
    rows = [row for row in await place.rows(notices, "created_at", "id") if row.type == TYPE]
    bodies = [json.loads(row.body) for row in rows]
    for body in bodies:
        event_types()[TYPE].model_validate(body)
    return bodies


async def changes(place: World, **facts: Any) -> None:
    """An hour later the helpdesk tells that facts have changed."""
    place.clock.advance(hours=1)
    await place.tell(event(place.clock(), "updated", **facts))


async def applies(place: World, old: str, new: str, *, judged: bool = True) -> None:
    """The document is replaced; `judged` False: nothing has looked at the tickets since."""
    live = place.live
    assert old in live.current.text
    await live.put(live.current.text.replace(old, new), author="test", if_match=f'"{live.current.etag}"')
    while judged and await rejudge_stale(place.db, live, place.clock):
        pass


def at(hour: int) -> str:
    return f"2026-03-02T{hour:02}:00:00.000Z"


def spoken(body: dict[str, Any]) -> tuple[Any, ...]:
    """Due before and after, and what has changed."""
    moved = body["data"]["retargeted"]
    return moved["due_before"], moved["due_after"], {one["what"]: (one.get("before"), one.get("after")) for one in moved["changes"]}


async def test_a_raised_priority_is_told_to_whoever_hears_of_it_with_both_due_instants_and_why(desk: World) -> None:
    await changes(desk, priority="high")
    [body] = await told(desk)
    [delivery] = await desk.rows(deliveries)

    assert (at(13), at(11), {"priority": (None, "high"), "target": ("4h", "2h")}) == spoken(body)
    assert (TYPE, at(10), at(11)) == (body["type"], body["timestamp"], body["data"]["clock"]["due_at"])
    assert (("upstream", TYPE), desk.clock() + HOUR) == ((delivery.channel, delivery.type), delivery.expires_at)


async def test_the_change_dates_from_when_it_was_made_not_from_when_it_was_told(place: World) -> None:
    start = place.clock()
    place.clock.advance(hours=1)
    await place.tell(event(start + HOUR / 2, "updated", priority="low"))
    [body] = await told(place)

    assert ("2026-03-02T09:30:00.000Z", at(17)) == (body["timestamp"], body["data"]["retargeted"]["due_after"])


async def test_a_changed_document_is_told_of_every_clock_it_moves_and_only_once(desk: World) -> None:
    desk.clock.advance(hours=1)
    await applies(desk, "default: 4h", "default: 5h")
    await applies(desk, "lead.example.com", "boss.example.com")
    await desk.tell(event(desk.clock(), "asks"))
    [body] = await told(desk)

    assert (at(13), at(14), {"revision": ("1", "2"), "target": ("4h", "5h")}) == spoken(body)
    assert (at(10), 2) == (body["timestamp"], body["data"]["why"]["revision"])


async def test_other_hours_in_the_document_are_told_as_another_revision(place: World) -> None:
    night = 'calendars: {office: {timezone: UTC, hours: {mon-fri: "09:00-12:00"}}}\npolicies:'
    await applies(place, "policies:", night)
    await applies(place, "targets:\n", "calendar: office\n    targets:\n")
    await applies(place, "12:00", "11:00")

    assert [
        ("2026-03-02T13:00:00.000Z", "2026-03-03T10:00:00.000Z", {"revision": ("2", "3"), "calendar": ("always", "office")}),
        ("2026-03-03T10:00:00.000Z", "2026-03-03T11:00:00.000Z", {"revision": ("3", "4")}),
    ] == [spoken(body) for body in await told(place)]


async def test_a_tier_that_changes_by_date_alone_is_told(place: World) -> None:
    await changes(place, organization="Acme")
    place.clock.advance(hours=1)
    await place.tick()
    [body] = await told(place)

    assert (at(13), at(12), {"tier": ("standard", "gold"), "policy": ("everyone", "gold"), "target": ("4h", "3h")}) == spoken(body)
    assert at(11) == body["timestamp"]


async def test_where_no_channel_hears_of_it_nothing_is_written_though_the_audit_log_knows(desk: World) -> None:
    await applies(desk, ", sla.retargeted]", "]")
    await applies(desk, "default: 4h", "default: 5h")
    await changes(desk, priority="high")
    moved = [row for row in await desk.rows(audit_log) if row.action == "clock.retargeted"]

    assert ([], []) == (await desk.rows(notices), await desk.rows(deliveries))
    assert [at(14)] == [row.detail["due_after"] for row in moved]


@pytest.mark.parametrize(("events", "made"), [("sla.retargeted", 1), ("sla.recovered", 0)])
async def test_nothing_is_even_made_ready_to_be_said_where_no_channel_hears_of_it(place: World, events: str, made: int) -> None:
    await applies(place, "sla.retargeted", events)
    await applies(place, "default: 4h", "default: 5h", judged=False)
    current, at_ = place.live.current, place.clock()
    async with place.db.begin() as conn:
        [ticket] = await tickets.lock_stale(conn, current.judges_as, limit=9)
        stored = await clock_store.of_tickets(conn, [ticket.id])
    found, verdict = Consequences(), evaluate(ticket.timeline, current.book, at_)
    follow(found, ticket, verdict, stored[ticket.id], {}, revision=current.judges_as, at=at_)
    retargeting.tell(found, ticket, verdict, current, at_)

    assert (1, made) == (len(found.shifts), len(found.retargets))


async def test_pauses_reopenings_and_messages_move_due_instants_and_are_not_told(place: World) -> None:
    for facts in ({"status": "pending"}, {"status": "open"}, {"status": "solved"}, {"status": "open"}):
        await changes(place, **facts)
    await place.tell(event(place.clock() - HOUR / 4, "asks"))
    await place.tell(event(place.clock() - HOUR / 2, "asks"))
    short = (event(place.clock() + HOUR / 2, "updated", status="pending"), event(place.clock() + HOUR, "updated", status="open"))
    place.clock.advance(hours=1)
    await place.tell(*short)
    rows = {row.metric: row.due_at for row in await place.rows(clocks)}

    assert [] == await told(place)
    assert place.clock() + timedelta(hours=1.5) == rows["resolution"]


async def test_a_pause_within_one_message_is_not_told_whatever_the_document_became_meanwhile(place: World) -> None:
    await applies(place, "organization: Acme", "organization: Initech", judged=False)
    start = place.clock()
    place.clock.advance(hours=1)
    await place.tell(event(start + HOUR / 2, "updated", status="pending"), event(start + HOUR, "updated", status="open"))
    [row] = await place.rows(clocks)

    assert (start + HOUR * 9 / 2, 2) == (row.due_at, row.revision)
    assert [] == await told(place)


@pytest.mark.parametrize(
    ("old", "new", "facts", "due", "changed"),
    [
        ("default: 4h", "default: 5h", {"priority": "low"}, 17, {"revision", "target", "priority"}),
        ("organization: Acme", "organization: Initech", {"priority": "low"}, 17, {"revision", "target", "priority"}),
        ("default: 4h", "default: 5h", {"subject": "Help"}, 14, {"revision", "target"}),
    ],
    ids=["both moved it", "the message moved it", "the document moved it"],
)
async def test_a_message_that_comes_before_a_new_document_was_looked_at_tells_both(
    place: World, old: str, new: str, facts: dict[str, Any], due: int, changed: set[str]
) -> None:
    await applies(place, old, new, judged=False)
    await changes(place, **facts)
    [body] = await told(place)
    before, after, why = spoken(body)

    assert (at(13), at(due), changed) == (before, after, set(why))


async def test_while_the_clock_stands_still_a_change_is_not_told_nor_when_it_goes_on(place: World) -> None:
    await changes(place, status="pending", priority="low")
    await changes(place, priority="high")
    await applies(place, "low: 8h", "low: 9h")
    await changes(place, status="open", priority="low")
    [row] = await place.rows(clocks)

    assert place.clock() + timedelta(hours=8) == row.due_at
    assert [] == await told(place)


async def test_the_same_told_twice_is_said_once_and_back_and_forth_is_said_each_time(desk: World) -> None:
    raised = event(desk.clock() + HOUR / 4, "updated", priority="high")
    desk.clock.advance(minutes=15)
    await desk.tell(raised)
    await desk.tell(raised)
    await desk.tick()
    for minutes, priority in ((20, "low"), (25, "high"), (30, "low")):
        await desk.tell(event(desk.clock() + timedelta(minutes=minutes - 15), "updated", priority=priority))

    assert [at(11), at(17), at(11), at(17)] == [body["data"]["retargeted"]["due_after"] for body in await told(desk)]
    assert 4 == len(await desk.rows(deliveries))


async def test_what_breaks_by_it_is_told_as_a_breach_alone(place: World) -> None:
    place.clock.advance(hours=2)
    await changes(place, priority="high")
    rows = await place.rows(deliveries, "channel")

    assert [("sla.breached", "lead"), ("sla.breached", "upstream")] == [(row.type, row.channel) for row in rows]
    assert "retargeted" == json.loads((await place.rows(notices))[0].body)["data"]["cause"]


async def test_of_a_broken_clock_no_other_due_instant_is_told(place: World) -> None:
    place.clock.advance(hours=4)
    await place.tick()
    await applies(place, "default: 4h", "default: 8h")
    await changes(place, priority="low")

    assert [] == await told(place)


async def test_history_that_is_imported_is_not_told(place: World) -> None:
    place.clock.advance(hours=1)
    await place.tell(event(place.clock(), "updated", priority="high"), quiet=True)
    [row] = await place.rows(clocks)

    assert place.clock() + HOUR == row.due_at
    assert [] == await told(place)


async def test_a_clock_that_begins_anew_is_another_clock(place: World) -> None:
    await applies(place, "name: everyone\n", "name: everyone\n    on_change: restart\n")
    await changes(place, priority="low")
    running = [row.due_at for row in await place.rows(clocks) if row.state == "running"]

    assert [place.clock() + timedelta(hours=8)] == running
    assert [] == await told(place)


async def test_what_was_not_sent_before_the_clock_stopped_is_not_sent_any_more(desk: World) -> None:
    await changes(desk, priority="low")
    await changes(desk, status="solved")

    assert [(TYPE, "superseded")] == [(row.type, row.state) for row in await desk.rows(deliveries)]


async def test_silences_and_quiet_hours_hold_for_it(place: World) -> None:
    quiet = 'events: [sla.retargeted], quiet: {outside: noon}}\n  lead: {kind: webhook, url: "https://lead.example.com/sla"'
    await applies(place, "policies:", 'calendars: {noon: {timezone: UTC, hours: {mon-fri: "12:00-13:00"}}}\npolicies:')
    await applies(place, 'events: [sla.breached, sla.retargeted]}\n  lead: {kind: webhook, url: "https://lead.example.com/sla"', quiet)
    await changes(place, priority="low")
    wish = Wish({"priority": "normal"}, "moving house", "jo", span=timedelta(hours=5), channels=["upstream"])
    await silences.create(place.db, place.live, place.clock, wish)
    await changes(place, priority="normal")
    waits, kept = await place.rows(deliveries, "created_at")

    assert ("pending", datetime.fromisoformat(at(12))) == (waits.state, waits.next_attempt_at)
    assert ("suppressed", None) == (kept.state, kept.next_attempt_at)


async def test_a_document_that_promises_the_same_has_no_ticket_judged_anew(desk: World) -> None:
    await applies(desk, "lead.example.com", "boss.example.com", judged=False)
    unchanged = await rejudge_stale(desk.db, desk.live, desk.clock)
    [row] = await desk.rows(clocks)
    await applies(desk, "default: 4h", "default: 5h", judged=False)

    assert (0, 1, 2) == (unchanged, row.revision, desk.live.current.revision - 1)
    assert await rejudge_stale(desk.db, desk.live, desk.clock) == 1
