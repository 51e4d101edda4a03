"""Reading many stored messages again after a mapping was repaired."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.errors import SourceNotFound
from app.exchange import HttpRequest
from app.services import replay, webhooks
from app.services.replay import Replayed, Wanted
from app.store.database import Database
from app.store.tables import audit_log, inbox, tickets
from tests.services.world import World, world
from tests.support.clock import FakeClock

DOCUMENT = """\
version: 1
sources:
  desk:
    kind: generic
    verify: none
    events: [{ticket: body.ticket, key: body.id, set: {status: {from: body.state, map: {offen: open, fertig: solved}}}}]
  other: {kind: zammad, verify: none}
"""
BROKEN = DOCUMENT.replace("fertig: solved", "zu: solved")


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    """Three messages that can be read, then three that cannot, an hour apart each."""
    async with world(database, clock, tmp_path, BROKEN) as made:
        for number, word in enumerate(["offen"] * 3 + ["fertig", "fertig", "kaputt"]):
            body = f'{{"ticket": "{number}", "id": "e{number}", "state": "{word}"}}'.encode()
            await webhooks.receive(made.ingest, made.live, "desk", HttpRequest("POST", "/", {}, body), made.clock)
            made.clock.advance(hours=1)
        await made.live.put(DOCUMENT, author="test", if_match="*")
        yield made


async def again(desk: World, *, dry_run: bool = False, **wanted: object) -> Replayed:
    asked = Wanted("desk", **wanted)  # type: ignore[arg-type]
    return await replay.replay(desk.ingest, desk.db, desk.live, desk.clock, asked, dry_run=dry_run, by="me")


async def outcomes(desk: World) -> list[str]:
    return [row.outcome for row in await desk.rows(inbox, "id")]


async def test_what_can_be_read_now_is_applied_and_the_rest_says_why_not(desk: World) -> None:
    before = await outcomes(desk)
    done = await again(desk)
    [logged] = [row for row in await desk.rows(audit_log) if row.action == "inbox.replayed"]

    assert before == ["applied"] * 3 + ["quarantined"] * 3
    assert (3, 3, {"applied": 2, "quarantined": 1}) == (done.matched, done.replayed, done.outcomes)
    assert ["kaputt" in reason for reason in done.reasons] == [True]
    assert await outcomes(desk) == ["applied"] * 5 + ["quarantined"]
    assert {"0", "1", "2", "3", "4"} == {row.external_id for row in await desk.rows(tickets)}
    assert ("me", "desk", 3) == (logged.actor, logged.subject, logged.detail["replayed"])


async def test_a_dry_run_says_the_same_and_changes_nothing(desk: World) -> None:
    told = await again(desk, dry_run=True)
    left = await outcomes(desk)
    done = await again(desk)

    assert (told.outcomes, told.reasons) == (done.outcomes, done.reasons)
    assert left == ["applied"] * 3 + ["quarantined"] * 3


async def test_only_what_came_in_between_is_read_again_the_oldest_first(desk: World) -> None:
    start = desk.clock() - timedelta(hours=6)
    some = await again(desk, dry_run=True, since=start + timedelta(hours=4), until=start + timedelta(hours=5))
    one = await again(desk, limit=1)

    assert (1, {"applied": 1}) == (some.matched, some.outcomes)
    assert (3, 1) == (one.matched, one.replayed)
    assert await outcomes(desk) == ["applied"] * 4 + ["quarantined"] * 2


async def test_what_was_applied_may_be_read_again_and_says_nothing_new(desk: World) -> None:
    done = await again(desk, outcome="applied")

    assert {"duplicate": 3} == done.outcomes


async def test_a_source_that_is_not_there_is_not_found(desk: World) -> None:
    with pytest.raises(SourceNotFound):
        await replay.replay(desk.ingest, desk.db, desk.live, desk.clock, Wanted("nowhere"), dry_run=True, by="me")
