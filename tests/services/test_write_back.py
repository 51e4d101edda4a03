"""From the breach to the mark in the helpdesk: outbox, relay and the real client against a Zendesk on loopback, on both databases."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.delivery.client import DeliveryClient, Limits
from app.delivery.relay import Relay
from app.exchange import HttpRequest, HttpResponse
from app.guard import GuardPolicy
from app.helpdesks import load
from app.rules.events import Actor, ActorKind
from app.services.acknowledge import acknowledge
from app.services.escalations import fire_steps, open_by_hand, resolve
from app.services.routes import routes
from app.store import endpoints
from app.store.database import Database
from app.store.tables import attempts, breaches, clocks, deliveries, notices
from tests.helpdesks.writing.api import Api, Call
from tests.helpdesks.writing.fakes import Zammad, Zendesk
from tests.helpdesks.writing.serving import serving
from tests.services.world import World, event, world
from tests.support.clock import FakeClock

HOUR = timedelta(hours=1)
DOCUMENT = """
version: 1
policies:
  - name: everyone
    targets: {first_response: 1h, resolution: 10h}
    escalation: ladder
escalations:
  ladder:
    steps:
      - {at: breach, write_back: {tags: [sla_breached], priority: urgent, note: breach}}
      - {after: 30m, write_back: {tags: [sla_escalated], note: "Please look at this now.", group: Leads}}
sources:
  desk:
    kind: zendesk
    secret: "${env:SECRET}"
    write_back: {url: "ADDRESS", email: bot@example.com, token: "${env:TOKEN}", our_user_id: 77, groups: {Leads: 7}}
