"""Signals: raised with the verdict, told once, dated by the moment at which they became true; they open escalations and are over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.services.breaches import fire_due, rejudge_stale
from app.services.escalations import open_by_hand
from app.services.reads import Reader
from app.store import retention
from app.store.database import Database
from app.store.tables import deliveries, escalations, notices, signals, tickets
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DOCUMENT = """
version: 1
tiers:
  - {name: gold, match: {tags: gold}}
  - {name: rest}
policies:
  - {name: everyone, targets: {resolution: 1000h}}
escalations:
  ladder:
    steps:
      - {at: breach, notify: lead}
signals:
  silence: {longer_than: 2h, escalate: ladder, tiers: {gold: {longer_than: 1h}}}
  repeat_ticket: {more_than: 0, within: 7d}
  severity: {match: {priority: urgent}, immediate: true}
  low_csat: {below: 3}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["signal.*"]}
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}"}
"""


@pytest.fixture
async def watchful(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """A world that watches for signals."""
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


async def told(desk: World, type_: str = "signal.raised") -> list[dict[str, Any]]:
    """The bodies of what was said, oldest first."""
    return [orjson.loads(row.body) for row in await desk.rows(notices, "created_at", "id") if row.type == type_]


async def standing(desk: World) -> list[tuple[str, Any]]:
    return [(row.name, row.raised_at) for row in await desk.rows(signals, "raised_at", "name") if row.status == "raised"]


async def test_a_silence_is_raised_without_any_event_once_and_opens_its_ladder(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created"))
    watchful.clock.set(start + 2 * HOUR - timedelta(seconds=1))
    await watchful.tick()
    assert [] == await watchful.rows(signals)

    watchful.clock.set(start + 2 * HOUR + timedelta(seconds=3))
    await watchful.tick()
    await watchful.tick()
    [row], [run] = await watchful.rows(signals), await watchful.rows(escalations)
    [body] = await told(watchful)

    assert ("silence", start + 2 * HOUR, watchful.clock(), None, "rest") == (
        row.name, row.raised_at, row.detected_at, row.suppressed, row.tier
    )  # fmt: skip
    assert (run.id, "signal", "silence", "ladder", None) == (row.escalation_id, run.cause, run.signal, run.ladder, run.clock_id)
    assert ("signal.raised", run.id) == (body["type"], body["data"]["escalation_id"])
    assert body["data"]["signal"]["evidence"][0].startswith("No public message of an agent since ")
    assert {("upstream", "signal.raised"), ("lead", "escalation.step")} == {
        (each.channel, each.type) for each in await watchful.rows(deliveries)
    }


async def test_the_answer_ends_the_silence_and_its_escalation(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created"))
    watchful.clock.set(start + 3 * HOUR)
    await watchful.tick()
    await watchful.tell(event(start + 3 * HOUR, "replies"))
    [row], [run] = await watchful.rows(signals), await watchful.rows(escalations)

    assert (start + 3 * HOUR, "raised") == (row.ended_at, row.status)
    assert ("resolved", "answered") == (run.state, run.closed_because)


async def test_an_answer_that_is_heard_late_takes_the_silence_back(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created"))
    watchful.clock.set(start + 3 * HOUR)
    await watchful.tick()
    await watchful.tell(event(start + HOUR, "replies"), event(start + 2 * HOUR, "replies"))
    [row], [run] = await watchful.rows(signals), await watchful.rows(escalations)

    assert ("withdrawn", start + 3 * HOUR) == (row.status, row.withdrawn_at)
    assert "resolved" == run.state
    assert 1 == len(await told(watchful))


async def test_the_threshold_is_the_tiers(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created", tags=("gold",)), event(start, "created", "2"))
    watchful.clock.set(start + HOUR)
    await watchful.tick()
    [row] = await watchful.rows(signals)

    assert ("gold", "longer than 1h (calendar always)") == (row.tier, row.threshold)


async def test_a_repeat_ticket_is_one_of_the_same_requester_or_of_the_same_organization_and_category(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start - 8 * 24 * HOUR, "created", "0", requester="jo", category="print"), event(start, "replies", "0"))
    await watchful.tell(
        event(start - HOUR, "created", "1", requester="jo", organization="acme", category="print"), event(start, "replies", "1")
    )
    await watchful.tell(event(start, "created", "2", requester="jo", category="print"), event(start, "replies", "2"))
    await watchful.tell(event(start, "created", "3", requester="jo", category="scan"), event(start, "replies", "3"))
    await watchful.tell(event(start, "created", "4", requester="al", organization="acme", category="print"), event(start, "replies", "4"))
    await watchful.tell(event(start, "created", "5", requester="al", organization="acme"), event(start, "replies", "5"))
    names = {row.id: row.external_id for row in await watchful.rows(tickets)}
    repeats = {names[row.ticket_id]: row for row in await watchful.rows(signals) if row.name == "repeat_ticket"}

    assert {"2", "4"} == repeats.keys()
    assert ["requester"] == [word for word in ("requester", "organization") if word in str(repeats["2"].evidence)]
    assert ["organization"] == [word for word in ("requester", "organization") if word in str(repeats["4"].evidence)]


async def test_any_order_of_arrival_leaves_the_same_signals(watchful: World) -> None:
    start = watchful.clock()
    story = [("created", 0, {}), ("updated", 10, {"priority": "urgent"}), ("replies", 20, {}), ("updated", 30, {"priority": "low"})]
    watchful.clock.set(start + 4 * HOUR)
    for number, order in enumerate(permutations(story)):
        for what, minute, facts in order:
            await watchful.tell(event(start + minute * MINUTE, what, str(number), **facts))
    by_ticket: dict[str, list[tuple[str, Any]]] = {}
    for row in await watchful.rows(signals, "raised_at"):
        if row.status == "raised":
            by_ticket.setdefault(row.ticket_id, []).append((row.name, row.raised_at))

    assert 24 == len(by_ticket)
    assert [[("severity", start + 10 * MINUTE), ("silence", start + 2 * HOUR + 20 * MINUTE)]] * 24 == list(by_ticket.values())


async def test_what_is_over_when_it_is_learned_and_what_a_new_document_sees_is_noted_but_not_told(watchful: World) -> None:
    start = watchful.clock()
    watchful.clock.set(start + HOUR)
    await watchful.tell(
        event(start, "created", priority="urgent"), event(start + MINUTE, "updated", priority="low"), event(start + MINUTE, "replies")
    )
    [row] = await watchful.rows(signals)
    assert ("severity", "over") == (row.name, row.suppressed)

    live = watchful.live
    await live.put(DOCUMENT.replace("longer_than: 2h", "longer_than: 30m"), author="jo", if_match=f'"{live.current.etag}"')
    await rejudge_stale(watchful.db, watchful.live, watchful.clock)
    rows = {each.name: each.suppressed for each in await watchful.rows(signals)}

    assert {"severity": "over", "silence": "new_revision"} == rows
    assert [] == await told(watchful)


async def test_a_solved_ticket_raises_nothing_but_a_low_score(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created"), event(start, "replies"), event(start + MINUTE, "updated", status="solved"))
    watchful.clock.set(start + 5 * HOUR)
    await watchful.tell(event(start + 4 * HOUR, "updated", csat=1, priority="urgent"))
    await watchful.tick()

    assert [("low_csat", start + 4 * HOUR)] == await standing(watchful)
    assert ["low_csat"] == [body["data"]["signal"]["name"] for body in await told(watchful)]


async def test_without_signals_nothing_is_looked_up_or_stored(desk: World) -> None:
    start = desk.clock()
    await desk.tell(event(start, "created", priority="urgent"))
    [ticket] = await desk.rows(tickets)

    assert ([], None) == (await desk.rows(signals), ticket.rejudge_at)


async def test_explain_and_the_ticket_show_what_was_raised_by_which_threshold(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created", tags=("gold",)))
    watchful.clock.set(start + 90 * MINUTE)
    await watchful.tick()
    reader = Reader(watchful.db, watchful.live, watchful.clock)
    [shown] = (await reader.ticket_with_signals("desk:1"))["signals"]
    signals_now = {each["signal"]: each for each in (await reader.explain("desk:1", None))["signals"]}
    before = {each["signal"]: each for each in (await reader.explain("desk:1", start + MINUTE))["signals"]}
    [raised] = signals_now["silence"]["raised"]

    assert ("silence", start + HOUR, "longer than 1h (calendar always)") == (shown["name"], shown["raised_at"], shown["threshold"])
    assert {"silence", "repeat_ticket", "severity", "low_csat"} == signals_now.keys()
    assert (True, "gold", shown["sentences"], shown["keys"]) == (raised["stands"], raised["tier"], raised["evidence"], raised["keys"])
    assert ([], "longer than 1h (calendar always)") == (before["silence"]["raised"], before["silence"]["threshold"])
    assert before["silence"]["next_at"] == raised["raised_at"]


async def test_escalations_of_a_signal_are_opened_once_while_it_is_open(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(event(start, "created"))
    watchful.clock.set(start + 3 * HOUR)
    await watchful.tick()
    await watchful.tell(event(start + 3 * HOUR, "replies"))
    watchful.clock.set(start + 6 * HOUR)
    await watchful.tick()
    runs = await watchful.rows(escalations, "opened_at")

    assert [("resolved", "answered"), ("active", None)] == [(run.state, run.closed_because) for run in runs]
    assert 2 == len(await told(watchful))


async def test_what_is_escalated_by_hand_early_and_without_a_signal_is_premature(watchful: World) -> None:
    start = watchful.clock()
    facts: list[dict[str, Any]] = [{}, {"priority": "urgent"}]
    for number, more in enumerate(facts):
        await watchful.tell(event(start, "created", str(number), **more))
        await open_by_hand(
            watchful.db, watchful.live, watchful.clock, reference=f"desk:{number}", type_="hierarchical", target="lead", reason="?", by="jo"
        )
    watchful.clock.set(start + 500 * HOUR)
    await watchful.tell(event(start, "created", "2"), event(start + 499 * HOUR, "replies", "2"))
    await open_by_hand(
        watchful.db, watchful.live, watchful.clock, reference="desk:2", type_="hierarchical", target="lead", reason="?", by="jo"
    )

    said = [body["data"]["escalation"] for body in await told(watchful, "escalation.step")]

    assert [True, False, False] == [run.premature for run in await watchful.rows(escalations, "id") if run.cause == "manual"]
    assert [True, None, None] == [run.get("premature") for run in said if run["cause"] == "manual"]


async def test_what_a_ticket_raised_goes_with_it(watchful: World) -> None:
    start = watchful.clock()
    watchful.clock.set(start + HOUR)
    await watchful.tell(event(start, "created", priority="urgent"), event(start + MINUTE, "updated", priority="low", status="closed"))
    assert 1 == len(await watchful.rows(signals))

    async with watchful.db.begin() as conn:
        gone = await retention.old_tickets(conn, start + HOUR, "", 10)

    assert 1 == len(gone.ids)
    assert [] == await watchful.rows(signals)


async def test_when_many_are_silent_at_once_all_are_told(watchful: World) -> None:
    start = watchful.clock()
    await watchful.tell(*(event(start, "created", str(number)) for number in range(5)))
    watchful.clock.set(start + 2 * HOUR)
    first = await fire_due(watchful.db, watchful.live, watchful.clock, limit=2)
    await fire_due(watchful.db, watchful.live, watchful.clock, limit=2)
    last = await fire_due(watchful.db, watchful.live, watchful.clock, limit=2)

    assert ((2, True), (1, False)) == ((first.tickets, first.more), (last.tickets, last.more))
    assert 5 == len(await standing(watchful))
