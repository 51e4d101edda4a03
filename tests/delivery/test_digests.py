"""Too many at once: what goes by itself, what waits, and the one digest that tells the rest."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, update

from app.channels import ChannelConfig, slack
from app.channels._story import tell
from app.delivery import digests
from app.delivery.routes import Fallback, Group, Quiet
from app.rules.calendar import Calendar, CalendarSpec
from app.store import escalations, outbox
from app.store.tables import deliveries, tickets
from tests.delivery.post import Post, Receiver, channel, receiver

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def few_at_a_time(post: Post) -> None:
    post.groups["up"] = Group(more_than=3, per=MINUTE)


@asynccontextmanager
async def chat(post: Post) -> AsyncIterator[Receiver]:
    async with receiver() as up:
        post.channels["up"] = channel(up.url)
        yield up


async def storm(post: Post, count: int, *, first: int = 1, **more: Any) -> None:
    """Breaches of so many tickets at this moment."""
    at = post.clock()
    numbers = range(first, first + count)
    async with post.db.begin() as conn:
        rows = [
            {"id": f"tkt_{n}", "source": "desk", "external_id": f"{n}", "subject": f"Printer {n}", "tier": "gold", "group": f"g{n % 2}"}
            | {"stored_at": at, "timeline": {}, "revision": 1, "version": 1}
            for n in numbers
        ]
        await conn.execute(insert(tickets), rows)
    for n in numbers:
        await post.enqueue("up", name=f"msg_{n}", ticket_id=f"tkt_{n}", clock_id=f"clk_{n}", breach_id=f"brc_{n}", **more)


def said(up: Receiver) -> list[str]:
    """What the channel has heard: the ids of breaches, the titles of digests."""
    found = []
    for headers, body in up.seen:
        event = orjson.loads(body)
        found.append(event["data"]["title"] if event["type"] == "sla.digest" else headers["webhook-id"])
    return found


async def states(post: Post) -> Sequence[tuple[str, str]]:
    return [(row.notice_id, row.state) for row in await post.rows() if row.type != "sla.digest"]


async def test_few_notices_go_by_themselves(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 3)
        await post.run()

    assert sorted(said(up)) == ["msg_1", "msg_2", "msg_3"]


async def test_beyond_the_limit_the_rest_is_one_digest_when_the_span_is_over(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 8)
        await post.run()
        at_once = sorted(said(up))
        post.clock.advance(seconds=59)
        await post.run()
        before = len(up.seen)
        post.clock.advance(seconds=1)
        await post.run()
    digest = orjson.loads(up.seen[-1][1])["data"]
    [row] = [row for row in await post.rows() if row.type == "sla.digest"]

    assert at_once == ["msg_1", "msg_2", "msg_3"]
    assert (before, said(up)[-1]) == (3, "5 breaches: source desk, tier gold")
    assert [item["external_id"] for item in digest["items"]] == ["4", "5", "6", "7", "8"]
    assert digest["items"][0]["link"] == "https://sla.example.com/v1/breaches/brc_4"
    assert digest["links"]["all"] == f"https://sla.example.com/v1/deliveries?digest={row.id}"
    assert [state for _, state in await states(post)] == ["delivered"] * 3 + ["suppressed"] * 5
    assert {(each.waits_for, each.detail) for each in await post.rows() if each.state == "suppressed"} == {
        (row.id, f"told by the digest {row.id}")
    }


async def test_a_digest_counts_in_the_next_span_and_what_still_comes_waits_for_the_one_after(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 5)
        await post.run()
        post.clock.advance(minutes=1)
        await storm(post, 4, first=6)
        await post.run()
        second = said(up)[3:]
        post.clock.advance(minutes=1)
        await post.run()

    assert sorted(second) == ["2 breaches: source desk, tier gold", "msg_6", "msg_7"]
    assert said(up)[6:] == ["2 breaches: source desk, tier gold"]


async def test_a_single_one_that_has_waited_goes_by_itself(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 4)
        await post.run()
        post.clock.advance(minutes=1)
        await post.run()

    assert said(up)[3:] == ["msg_4"]


async def test_what_is_not_true_any_more_when_the_span_is_over_is_not_told(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 6)
        await post.run()
        async with post.db.begin() as conn:
            await outbox.supersede(conn, types=["sla.breached"], clock_ids=["clk_5"])
        post.clock.advance(minutes=1)
        await post.run()

    assert said(up)[3:] == ["2 breaches: source desk, tier gold, group g0"]


async def test_what_is_immediate_is_never_folded(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 6, immediate=True)
        await post.run()

    assert len(said(up)) == 6


async def test_two_relays_count_together(post: Post) -> None:
    other = post.another()
    async with chat(post) as up:
        await storm(post, 2)
        await post.run()
        await storm(post, 3, first=3)
        await other.run_once()
        await other.drain()
        await post.run()

    assert sorted(said(up)) == ["msg_1", "msg_2", "msg_3"]


async def test_a_storm_in_quiet_hours_is_one_digest_in_the_morning(post: Post) -> None:
    office = Calendar(CalendarSpec("office", hours=dict.fromkeys(range(5), ((10 * 3600, 17 * 3600),))))
    post.quiets["up"] = Quiet(office)
    async with chat(post) as up:
        await storm(post, 5)
        await post.run()
        at_once = len(up.seen)
        post.clock.advance(minutes=1)
        await post.run()
        at_night = said(up)[at_once:]
        post.clock.advance(minutes=59)
        await post.run()

    assert (at_once, at_night) == (3, [])  # the test enqueues past the quiet hours; what was put off heeds them
    assert said(up)[3:] == ["2 breaches: source desk, tier gold"]


async def test_whoever_has_accepted_the_digest_has_been_told(post: Post) -> None:
    async with chat(post) as up:
        await storm(post, 5)
        await post.run()
        up.status = 500
        post.clock.advance(minutes=1)
        await post.run()
        async with post.db.read() as conn:
            before = await outbox.told(conn, type_="sla.breached", clock_ids=["clk_4", "clk_5"])
        up.status = 204
        post.clock.advance(seconds=5)
        await post.run()
        async with post.db.read() as conn:
            after = await outbox.told(conn, type_="sla.breached", clock_ids=["clk_4", "clk_5"])

    assert before == {}
    assert after == {"clk_4": {"up"}, "clk_5": {"up"}}


async def test_a_rung_that_a_digest_tells_fares_as_the_digest_does(post: Post) -> None:
    async with chat(post):
        await storm(post, 5)
        async with post.db.begin() as conn:
            await conn.execute(update(deliveries).values(escalation_id="esc_1"))
        await post.run()
        post.clock.advance(minutes=1)
        await post.run()
        async with post.db.read() as conn:
            found = await escalations.reached(conn, ["msg_1", "msg_5"], ["esc_1"])
            told = await escalations.told(conn, ["esc_1"])

    assert found == {"msg_1": [("up", "delivered")], "msg_5": [("up", "delivered")]}
    assert told == {}  # these are no rungs by their type


def read_by_people(url: str) -> ChannelConfig:
    return slack.Config(url=SecretStr(url), allow_http=True)


async def not_accepted(post: Post, kind: Callable[[str], ChannelConfig], **more: Any) -> list[Any]:
    """A digest of two breaches that `up` does not accept, which has `ops` for its fallback; what `ops` is to hear."""
    async with chat(post) as up, receiver() as ops:
        post.channels["ops"] = kind(ops.url)
        post.fallbacks["up"] = Fallback("ops", timedelta(minutes=5))
        await storm(post, 5, **more)
        await post.run()
        up.status = 500
        post.clock.advance(minutes=1)
        await post.run()
        post.clock.advance(minutes=5)
        await post.run()
        await post.run()
    return await post.rows("ops")


async def test_a_fallback_that_people_read_hears_a_digest_that_is_not_accepted(post: Post) -> None:
    rows = await not_accepted(post, read_by_people)
    [event] = await post.events("ops")

    assert ["sla.digest"] == [row.type for row in rows]
    assert "2 breaches: source desk, tier gold" == event["data"]["title"]


async def test_a_fallback_that_hears_every_notice_by_itself_hears_those_a_digest_stands_for(post: Post) -> None:
    rows = await not_accepted(post, channel)

    assert [("sla.breached", f"msg_{n}", f"clk_{n}", f"brc_{n}") for n in (4, 5)] == [
        (row.type, row.notice_id, row.clock_id, row.breach_id) for row in rows
    ]


async def test_of_what_a_digest_stands_for_the_fallback_hears_only_what_is_worth_saying(post: Post) -> None:
    rows = await not_accepted(post, channel, expires_in=timedelta(minutes=3))

    assert [] == rows


async def test_without_a_group_nothing_is_folded(post: Post) -> None:
    post.groups.clear()
    async with chat(post) as up:
        await storm(post, 6)
        await post.run()

    assert len(said(up)) == 6


async def test_a_digest_of_thousands_is_small_and_says_how_many(post: Post) -> None:
    rows: list[dict[str, Any]] = [
        {"type": "sla.breached", "ticket_id": f"tkt_{n}", "breach_id": f"brc_{n}", "source": "desk", "external_id": f"{n}", "tier": "gold"}
        | {"subject": "ü" * 500, "metric": "first_response", "due_at": post.clock(), "breached_at": None}
        for n in range(digests.LISTED)
    ]
    async with post.db.begin() as conn:
        await digests.announce(conn, "up", "storm", {"sla.breached": 9000, "sla.warning": 1}, {}, rows, post.routes(), post.clock())
    [event] = await post.events("up")

    assert ("9000 breaches, 1 warning", 9001, True) == tuple(event["data"][name] for name in ("title", "count", "truncated"))
    assert 20 < len(event["data"]["items"]) <= digests.LISTED
    assert len(orjson.dumps(event)) <= 20_000
    assert tell(event).line.startswith("✖ 9000 breaches, 1 warning · #0 üüü")


def test_a_digest_of_other_due_instants_says_so_in_words() -> None:
    assert "12 due times changed, 1 warning: tier gold" == digests.title({"sla.warning": 1, "sla.retargeted": 12}, {"tier": "gold"})


def test_only_channels_that_people_read_may_fold() -> None:
    from app import channels

    folding = {kind for kind in channels.kinds() if channels.load(kind).Config.groups}
    configs: list[type[ChannelConfig]] = [channels.load(kind).Config for kind in channels.kinds()]

    assert {"webhook", "pagerduty", "jsm-ops", "alertmanager"} == set(channels.kinds()) - folding
    assert ["webhook"] == [kind for kind, config in zip(channels.kinds(), configs, strict=True) if config.of_record]