"""


def is_update(call: Call) -> bool:
    return call.method == "PUT"


@dataclass
class Place:
    """A service whose only helpdesk is one with the ticket 42."""

    desk: World
    api: Api
    relay: Relay

    async def breach(self) -> None:
        """The customer writes, nobody answers for an hour, the breach is found."""
        await self.desk.tell(event(self.desk.clock(), "created", "42"))
        await self.wait(HOUR)

    async def wait(self, span: timedelta) -> None:
        self.desk.clock.set(self.desk.clock() + span)
        await self.desk.tick()
        await fire_steps(self.desk.db, self.desk.live, self.desk.clock)

    async def send(self) -> None:
        await self.relay.run_once()
        await self.relay.drain()

    async def rows(self) -> list[Any]:
        return [row for row in await self.desk.rows(deliveries) if row.type == "ticket.write_back"]

    async def row(self) -> Any:
        [found] = await self.rows()
        return found


@asynccontextmanager
async def opened(
    database: Database, clock: FakeClock, folder: Path, document: str = DOCUMENT, make: Callable[[], Api] = Zendesk
) -> AsyncIterator[Place]:
    api = make()
    limits = Limits(dns=1, connect=1, total=2, body=0.5)
    async with serving(api) as address, DeliveryClient(GuardPolicy((ip_network("127.0.0.0/8"),)), limits=limits) as client:
        said = document.replace("ADDRESS", address).replace("${env:TOKEN}", "s3cret")
        async with world(database, clock, folder, said) as desk:
            yield Place(desk, api, Relay(database, client, lambda: routes(desk.live.current), clock, jitter=lambda: 0.0))


@pytest.fixture
async def place(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Place]:
    async with opened(database, clock, tmp_path) as made:
        yield made


async def test_a_breach_is_marked_in_the_helpdesk_with_tag_priority_and_note(place: Place) -> None:
    await place.breach()
    await place.send()
    ticket, row = place.api.ticket, await place.row()

    assert (["vip", "sla_breached"], "high") == (ticket.tags, ticket.priority)
    assert [row.clock_id] == [text.removesuffix(")").rpartition(" ")[2] for text in ticket.notes]
    assert "first response was promised within 1h (policy everyone) and was due at 2026-03-02 10:00 UTC" in ticket.notes[0]
    assert ("source:desk", "delivered", 1) == (row.channel, row.state, row.attempts)


async def test_it_is_a_delivery_like_others_with_its_attempt_and_without_the_ticket_or_a_secret(place: Place) -> None:
    await place.breach()
    await place.send()
    [tried], [notice] = await place.desk.rows(attempts), [n for n in await place.desk.rows(notices) if n.type == "ticket.write_back"]

    assert ("PUT", 200, "ok", b"") == (tried.method, tried.status, tried.error_class, tried.answer)
    assert tried.url.endswith("/api/v2/tickets/42.json")
    assert b"s3cret" not in notice.body
    assert ("42", "urgent", ["sla_breached"]) == tuple(orjson.loads(notice.body)["data"][name] for name in ("ticket", "priority", "tags"))


async def test_a_breach_is_marked_in_a_zammad_and_its_webhook_of_that_is_an_echo(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    said = DOCUMENT.partition("sources:")[0] + (
        "sources:\n  desk: {kind: zammad, secret: '${env:SECRET}', "
        "write_back: {url: 'ADDRESS', token: '${env:TOKEN}', our_user_id: 12, priority_ceiling: urgent}}\n"
    )
    async with opened(database, clock, tmp_path, said, Zammad) as place:
        place.api.ticket.priority = "2 normal"
        await place.breach()
        await place.send()
        ticket, config = place.api.ticket, place.desk.live.current.loaded.sources["desk"]
        article = {"id": 5, "sender": "Agent", "internal": True, "created_by_id": 12, "created_at": "2026-03-02T10:00:00Z"}
        webhook = {"ticket": {"id": 42, "state": "open", "updated_by_id": 12, "updated_at": "2026-03-02T10:00:00Z"}, "article": article}
        [echo] = load("zammad").parse(HttpRequest("POST", "/", {}, orjson.dumps(webhook)), config, clock()).events

    assert (["vip", "sla_breached"], "3 high", 1) == (ticket.tags, ticket.priority, len(ticket.notes))
    assert ["POST /api/v1/tags/add", "PUT /api/v1/tickets/42"] == place.api.writes()
    assert echo.echo


async def test_each_rung_marks_and_only_the_first_writes_a_note(place: Place) -> None:
    await place.breach()
    await place.send()
    await place.wait(timedelta(minutes=30))
    await place.send()
    ticket = place.api.ticket

    assert (["vip", "sla_breached", "sla_escalated"], 7, 1) == (ticket.tags, ticket.group, len(ticket.notes))


async def test_the_write_backs_of_a_ticket_go_one_after_another(place: Place) -> None:
    await place.breach()
    await place.wait(timedelta(minutes=30))
    await place.send()
    first = [row.state for row in await place.rows()]
    await place.send()

    assert ["delivered", "pending"] == first
    assert ["delivered", "delivered"] == [row.state for row in await place.rows()]
    assert ["vip", "sla_breached", "sla_escalated"] == place.api.ticket.tags


async def test_an_answer_before_it_is_sent_supersedes_it(place: Place) -> None:
    await place.breach()
    await place.desk.tell(event(place.desk.clock(), "replies", "42"))
    await place.send()

    assert "superseded" == (await place.row()).state
    assert [] == place.api.calls


async def test_an_acknowledgement_before_it_is_sent_supersedes_it(place: Place) -> None:
    await place.breach()
    [found] = await place.desk.rows(breaches)
    await acknowledge(place.desk.db, place.desk.live, place.desk.clock, found.id, by="jo", note=None, span=HOUR)
    await place.send()

    assert "superseded" == (await place.row()).state
    assert [] == place.api.calls


async def test_a_note_that_was_never_written_leaves_room_for_the_next_rungs(place: Place) -> None:
    await place.breach()
    [found] = await place.desk.rows(breaches)
    await acknowledge(place.desk.db, place.desk.live, place.desk.clock, found.id, by="jo", note=None, span=timedelta(minutes=10))
    for _ in range(5):
        await place.wait(timedelta(minutes=10))
    await place.send()

    assert ["superseded", "delivered"] == [row.state for row in await place.rows()]
    assert 1 == len(place.api.ticket.notes)
    assert place.api.ticket.notes[0].startswith("Please look at this now.")


async def test_an_escalation_by_hand_marks_with_the_reason_and_its_end_takes_back_what_is_not_sent(place: Place) -> None:
    await place.desk.tell(event(place.desk.clock(), "created", "42"))
    wish: dict[str, Any] = {"reference": "desk:42", "type_": "functional", "target": "ladder"}
    first = await open_by_hand(place.desk.db, place.desk.live, place.desk.clock, **wish, reason="The customer called.", by="jo")
    await resolve(place.desk.db, place.desk.live, place.desk.clock, first, by="jo", note=None)
    await open_by_hand(place.desk.db, place.desk.live, place.desk.clock, **wish, reason="And again.", by="jo")
    await place.send()

    assert ["superseded", "delivered"] == [row.state for row in await place.rows()]
    assert ["Escalated by rung 1 of ladder. And again."] == [text.partition("\n")[0] for text in place.api.ticket.notes]


async def test_a_ticket_that_the_helpdesk_says_is_solved_is_not_marked(place: Place) -> None:
    await place.breach()
    place.api.ticket.status = "solved"
    await place.send()
    row = await place.row()

    assert ("superseded", "the ticket is solved by now") == (row.state, row.detail)
    assert [] == place.api.writes()


async def test_a_change_by_somebody_else_in_between_is_a_409_and_the_next_try_starts_from_it(place: Place) -> None:
    await place.breach()
    place.api.instead.append((is_update, HttpResponse(409, {}, b'{"error": "UpdateConflict"}')))
    await place.send()
    waiting = await place.row()
    place.api.ticket.tags.append("refund")
    place.desk.clock.set(waiting.next_attempt_at)
    await place.send()

    assert ("pending", "http_4xx") == (waiting.state, waiting.error_class)
    assert ["vip", "refund", "sla_breached"] == place.api.ticket.tags
    assert "delivered" == (await place.row()).state


async def test_429_is_obeyed_and_no_other_ticket_is_asked_for_meanwhile(place: Place) -> None:
    await place.desk.tell(event(place.desk.clock(), "created", "42"))
    place.desk.clock.advance(seconds=1)
    await place.desk.tell(event(place.desk.clock(), "created", "43"))
    await place.wait(timedelta(minutes=59, seconds=59))
    place.api.instead.append((lambda _: True, HttpResponse(429, {"retry-after": "90"})))
    await place.send()
    limited, calls = await place.row(), len(place.api.calls)
    await place.wait(timedelta(seconds=1))
    await place.send()

    assert place.desk.clock() + timedelta(seconds=89) == limited.next_attempt_at
    assert calls == len(place.api.calls)
    assert ["pending", "pending"] == [row.state for row in await place.rows()]
    assert [1, 0] == sorted((row.attempts for row in await place.rows()), reverse=True)


async def test_wrong_credentials_are_dead_and_the_endpoint_fails(place: Place) -> None:
    await place.breach()
    place.api.instead.append((lambda _: True, HttpResponse(401, {}, b'{"error": "Couldn\'t authenticate you"}')))
    await place.send()
    async with place.desk.db.read() as conn:
        endpoint = (await endpoints.known(conn))["source:desk"]
    [tried] = await place.desk.rows(attempts)

    assert ("dead", "http_4xx") == ((await place.row()).state, endpoint.error_class)
    assert endpoint.failing_since is not None
    assert b"authenticate" in tried.answer


async def test_a_lost_answer_writes_no_second_note(place: Place) -> None:
    await place.breach()
    place.api.after.append((is_update, HttpResponse(502)))
    await place.send()
    place.desk.clock.set((await place.row()).next_attempt_at)
    await place.send()

    assert ("delivered", 1) == ((await place.row()).state, len(place.api.ticket.notes))


async def test_the_webhook_of_our_own_change_is_an_echo_and_stops_no_clock(place: Place) -> None:
    await place.breach()
    await place.send()
    config = place.desk.live.current.loaded.sources["desk"]
    snapshot = {"id": "42", "actor_id": "77", "requester_id": "9", "status": "OPEN", "priority": "HIGH", "tags": ["vip", "sla_breached"]}
    comment = {"id": "c1", "body": place.api.ticket.notes[0], "is_public": True, "author": {"id": "77", "is_staff": True}}
    webhook = {
        "id": "e1", "type": "zen:event-type:ticket.comment_added", "time": "2026-03-02T10:00:01Z", "event": {"comment": comment},
        "detail": snapshot,
    }  # fmt: skip
    request = HttpRequest("POST", "/", {}, orjson.dumps(webhook))
    place.desk.clock.advance(seconds=1)
    events = load("zendesk").parse(request, config, place.desk.clock()).events
    await place.desk.tell(*events)
    states = {row.metric: row.state for row in await place.desk.rows(clocks)}

    assert [True] == [each.echo for each in events]
    assert "running" == states["first_response"]


async def test_the_same_comment_by_a_colleague_is_a_reply(place: Place) -> None:
    await place.breach()
    told = event(place.desk.clock(), "replies", "42")
    await place.desk.tell(replace(told, actor=Actor(ActorKind.AGENT, "78")))

    assert "stopped" == {row.metric: row.state for row in await place.desk.rows(clocks)}["first_response"]


async def test_a_source_that_does_not_write_back_is_left_alone(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    silent = "\n".join(line for line in DOCUMENT.splitlines() if "write_back: {url" not in line)
    async with opened(database, clock, tmp_path, silent) as place:
        await place.breach()

        assert [] == await place.rows()


async def test_a_storm_goes_out_at_the_budget_of_the_source(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    slow = DOCUMENT.replace("our_user_id: 77", "our_user_id: 77, per_minute: 6")
    async with opened(database, clock, tmp_path, slow) as place:
        for number in range(8):
            await place.desk.tell(event(clock(), "created", f"{number}"))
        await place.wait(HOUR)
        at = [len(place.api.calls)]
        for _ in range(12):
            await place.send()
            at.append(len(place.api.calls))
            clock.advance(seconds=10)

    assert at[1] <= 6
    assert at[-1] - at[1] <= 12
    assert at[-1] > at[1]
