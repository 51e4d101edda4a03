"""Errands: what webhooks missed and what they leave out is fetched, within a budget, by one process, from where it ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.exchange import HttpResponse
from app.rules.events import Actor, ActorKind, EventKind, Message, TicketEvent
from app.services.errands import Errands
from app.services.fetching import Bucket
from app.store.database import Database
from app.store.tables import events, inbox, notices, source_jobs, tickets
from tests.helpdesks.fetching.desks import Desk, basic
from tests.helpdesks.fetching.samples import zendesk, zendesk_ticket
from tests.services.apis import serving, tools
from tests.services.world import SECRET, World, world
from tests.support.clock import START, FakeClock

DOCUMENT = """\
version: 1
policies: [{name: everyone, calendar: always, targets: {first_response: 1h}}]
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*"]}
delivery: {allow_networks: 127.0.0.0/8}
sources:
  desk: {kind: zendesk, verify: none, %s,
         api: {url: "%s", email: bot@example.com, token: "${env:SECRET}", allow_http: true, per_minute: %s}}
"""
ZENDESK_AUTH = basic(f"bot@example.com/token:{SECRET}")
RECONCILE = "reconcile: {every: 15m, look_back: 1d}"


class Stage:
    """A world, a helpdesk's API, and as many processes as a test wants."""

    def __init__(self, made: World, api: Desk, waits: list[float], processes: list[Errands]) -> None:
        self.world, self.api, self.waits = made, api, waits
        self.errands, self.other = processes

    async def run(self, errands: Errands | None = None) -> None:
        chosen = errands or self.errands
        chosen.start()
        await chosen.settle()

    async def job(self) -> Any:
        [row] = await self.world.rows(source_jobs)
        return row


@pytest.fixture
def staged(database: Database, clock: FakeClock, tmp_path: Path) -> Any:
    @asynccontextmanager
    async def make(wanted: str = RECONCILE, *, per_minute: int = 6000, api: Desk | None = None) -> AsyncIterator[Stage]:
        desk = api or zendesk()
        desk.authorization = ZENDESK_AUTH
        waits: list[float] = []
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(serving(desk))
            made = await stack.enter_async_context(world(database, clock, tmp_path, DOCUMENT % (wanted, url, per_minute)))
            processes = [Errands(await stack.enter_async_context(tools(made, waits))) for _ in range(2)]
            clock.set(START + timedelta(hours=1))  # 10:00, after all that the sample tells
            yield Stage(made, desk, waits, processes)

    return make


def reply(at: datetime, ticket: str = "35") -> TicketEvent:
    """As a webhook tells the agent's reply of the sample: with milliseconds, another key and the comment's id."""
    message = Message(ActorKind.AGENT, public=True, id="5")
    return TicketEvent(
        "desk", ticket, "evt-1", at, EventKind.MESSAGE_AGENT_PUBLIC, {"status": "pending"}, message, Actor(ActorKind.AGENT, "77")
    )


async def test_what_webhooks_missed_is_there_after_a_look_and_nothing_is_told_twice(staged: Any) -> None:
    async with staged() as stage:
        await stage.world.tell(reply(START - timedelta(minutes=20) + timedelta(milliseconds=321)))
        await stage.run()
        known = [row.key for row in await stage.world.rows(events, "at", "key")]
        first = await stage.job()
        stage.world.clock.advance(minutes=16)
        await stage.run()
        second = await stage.job()
    replies = [key for key in known if key in ("evt-1", "audit:9002")]

    assert {"audit:9001", "audit:9002", "audit:9003", "audit:9004"} <= set(known)
    assert ["audit:9002", "evt-1"] == sorted(replies), "the audit tells the assignment, which the webhook did not"
    assert [row.via for row in await stage.world.rows(inbox, "id")] == ["events", "poll"]
    assert (first.cursor, first.error, first.held_until) == ("c1", None, None)
    assert second.progress["tickets"] == 1, "the second look found no ticket that has changed"


async def test_a_message_the_webhook_told_is_not_told_again_by_the_api(staged: Any) -> None:
    async with staged() as stage:
        await stage.world.tell(reply(START - timedelta(minutes=20)))
        await stage.run()
        bodies = [row.body for row in await stage.world.rows(events) if row.body["message"] is not None]

    assert sum(body["message"][2] == "5" for body in bodies) == 1


async def test_it_is_asked_every_quarter_of_an_hour_and_by_one_process(staged: Any) -> None:
    async with staged() as stage:
        await asyncio.gather(stage.run(), stage.run(stage.other))
        once = stage.api.asked.count("/api/v2/incremental/tickets/cursor.json")
        stage.world.clock.advance(minutes=14)
        await stage.run(stage.other)
        soon = stage.api.asked.count("/api/v2/incremental/tickets/cursor.json")
        stage.world.clock.advance(minutes=2)
        await stage.run(stage.other)

    assert (1, 1, 2) == (once, soon, stage.api.asked.count("/api/v2/incremental/tickets/cursor.json"))


async def test_a_busy_api_is_waited_for_as_long_as_it_says(staged: Any) -> None:
    async with staged() as stage:
        stage.api.trouble = [HttpResponse(429, {"Retry-After": "17"}), HttpResponse(503)]
        await stage.run()
        job = await stage.job()

    assert [17.0, 4.0] == stage.waits
    assert job.progress["tickets"] == 1


