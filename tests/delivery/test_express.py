"""Past the outbox: what can go at once is claimed by the transaction that enqueues it, and sent when that has committed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.delivery.express import Express, Handed
from app.delivery.relay import LEASE, PER_CHANNEL
from app.delivery.routes import Group
from app.store.database import Connection, Database
from app.store.outbox import fresh
from app.store.tables import deliveries
from tests.delivery.post import BODY, Post, channel, receiver


async def hand_over(post: Post, *rows: dict[str, Any], name: str = "msg_1") -> Handed:
    """Enqueue one notice by one transaction, with these deliveries."""
    notice = {"id": name, "type": "sla.breached", "milestone": "breach", "body": BODY, "created_at": post.clock()}
    async with post.db.begin() as conn:
        return await post.relay.express.add(conn, [notice], rows, post.routes())


def delivery(post: Post, to: str = "up", *, name: str = "msg_1", **more: Any) -> dict[str, Any]:
    return fresh(name, "sla.breached", to, f"{name}:{to}", post.clock(), **more)


async def test_what_can_go_at_once_is_sent_and_recorded_without_a_look_into_the_outbox(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.run()
        handed = await hand_over(post, delivery(post))
        claimed = await post.row()
        post.relay.express.go(handed)
        await post.relay.drain()
        row = await post.row()

    assert (1, 1, post.clock() + LEASE) == (claimed.attempts, claimed.fence, claimed.leased_until)
    assert ("delivered", 1, None) == (row.state, row.attempts, row.next_attempt_at)
    assert [BODY] == [body for _, body in up.seen]
    assert "msg_1" == up.seen[0][0]["webhook-id"]


async def test_what_nobody_hands_over_is_sent_when_its_lease_has_ended(post: Post) -> None:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        await post.run()
        await hand_over(post, delivery(post))
        await post.run()
        before = len(up.seen)
        post.clock.advance(seconds=LEASE.total_seconds())
        await post.run()
        row = await post.row()

    assert (0, 1) == (before, len(up.seen))
    assert ("delivered", 2) == (row.state, row.attempts)


async def test_what_was_said_before_is_not_handed_over(post: Post) -> None:
    async with receiver() as up:
        post.channels |= {"up": channel(up.url), "other": channel(up.url)}
        await post.run()
        post.relay.express.go(await hand_over(post, delivery(post)))
        await post.relay.drain()
        again = await hand_over(
            post, {**delivery(post, name="msg_2"), "effect": "msg_1:up"}, delivery(post, "other", name="msg_2"), name="msg_2"
        )
        post.relay.express.go(again)
        await post.relay.drain()

    assert ["other"] == [claim.channel for claim in again.claims]
    assert ["msg_1", "msg_2"] == [headers["webhook-id"] for headers, _ in up.seen]


@pytest.mark.parametrize(
    "more",
    [
        {"waits_for": "dlv_1", "waits_if": "delivered"},
        {"state": "suppressed", "next_attempt_at": None},
        {"state": "superseded", "next_attempt_at": None},
    ],
    ids=["waits", "suppressed", "superseded"],
)
async def test_what_depends_on_something_else_takes_the_way_of_the_outbox(post: Post, more: dict[str, Any]) -> None:
    post.channels["up"] = channel("https://receiver.example.com/")
    await post.run()
    handed = await hand_over(post, delivery(post) | more)
    row = await post.row()

    assert not handed.claims
    assert (0, None) == (row.attempts, row.leased_until)


async def test_what_is_not_ready_or_has_expired_takes_the_way_of_the_outbox(post: Post) -> None:
    post.channels |= {"up": channel("https://receiver.example.com/"), "late": channel("https://receiver.example.com/")}
    await post.run()
    later = {"next_attempt_at": post.clock() + timedelta(hours=1)}
    handed = await hand_over(post, delivery(post) | later, delivery(post, "late") | {"expires_at": post.clock()})

    assert not handed.claims


async def test_ordered_and_grouping_channels_and_those_nobody_knows_take_the_way_of_the_outbox(post: Post) -> None:
    post.channels |= {name: channel("https://receiver.example.com/") for name in ("ordered", "grouping", "plain")}
    post.ordered.add("ordered")
    post.groups["grouping"] = Group(1, timedelta(minutes=5))
    await post.run()
    handed = await hand_over(post, *(delivery(post, name) for name in ("ordered", "grouping", "plain", "gone")))

    assert ["plain"] == [claim.channel for claim in handed.claims]


async def test_a_channel_that_does_not_answer_takes_the_way_of_the_outbox(post: Post) -> None:
    async with receiver() as up:
        up.status = 410
        post.channels["up"] = channel(up.url)
        await post.enqueue("up")
        await post.run()
    handed = await hand_over(post, delivery(post, name="msg_2"), name="msg_2")

    assert not handed.claims


async def test_before_the_first_look_and_after_the_last_nothing_is_handed_over(post: Post) -> None:
    post.channels["up"] = channel("https://receiver.example.com/")
    early = await hand_over(post, delivery(post))
    await post.relay.stop()
    late = await hand_over(post, delivery(post, name="msg_2"), name="msg_2")

    assert not early.claims
    assert not late.claims


async def test_what_is_handed_over_while_the_relay_stops_is_given_back_without_an_attempt(post: Post) -> None:
    post.channels["up"] = channel("https://receiver.example.com/")
    await post.run()
    handed = await hand_over(post, delivery(post))
    await post.relay.stop()
    post.relay.express.go(handed)
    await post.relay.drain()
    row = await post.row()

    assert handed.claims
    assert ("pending", 0, post.clock()) == (row.state, row.attempts, row.next_attempt_at)


async def test_no_more_is_handed_over_than_there_is_room_for(post: Post) -> None:
    post.channels["up"] = channel("https://receiver.example.com/")
    started: list[Handed] = []
    express = Express(lambda _: 2, started.append)
    notice = {"id": "msg_1", "type": "sla.breached", "milestone": "breach", "body": BODY, "created_at": post.clock()}
    rows = [{**delivery(post), "effect": f"e{number}"} for number in range(3)]
    async with post.db.begin() as conn:
        handed = await express.add(conn, [notice], rows, post.routes())
    stored = await post.rows()

    assert [row["id"] for row in rows[:2]] == [claim.id for claim in handed.claims]
    assert {rows[0]["id"]: 1, rows[1]["id"]: 1, rows[2]["id"]: 0} == {row.id: row.attempts for row in stored}


class Interrupted(Database):
    """The moment that its next reader sees is fixed; then something else is committed, before that reader goes on."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        async with super().read() as conn:
            if self.meanwhile is not None:
                await conn.execute(select(deliveries.c.id))
                interruption, self.meanwhile = self.meanwhile, None
                await interruption()
            yield conn


async def test_what_is_handed_over_while_the_relay_looks_at_what_was_taken_back_is_sent(post: Post, database_url: str) -> None:
    names = [f"msg_{number}" for number in range(3 * PER_CHANNEL)]
    db = Interrupted(database_url, database_time=False)
    await db.open()
    busy = Post(db, post.clock, post.client)

    async def hand_all_over() -> None:
        """More than may be on their way at once: the others wait for their turn."""
        notices = [{"id": name, "type": "sla.breached", "milestone": "breach", "body": BODY, "created_at": post.clock()} for name in names]
        async with db.begin() as conn:
            handed = await busy.relay.express.add(conn, notices, [delivery(busy, name=name) for name in names], busy.routes())
        busy.relay.express.go(handed)

    async with receiver() as up:
        busy.channels["up"] = channel(up.url)
        await busy.run()
        post.clock.advance(seconds=2)
        db.meanwhile = hand_all_over
        await busy.run()
        await busy.relay.drain()
        states = [row.state for row in await busy.rows()]
    await db.close()

    assert ["delivered"] * len(names) == states
    assert sorted(names) == sorted(headers["webhook-id"] for headers, _ in up.seen)
