"""Ingest: durable, once, whatever the order, and one poisonous message never fails its neighbours."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.errors import Unavailable
from app.services.ingest import AGAIN, Arrival, Ingest, unreadable
from app.store.database import Database
from app.store.tables import clocks, events, inbox, tickets
from tests.services.world import World, event

HOUR = timedelta(hours=1)


async def test_what_was_accepted_is_stored_with_its_ticket_its_clocks_and_the_raw_message(desk: World) -> None:
    receipt = await desk.tell(event(desk.clock(), "created", status="new", subject="Printer on fire"))
    [ticket] = await desk.rows(tickets)
    [message] = await desk.rows(inbox)

    assert ("applied", ticket.id) == (receipt.outcome, receipt.tickets[0].id)
    assert ("Printer on fire", "new", "everyone") == (ticket.subject, ticket.status, ticket.policy)
    assert (receipt.id, b"{}", [ticket.id]) == (message.id, message.body, message.tickets)
    assert {"content-type": "application/json"} == message.headers, "credentials are not stored"
    assert ["first_response", "resolution"] == [row.metric for row in await desk.rows(clocks, "metric")]


async def test_an_event_told_twice_is_one_event_and_the_second_message_keeps_no_body(desk: World) -> None:
    told = event(desk.clock(), "created", status="new")
    receipts = [await desk.tell(told), await desk.tell(told)]
    messages = await desk.rows(inbox)

    assert ["applied", "duplicate"] == [receipt.outcome for receipt in receipts]
    assert [b"{}", None] == [message.body for message in messages]
    assert len(await desk.rows(events)) == 1


async def test_a_key_told_twice_in_one_message_is_one_event(desk: World) -> None:
    told = event(desk.clock(), "created", status="new")
    receipt = await desk.tell(told, told)

    assert (True, False) == receipt.accepted


async def test_any_order_of_arrival_gives_the_same_clocks(desk: World) -> None:
    start = desk.clock()
    story = ["created", "replies", "asks", "replies"]
    for ticket, order in (("in-order", [0, 1, 2, 3]), ("shuffled", [3, 0, 2, 1]), ("backwards", [3, 2, 1, 0])):
        for index in order:
            await desk.tell(event(start + index * timedelta(minutes=10), story[index], ticket, key=f"{index}"))
    rows = await desk.rows(clocks, "ticket_id", "metric", "started_at")
    seen: dict[str, list[object]] = {}
    for row in rows:
        if row.state != "cancelled":
            seen.setdefault(row.ticket_id, []).append((row.metric, row.cycle, row.state, row.started_at, row.stopped_at, row.due_at))

    first, *others = seen.values()
    assert [first, first] == others


async def test_many_at_once_are_all_answered(desk: World) -> None:
    start = desk.clock()
    receipts = await asyncio.gather(*(desk.tell(event(start, "created", f"{n % 40}", key=f"{n}")) for n in range(120)))

    assert ["applied"] * 120 == [receipt.outcome for receipt in receipts]
    assert (40, 120) == (len(await desk.rows(tickets)), len(await desk.rows(events)))


async def test_who_comes_while_the_batch_waits_for_its_turn_is_taken_along(sqlite_desk: World) -> None:
    desk, commits = sqlite_desk, list[object]()
    desk.ingest.on_commit(lambda *told: commits.append(told))
    async with desk.db.begin():
        coming = []
        for number in range(5):
            coming.append(asyncio.create_task(desk.tell(event(desk.clock(), "created", f"{number}"))))
            await asyncio.sleep(0.001)
    receipts = await asyncio.gather(*coming)

    assert (["applied"] * 5, 1) == ([receipt.outcome for receipt in receipts], len(commits))


async def test_who_waits_while_the_database_is_away_is_refused_together_and_the_next_one_is_taken(
    sqlite_desk: World, sqlite_url: str
) -> None:
    desk = sqlite_desk
    other = Database(sqlite_url, database_time=False, patience=timedelta(milliseconds=200))
    ingest = Ingest(other, desk.live, desk.clock)
    await ingest.start()
    desk.ingest, former = ingest, desk.ingest
    loop = asyncio.get_running_loop()
    async with desk.db.begin():
        began = loop.time()
        answers = await asyncio.gather(*(desk.tell(event(desk.clock(), "created", f"{n}")) for n in range(20)), return_exceptions=True)
        took = loop.time() - began
    after = await desk.tell(event(desk.clock(), "created", "1"))
    await ingest.stop()
    await other.close()
    desk.ingest = former

    assert [Unavailable] * 20 == [type(answer) for answer in answers]
    assert ("applied", True) == (after.outcome, took < 20 * 0.2)


async def test_a_poisonous_message_goes_to_quarantine_and_its_neighbours_are_applied(desk: World) -> None:
    start = desk.clock()
    poison = event(start, "created", "bad", subject="half a pair: \ud800")
    good = [event(start, "created", f"{n}") for n in range(5)]
    outcomes = await asyncio.gather(*(desk.tell(each) for each in [*good[:2], poison, *good[2:]]))

    assert ["applied", "applied", "quarantined", "applied", "applied", "applied"] == [receipt.outcome for receipt in outcomes]
    assert "processed" in (outcomes[2].reason or "")
    assert {"0", "1", "2", "3", "4"} == {row.external_id for row in await desk.rows(tickets)}


async def test_what_was_ignored_or_quarantined_is_kept_with_its_reason(desk: World) -> None:
    await desk.tell(ignored="a user was renamed")
    await desk.tell(quarantined="the body is no JSON")

    assert [("ignored", "a user was renamed"), ("quarantined", "the body is no JSON")] == [
        (m.outcome, m.reason) for m in await desk.rows(inbox)
    ]


async def test_a_full_queue_is_refused_with_a_hint_when_to_come_back(desk: World) -> None:
    crowded = Ingest(desk.db, desk.live, desk.clock, queue_limit=0)
    await crowded.start()
    with pytest.raises(Unavailable) as refused:
        await crowded.submit(Arrival("desk", "events", None, desk.clock()))  # type: ignore[arg-type]
    await crowded.stop()

    assert {"Retry-After": "1"} == refused.value.headers


async def test_stopping_answers_what_is_waiting_and_takes_nothing_new(desk: World) -> None:
    waiting = [asyncio.create_task(desk.tell(event(desk.clock(), "created", f"{n}"))) for n in range(10)]
    await asyncio.sleep(0)
    await desk.ingest.stop()

    assert ["applied"] * 10 == [receipt.outcome for receipt in await asyncio.gather(*waiting)]
    with pytest.raises(Unavailable):
        await desk.tell(event(desk.clock(), "created"))


async def test_the_nearest_instant_that_matters_is_told_after_the_commit(desk: World) -> None:
    told: list[object] = []
    nudged = Ingest(desk.db, desk.live, desk.clock, nudge=lambda at, deliveries: told.append((at, deliveries)))
    await nudged.start()
    desk.ingest, former = nudged, desk.ingest
    start = desk.clock()
    await desk.tell(event(start, "created"))
    await nudged.stop()
    desk.ingest = former

    assert [(start + HOUR / 2, 0)] == told


async def test_a_ticket_that_somebody_else_holds_keeps_nobody_waiting_but_who_speaks_of_it(postgresql_desk: World) -> None:
    desk = postgresql_desk
    await desk.tell(event(desk.clock(), "created", "held"), event(desk.clock(), "created", "free"))
    async with desk.db.begin() as conn:
        await conn.execute(select(tickets.c.id).where(tickets.c.external_id == "held").with_for_update())
        later = asyncio.create_task(desk.tell(event(desk.clock(), "replies", "held")))
        both = asyncio.create_task(desk.tell(event(desk.clock(), "replies", "free"), event(desk.clock(), "asks", "held")))
        now = await desk.tell(event(desk.clock(), "asks", "free"))
        was_answered = later.done() or both.done()
    receipts = [await later, await both]

    assert ("applied", False) == (now.outcome, was_answered)
    assert [(True,), (True, True)] == [receipt.accepted for receipt in receipts]


async def test_who_speaks_of_a_ticket_that_is_held_too_long_is_asked_to_come_again(postgresql_desk: World) -> None:
    desk = postgresql_desk
    await desk.ingest.stop()
    desk.ingest = Ingest(desk.db, desk.live, desk.clock, patience=0.1)
    await desk.ingest.start()
    await desk.tell(event(desk.clock(), "created", "held"))
    async with desk.db.begin() as conn:
        await conn.execute(select(tickets.c.id).with_for_update())
        with pytest.raises(Unavailable) as refused:
            await desk.tell(event(desk.clock(), "replies", "held"))

    assert {"Retry-After": "1"} == refused.value.headers


async def test_who_waits_for_a_ticket_is_answered_also_if_its_turn_comes_while_the_last_batch_is_committed(postgresql_desk: World) -> None:
    desk = postgresql_desk
    await desk.tell(event(desk.clock(), "created", "held"))
    async with desk.db.begin() as conn:
        await conn.execute(select(tickets.c.id).with_for_update())
        inside = asyncio.create_task(desk.tell(event(desk.clock(), "replies", "held")))
        await desk.tell(event(desk.clock(), "created", "other"))
        await conn.execute(text("LOCK TABLE inbox IN EXCLUSIVE MODE"))
        last = asyncio.create_task(desk.tell(event(desk.clock(), "created", "last")))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(desk.ingest.stop())
        await asyncio.sleep(5 * AGAIN)
    await stopping

    assert ["applied", "applied"] == [(await asyncio.wait_for(task, 10)).outcome for task in (inside, last)]


async def test_stopping_waits_for_the_tickets_of_those_inside(postgresql_desk: World) -> None:
    desk = postgresql_desk
    await desk.tell(event(desk.clock(), "created", "held"))
    async with desk.db.begin() as conn:
        await conn.execute(select(tickets.c.id).with_for_update())
        inside = asyncio.create_task(desk.tell(event(desk.clock(), "replies", "held")))
        await desk.tell(event(desk.clock(), "created", "other"))
        stopping = asyncio.create_task(desk.ingest.stop())
        await asyncio.sleep(0)
    await stopping

    assert "applied" == (await inside).outcome


def test_events_that_no_clock_skew_explains_cannot_be_read(clock: object) -> None:
    from tests.support.clock import START

    assert unreadable([event(START + timedelta(hours=23), "created")], START) is None
    assert "ahead" in (unreadable([event(START + timedelta(days=2), "created")], START) or "")
    assert "2000" in (unreadable([event(START.replace(year=1999), "created")], START) or "")
    assert "id" in (unreadable([event(START, "created", "")], START) or "")


async def test_words_longer_than_their_columns_are_cut_there_and_whole_in_the_timeline(desk: World) -> None:
    long = "x" * 480
    facts = dict.fromkeys(("group", "assignee", "priority", "status", "requester", "organization", "merged_into", "subject"), long)
    receipt = await desk.tell(event(desk.clock(), "created", **facts))
    (row,) = await desk.rows(tickets)

    assert receipt.outcome == "applied"
    assert (len(row.group), len(row.organization), len(row.subject)) == (200, 300, 480)
    assert long in str(row.timeline)
