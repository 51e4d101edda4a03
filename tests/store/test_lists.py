"""The one engine behind every list, on both databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from app.errors import CursorMismatch, InvalidCursor, InvalidRequest, SlaError, UnknownParameter
from app.rules.evaluate import evaluate
from app.rules.events import TicketEvent
from app.rules.policy import Book
from app.rules.timeline import Timeline
from app.store.cursors import Signer
from app.store.database import Database
from app.store.listings import CLOCKS, STATES_OF_HEALTH
from app.store.lists import Pairs, Row, read_ask, read_page
from app.store.tables import clocks, tickets
from tests.rules.tickets import START, books, events

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SIGNER = Signer(b"secret")


def ticket(number: int) -> dict[str, Any]:
    return {"id": f"tkt_{number}", "source": "desk", "external_id": f"owner/repo#{number}", "stored_at": AT, "deleted": False} | {
        "timeline": [],
        "revision": 1,
        "version": 1,
    }


def clock(number: int, due: datetime | None, **more: Any) -> dict[str, Any]:
    return {
        "id": f"clk_{number:03}",
        "ticket_id": f"tkt_{number % 3}",
        "metric": "resolution",
        "cycle": 1,
        "state": "running" if due else "paused",
        "health": "on_track" if due else "paused",
        "started_at": AT - timedelta(hours=1),
        "due_at": due,
        "target": "4h",
        "elapsed_seconds": 0,
        "fired": [],
        "policy": "everyone",
        "calendar": "always",
        "revision": 1,
        "source": "desk",
        "tier": None,
        "generation": 1,
        "failures": 0,
        "judged_at": AT,
    } | more


@dataclass
class Lists:
    """Clocks to ask for."""

    db: Database

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        async with self.db.begin() as conn:
            for row in rows:
                await conn.execute(insert(clocks).values(row))

    async def page(self, *pairs: tuple[str, str], at: datetime = AT) -> tuple[list[Row], str | None]:
        ask = read_ask(CLOCKS, pairs, at, SIGNER)
        async with self.db.read() as conn:
            page = await read_page(conn, CLOCKS, ask)
        return page.rows, SIGNER.sign(page.next, ask.binding) if page.next else None

    async def all(self, *pairs: tuple[str, str]) -> list[str]:
        """Ids over all pages."""
        rows, cursor = await self.page(*pairs)
        found = [row["id"] for row in rows]
        while cursor is not None:
            rows, cursor = await self.page(*pairs, ("cursor", cursor))
            found += [row["id"] for row in rows]
        return found


@pytest.fixture
async def lists(database: Database) -> Lists:
    """Twelve clocks: due in pairs, every fourth without a due instant."""
    made = Lists(database)
    async with database.begin() as conn:
        await conn.execute(insert(tickets), [ticket(number) for number in range(3)])
    await made.add(
        [clock(n, None if n % 4 == 3 else AT + timedelta(minutes=10 * (n // 2)), tier="gold" if n % 2 else None) for n in range(12)]
    )
    return made


VALUED = [f"clk_{n:03}" for n in range(12) if n % 4 != 3]
EMPTY = [f"clk_{n:03}" for n in range(12) if n % 4 == 3]


SORTED = {
    "due_at": VALUED + EMPTY,
    "-due_at": VALUED[::-1] + EMPTY[::-1],
    "id": sorted(VALUED + EMPTY),
    "-id": sorted(VALUED + EMPTY)[::-1],
    "-started_at": sorted(VALUED + EMPTY)[::-1],
}


async def test_pages_put_together_are_the_whole_in_order_and_no_value_comes_last(lists: Lists) -> None:
    for limit in ("1", "2", "5", "9", "200"):
        found = {sort: await lists.all(("sort", sort), ("limit", limit)) for sort in SORTED}

        assert found == SORTED, limit


async def test_rows_that_come_in_between_neither_shift_nor_repeat_others(lists: Lists) -> None:
    rows, cursor = await lists.page(("limit", "4"))
    seen = [row["id"] for row in rows]
    number = 100
    while cursor is not None:
        await lists.add([clock(number + n, AT + timedelta(minutes=7 * n)) for n in range(10)])
        number += 10
        rows, cursor = await lists.page(("limit", "4"), ("cursor", cursor))
        seen += [row["id"] for row in rows]

    assert len(seen) == len(set(seen))
    assert set(VALUED + EMPTY) <= set(seen)


FILTERED: list[tuple[Pairs, set[int]]] = [
    ([("tier", "gold")], {1, 3, 5, 7, 9, 11}),
    ([("tier", "none")], {0, 2, 4, 6, 8, 10}),
    ([("tier", "none"), ("tier", "gold")], set(range(12))),
    ([("tier", "gold"), ("state", "running")], {1, 5, 9}),
    ([("state", "running"), ("state", "paused"), ("tier", "gold")], {1, 3, 5, 7, 9, 11}),
    ([("ticket", "tkt_1")], {1, 4, 7, 10}),
    ([("ticket", "desk:owner/repo#2")], {2, 5, 8, 11}),
    ([("ticket", "desk:owner/repo#2"), ("ticket", "tkt_1")], {1, 2, 4, 5, 7, 8, 10, 11}),
    ([("ticket", "nobody:here")], set()),
    ([("due_within", "20m")], {0, 1, 2, 4, 5}),
    ([("due_within", "0s")], {0, 1}),
    ([("due_at[gte]", "2026-03-02T10:20:00+01:00"), ("due_at[lt]", "2026-03-02T09:40:00Z")], {4, 5, 6}),
    ([("due_at[gt]", "2026-03-02T09:40:00Z")], {10}),
    ([("due_at[lte]", "2026-03-02T09:00:00.000Z")], {0, 1}),
    ([("policy", "none")], set()),
    ([("health", "paused")], {3, 7, 11}),
    ([("health", "paused"), ("health", "on_track"), ("tier", "none")], {0, 2, 4, 6, 8, 10}),
    ([("health", "missed"), ("health", "paused"), ("state", "paused"), ("state", "stopped")], {3, 7, 11}),
    ([("health", "overdue")], set()),
    ([("health", "paused"), ("state", "running")], set()),
    ([("due_within", "20m"), ("state", "paused")], set()),
    ([("due_within", "20m"), ("state", "paused"), ("state", "running")], {0, 1, 2, 4, 5}),
]


async def test_filters_of_one_key_are_any_of_and_of_several_keys_all_of(lists: Lists) -> None:
    for pairs, expected in FILTERED:
        found = set(await lists.all(*pairs))

        assert {f"clk_{n:03}" for n in expected} == found, pairs


async def test_states_are_merged_into_one_order(lists: Lists) -> None:
    await lists.add([clock(20 + n, AT + timedelta(minutes=10 * n + 5), state="stopped", health="met") for n in range(4)])
    expected = ["clk_000", "clk_001", "clk_020", "clk_002", "clk_021", "clk_004", "clk_005", "clk_022", "clk_006", "clk_023"]
    for sort, whole in (("due_at", [*expected, *VALUED[6:], *EMPTY]), ("-due_at", [*VALUED[6:][::-1], *expected[::-1], *EMPTY[::-1]])):
        for limit in ("1", "3", "200"):
            assert whole == await lists.all(("sort", sort), ("limit", limit)), (sort, limit)


@given(events(), books(), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_clock_has_a_health_that_its_state_does_not_have(told: list[TicketEvent], book: Book, second: int) -> None:
    verdict = evaluate(Timeline().extend(told), book, START + timedelta(seconds=second))

    assert all(clock.state in STATES_OF_HEALTH[clock.health] for clock in verdict.clocks)


async def test_due_within_means_the_same_moment_on_every_page(lists: Lists) -> None:
    pairs = (("due_within", "20m"), ("limit", "2"))
    _, cursor = await lists.page(*pairs)
    rows, cursor = await lists.page(*pairs, ("cursor", cursor or ""), at=AT + timedelta(hours=1))
    rows, cursor = await lists.page(*pairs, ("cursor", cursor or ""), at=AT + timedelta(hours=2))

    assert (["clk_005"], None) == ([row["id"] for row in rows], cursor)


async def test_a_row_has_the_columns_of_the_listing_and_the_names_of_its_ticket(lists: Lists) -> None:
    [row], _ = await lists.page(("limit", "1"))

    assert list(CLOCKS.columns) == list(row)
    assert ("tkt_0", "owner/repo#0") == (row["ticket_id"], row["external_id"])


@pytest.mark.parametrize(
    ("pairs", "kind", "said"),
    [
        ([("tire", "gold")], UnknownParameter, "did you mean `tier`?"),
        ([("due_at", "2026-03-02T09:00:00Z")], UnknownParameter, "due_at[gte]"),
        ([("state", "runing")], InvalidRequest, "did you mean `running`?"),
        ([("sort", "due")], InvalidRequest, "did you mean `due_at`?"),
        ([("sort", "due_at"), ("sort", "id")], InvalidRequest, "once"),
        ([("limit", "0")], InvalidRequest, "from 1 to 200"),
        ([("limit", "201")], InvalidRequest, "from 1 to 200"),
        ([("limit", "ten")], InvalidRequest, "from 1 to 200"),
        ([("limit", "٣")], InvalidRequest, "from 1 to 200"),
        ([("limit", "9" * 5000)], InvalidRequest, "from 1 to 200"),
        ([("due_at[gte]", "yesterday")], InvalidRequest, "2026-11-21T09:30:00Z"),
        ([("due_at[gte]", "2026-03-02T09:00:00")], InvalidRequest, "offset"),
        ([("due_at[gte]", "0001-01-01T00:00:00+14:00")], InvalidRequest, "offset"),
        ([("due_within", "soon")], InvalidRequest, "1h30m"),
        ([("tier", "")], InvalidRequest, "characters"),
        ([("tier", "x" * 301)], InvalidRequest, "characters"),
        ([("tier", str(n)) for n in range(51)], InvalidRequest, "at most 50"),
        ([("cursor", "")], InvalidCursor, "begin again"),
        ([("cursor", "x")], InvalidCursor, "begin again"),
        ([("cursor", "x" * 10_000)], InvalidCursor, "begin again"),
    ],
)
def test_a_question_that_cannot_be_is_refused_with_a_hint(pairs: Pairs, kind: type[SlaError], said: str) -> None:
    with pytest.raises(kind) as caught:
        read_ask(CLOCKS, pairs, AT, SIGNER)

    assert said in caught.value.detail


@pytest.mark.parametrize("other", [[("tier", "gold")], [("sort", "-due_at")], [("state", "running"), ("tier", "none")]])
async def test_a_cursor_is_refused_for_another_filter_or_sort(lists: Lists, other: Pairs) -> None:
    _, cursor = await lists.page(("limit", "2"))

    with pytest.raises(CursorMismatch):
        read_ask(CLOCKS, [*other, ("cursor", cursor or "")], AT, SIGNER)


async def test_a_cursor_holds_for_another_limit_and_another_order_of_the_same_filters(lists: Lists) -> None:
    _, cursor = await lists.page(("tier", "gold"), ("state", "running"), ("state", "paused"), ("limit", "1"))
    ask = read_ask(CLOCKS, [("state", "paused"), ("cursor", cursor or ""), ("state", "running"), ("tier", "gold")], AT, SIGNER)

    assert ask.after is not None


def test_a_duration_beyond_the_end_of_time_is_the_end_of_time() -> None:
    ask = read_ask(CLOCKS, [("due_within", "999999999d")], AT, SIGNER)

    assert len(ask.where) == 1