async def test_an_api_that_wants_to_be_left_alone_for_long_is(staged: Any) -> None:
    async with staged() as stage:
        stage.api.trouble = [HttpResponse(429, {"Retry-After": "3600"})]
        await stage.run()
        job = await stage.job()
        stage.world.clock.advance(minutes=59)
        await stage.run()
        asked = len(stage.api.asked)
        stage.world.clock.advance(minutes=2)
        await stage.run()

    assert (stage.waits, job.error, job.held_until) == ([], "the API answered 429", None)
    assert (1, True) == (asked, len(stage.api.asked) > 1)


async def test_refused_credentials_are_told_in_the_overview_and_not_tried_at_once(staged: Any) -> None:
    async with staged() as stage:
        stage.api.authorization = "Basic other"
        await stage.run()
        job = await stage.job()

    assert (job.error, job.next_at) == ("the API answered 401", stage.world.clock() + timedelta(minutes=15))


async def test_the_budget_spreads_the_calls(staged: Any) -> None:
    async with staged(per_minute=6) as stage:
        await stage.run()
        job = await stage.job()

    assert job.finished_at is not None
    assert sum(stage.waits) >= (len(stage.api.asked) - 1) * 10 - 1e-6


async def test_broken_off_in_the_middle_another_process_goes_on_from_the_last_page(staged: Any) -> None:
    async with staged() as stage:
        stage.api.size = 1
        stage.api.tickets = [zendesk_ticket(n, updated_at=f"2026-03-02T09:{n}:00Z") for n in (11, 12, 13)]
        stage.api.extra = {}

        def refuse(asked: str) -> None:
            if asked.endswith("/12/audits.json") and stage.api.asked.count(asked) == 1:
                stage.api.trouble = [HttpResponse(400)]

        stage.api.asked = _Listening(refuse)
        await stage.run()
        after_failure = await stage.job()
        stage.world.clock.advance(minutes=20)
        await stage.run(stage.other)
        found = [row.external_id for row in await stage.world.rows(tickets, "external_id")]

    assert "c1" == after_failure.cursor
    assert ["11", "12", "13"] == found
    assert stage.api.asked.count("/api/v2/tickets/11/audits.json") == 1


class _Listening(list[str]):
    """A list that tells of what is added to it."""

    def __init__(self, hear: Any) -> None:
        super().__init__()
        self._hear = hear

    def append(self, item: str) -> None:
        super().append(item)
        self._hear(item)


async def test_a_job_whose_process_vanished_is_taken_after_its_lease(staged: Any) -> None:
    async with staged() as stage:
        async with stage.world.db.begin() as conn:
            held = stage.world.clock() + timedelta(minutes=15)
            row = {"source": "desk", "job": "reconcile", "progress": {}, "updated_at": stage.world.clock(), "held_until": held}
            await conn.execute(source_jobs.insert().values(row))
        await stage.run()
        before = len(stage.api.asked)
        stage.world.clock.advance(minutes=16)
        await stage.run()

    assert before == 0
    assert len(stage.api.asked) > 0


async def test_a_breach_that_reconciling_finds_is_told(staged: Any) -> None:
    async with staged() as stage:
        stage.api.tickets = [zendesk_ticket(status="open", created_at="2026-03-02T08:00:00Z")]
        stage.api.extra = {}
        await stage.run()

    assert [row.type for row in await stage.world.rows(notices)] == ["sla.breached"]


@pytest.mark.parametrize("facts", ["[organization]", "[status, priority, organization]"])
async def test_what_webhooks_leave_out_is_looked_up_once_and_holds_from_the_creation_on(staged: Any, facts: str) -> None:
    async with staged(f"enrich: {{facts: {facts}}}") as stage:
        created = TicketEvent("desk", "35", "evt", START, EventKind.MESSAGE_CUSTOMER, {}, Message(ActorKind.CUSTOMER, True, "1"))
        await stage.world.tell(created)
        await stage.run()
        [ticket] = await stage.world.rows(tickets)
        asked = list(stage.api.asked)
        stage.world.clock.advance(minutes=1)
        await stage.run()

    assert ("300", "solved", "high") == (ticket.organization, ticket.status, ticket.priority)
    assert asked == stage.api.asked == ["/api/v2/tickets/35.json"]


async def test_a_ticket_that_lacks_it_still_is_not_asked_for_again_and_again(staged: Any) -> None:
    async with staged("enrich: {facts: [organization], again_after: 1h}") as stage:
        stage.api.extra["/api/v2/tickets/35.json"] = {"ticket": zendesk_ticket(organization_id=None)}
        counts = []
        for minutes in (0, 10, 61):
            stage.world.clock.advance(minutes=minutes)
            await stage.world.tell(TicketEvent("desk", "35", f"evt-{minutes}", stage.world.clock(), set={"status": "open"}))
            await stage.run()
            counts.append(len(stage.api.asked))

    assert [1, 1, 2] == counts


async def test_calling_errands_back_lets_go_of_them(staged: Any) -> None:
    async with staged() as stage:
        stage.errands.start()
        await stage.errands.stop()
        rows = await stage.world.rows(source_jobs)

    assert all(row.held_until is None for row in rows)


def test_a_budget_allows_ten_seconds_worth_at_once_and_then_one_by_one() -> None:
    bucket, at = Bucket(60), START
    taken = [bucket.take(at) for _ in range(11)]

    assert taken == [0.0] * 10 + [1.0]
    assert bucket.take(at + timedelta(seconds=1)) == 0.0
