"""What came of attempts is written in groups, and nothing of it is lost or spoilt by a neighbour."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import pytest

from app.delivery.breaker import Tried
from app.delivery.recorder import GROUP_SECONDS, REST_SECONDS, Record, Recorder
from app.delivery.relay import LEASE
from app.delivery.routes import Routes
from app.errors import Unavailable
from app.store import claims
from app.store.claims import Claim, Ended, Want
from app.store.database import Connection, Database
from app.store.endpoints import Endpoint
from tests.delivery.post import Post


class Counting(Database):
    """Counts its transactions; the first `away` of them find nobody."""

    begun = away = 0

    @asynccontextmanager
    async def begin(self, *, aside: bool = False) -> AsyncIterator[Connection]:
        self.begun += 1
        if self.begun <= self.away:
            raise Unavailable("nobody there")
        async with super().begin(aside=aside) as connection:
            yield connection


@pytest.fixture
async def counting(database: Database, database_url: str) -> AsyncIterator[Counting]:
    opened = Counting(database_url, database_time=False)
    await opened.open()
    yield opened
    await opened.close()


async def claimed(post: Post, count: int) -> list[Claim]:
    for number in range(count):
        await post.enqueue("up", name=f"msg_{number:02}")
    async with post.db.begin() as conn:
        return await claims.claim(conn, post.clock(), [Want("up", 0, count)], lease=LEASE)


def record(claim: Claim, post: Post, *, detail: str | None = None) -> Record:
    row = {
        "delivery_id": claim.id, "number": 1, "started_at": post.clock(), "method": "POST", "url": "", "status": 204, "error_class": "ok",
        "detail": detail, "timing": {}, "answer": None,
    }  # fmt: skip
    return Record(Ended(claim, "delivered", post.clock(), attempt_row=row), Tried(post.clock(), "ok"))


async def test_what_ends_together_is_one_transaction(post: Post, counting: Counting) -> None:
    recorder = Recorder(counting, post.routes, lambda: None)
    recorder.put(record(claim, post) for claim in await claimed(post, 100))
    await recorder.idle()

    assert 1 == counting.begun
    assert {"delivered"} == {row.state for row in await post.rows()}
    assert post.clock() == (await post.endpoint()).delivered_at


async def test_while_the_database_is_away_nothing_is_lost(post: Post, counting: Counting) -> None:
    recorder = Recorder(counting, post.routes, lambda: None)
    counting.away = 1
    recorder.put(record(claim, post) for claim in await claimed(post, 3))
    await recorder.idle()

    assert 2 == counting.begun
    assert 0 == recorder.backlog
    assert {"delivered"} == {row.state for row in await post.rows()}


async def test_one_that_cannot_be_written_takes_no_other_with_it(post: Post, counting: Counting) -> None:
    recorder = Recorder(counting, post.routes, lambda: None)
    first, second, third = await claimed(post, 3)
    unknown = Claim("dlv_unknown", "msg_00", "up", "sla.breached", None, 1, 0, 1, None, post.clock())
    recorder.put([record(first, post), record(unknown, post), record(second, post), record(third, post)])
    await recorder.idle()

    assert 3 == [row.state for row in await post.rows()].count("delivered")


async def test_what_was_read_before_something_was_written_does_not_hide_it(post: Post) -> None:
    recorder = Recorder(post.db, post.routes, lambda: None)
    version = recorder.version
    [claim] = await claimed(post, 1)
    recorder.put([Record(Ended(claim, "pending", post.clock(), post.clock()), Tried(post.clock(), "timeout"))])
    await recorder.idle()
    recorder.learn({}, version)
    late = recorder.book
    recorder.learn({"up": Endpoint("up", post.clock() - timedelta(hours=1))}, recorder.version)

    assert 1 == late["up"].failures
    assert post.clock() - timedelta(hours=1) == recorder.book["up"].failing_since


async def test_what_ends_while_a_group_is_gathered_or_written_makes_no_transaction_of_its_own(post: Post, counting: Counting) -> None:
    recorder = Recorder(counting, post.routes, lambda: None)
    for claim in await claimed(post, 20):
        recorder.put([record(claim, post)])
        await asyncio.sleep(0)
    await recorder.idle()

    assert 1 == counting.begun
    assert {"delivered"} == {row.state for row in await post.rows()}


async def test_what_something_waits_for_is_written_sooner(post: Post, counting: Counting) -> None:
    first, second = await claimed(post, 2)
    patient, awaited = (Recorder(counting, routes, lambda: None) for routes in (lambda: Routes({}), post.routes))
    post.ordered.add("up")
    begun = monotonic()
    patient.put([record(first, post)])
    awaited.put([record(second, post)])
    tasks = {task for task in asyncio.all_tasks() if task.get_name() == "record attempts"}
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    left = (patient.backlog, awaited.backlog)
    await asyncio.wait(tasks)

    assert (1, 0) == left
    assert monotonic() - begun > REST_SECONDS > GROUP_SECONDS
