"""The first load: history without noise, resumable, and the same however often it is done."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.errors import Conflict, InvalidRequest, Unavailable
from app.exchange import HttpResponse
from app.schemas.events_out import rfc3339
from app.services import importing, webhooks
from app.services.dump import Dump
from app.services.fetching import Tools
from app.store.database import Database
from app.store.sources import Job
from app.store.tables import breaches, clocks, deliveries, escalations, inbox, notices, source_jobs, tickets
from tests.helpdesks.fetching.desks import basic
from tests.helpdesks.fetching.samples import zendesk, zendesk_ticket
from tests.services.apis import serving, tools
from tests.services.world import SECRET, World, event, world
from tests.support.clock import FakeClock

DOCUMENT = """\
version: 1
policies:
  - name: everyone
    targets: {first_response: 1h, resolution: 4h}
    warn_at: [50%]
    escalation: ladder
escalations:
  ladder: {steps: [{at: "50%", notify: lead}, {at: breach, notify: lead}]}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*", "escalation.*"]}
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}"}
delivery: {allow_networks: 127.0.0.0/8}
sources:
  desk:
    kind: generic
    verify: none
    events: [{ticket: body.ticket, key: body.id, at: body.at, created: body.created, set: {status: body.state}}]
  zen: {kind: zendesk, verify: none, api: {url: "http://127.0.0.1:65000", email: bot@example.com, token: "${env:SECRET}", allow_http: true}}
"""


@pytest.fixture
async def desk(database: Database, clock: FakeClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world(database, clock, tmp_path, DOCUMENT) as made:
        yield made


def canonical(desk: World, ticket: str, hours_ago: float, **said: Any) -> dict[str, Any]:
    return {"source": "any", "ticket": ticket, "at": rfc3339(desk.clock() - timedelta(hours=hours_ago)), **said}


def story(desk: World, ticket: str, hours_ago: float) -> list[dict[str, Any]]:
    """Asked, answered within a quarter of an hour, solved within an hour."""
    ann, bob = {"kind": "customer"}, {"kind": "agent"}
    return [
        canonical(desk, ticket, hours_ago, kind="ticket.created", actor=ann, set={"status": "new"}),
        canonical(desk, ticket, hours_ago - 0.25, actor=bob, message={"public": True, "id": f"m{ticket}"}),
        canonical(desk, ticket, hours_ago - 1, actor=bob, set={"status": "solved"}),
    ]


def written(folder: Path, records: list[Any], name: str = "dump.ndjson") -> Dump:
    file = folder / name
    file.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in records))
    return Dump(file)


async def load(desk: World, dump: Dump, step: importing.Step = lambda *_: None, source: str = "desk") -> dict[str, int]:
    config = desk.live.current.loaded.sources.get(source)
    return await importing.from_file(desk.db, desk.ingest, desk.clock, source, config, dump, step)


async def test_what_was_broken_is_recorded_and_nobody_is_told(desk: World, tmp_path: Path) -> None:
    dump = written(tmp_path, [canonical(desk, "1", 9, kind="ticket.created", set={"status": "open"})])
    counts = await load(desk, dump)
    for _ in range(3):
        await desk.tick()
        desk.clock.advance(minutes=10)
    found = await desk.rows(breaches, "metric")

    assert {"records": 1, "tickets": 1, "events": 1}.items() <= counts.items()
    assert [("first_response", "import", "open"), ("resolution", "import", "open")] == [(b.metric, b.suppressed, b.status) for b in found]
    assert [] == [*await desk.rows(notices), *await desk.rows(deliveries), *await desk.rows(escalations)]


async def test_what_breaks_from_now_on_is_told_as_always(desk: World, tmp_path: Path) -> None:
    await load(desk, written(tmp_path, [canonical(desk, "1", 2.5, kind="ticket.created", set={"status": "open"})]))
    quiet = await desk.rows(notices)
    desk.clock.advance(hours=2)
    await desk.tick()
    told = {row.type for row in await desk.rows(notices)}
    resolution = next(row for row in await desk.rows(breaches) if row.metric == "resolution")

    assert quiet == []
    assert "sla.breached" in told
    assert resolution.suppressed is None


async def test_a_ticket_imported_before_its_warning_is_warned_of(desk: World, tmp_path: Path) -> None:
    await load(desk, written(tmp_path, [canonical(desk, "1", 0.2, kind="ticket.created", set={"status": "open"})]))
    desk.clock.advance(minutes=20)
    await desk.tick()

    assert "sla.warning" in {row.type for row in await desk.rows(notices)}


async def test_a_ticket_of_which_a_webhook_tells_something_new_too_is_not_kept_quiet(desk: World) -> None:
    created, reply = (event(desk.clock() - timedelta(hours=hours), what, "1") for hours, what in ((9, "created"), (0, "updated")))
    await asyncio.gather(desk.tell(created, quiet=True), desk.tell(reply))

    assert {None} == {row.suppressed for row in await desk.rows(breaches)}
    assert "sla.breached" in {row.type for row in await desk.rows(notices)}


@pytest.mark.parametrize("shuffle", [False, True])
async def test_kept_promises_are_kept_however_the_file_is_sorted(desk: World, tmp_path: Path, *, shuffle: bool) -> None:
    records = [record for number in range(90) for record in story(desk, str(number), 30 + number)]
    dump = written(tmp_path, records[::-1] if shuffle else sorted(records, key=lambda record: str(record["at"])))
    counts = await load(desk, dump)

    assert (90, 270) == (counts["tickets"], counts["events"])
    assert await desk.rows(breaches) == []
    assert {"met"} == {row.health for row in await desk.rows(clocks)}


async def test_done_twice_it_is_done_once(desk: World, tmp_path: Path) -> None:
    dump = written(tmp_path, story(desk, "1", 30))
    once, twice = await load(desk, dump), await load(desk, dump)

    assert (3, 0) == (once["events"], twice.get("events", 0))
    assert twice["known"] == 3


async def test_broken_off_it_goes_on_where_it_was(desk: World, tmp_path: Path) -> None:
    dump = written(tmp_path, [record for n in range(200) for record in story(desk, f"{n:03}", 30)])

    def stop(done: int, total: int, counts: Counter[str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await load(desk, dump, stop)
    [broken] = await desk.rows(source_jobs)
    told = len(await desk.rows(tickets))
    done: list[int] = []
    counts = await load(desk, dump, lambda now, *_: done.append(now))

    assert (64, "it was interrupted", None) == (told, broken.error, broken.held_until)
    assert done[0] == (64 + 64) * 3
    assert (600, 600, 0) == (counts["records"], counts["events"], counts.get("known", 0))


async def test_two_at_once_do_not_do_it_twice(desk: World, tmp_path: Path) -> None:
    dump = written(tmp_path, [record for n in range(500) for record in story(desk, f"{n:03}", 30)])
    others: list[asyncio.Task[dict[str, int]]] = []

    def begin_another(done: int, total: int, counts: Counter[str]) -> None:
        others.extend([] if others else [asyncio.create_task(load(desk, dump))])

    counts = await load(desk, dump, begin_another)
    with pytest.raises(Conflict):
        await others[0]

    assert (1500, 0) == (counts["events"], counts.get("known", 0))


async def test_native_bodies_are_read_by_the_source_and_what_cannot_be_goes_to_quarantine(desk: World, tmp_path: Path) -> None:
    at = rfc3339(desk.clock() - timedelta(hours=1))
    native = {"ticket": "7", "id": "e1", "at": at, "state": "open"}
    wrapped = {"headers": {"X-Any": "1"}, "body": {**native, "ticket": "8", "id": "e2"}, "received_at": at}
    shown = {"headers": {}, "body": {"encoding": "utf-8", "text": json.dumps({**native, "ticket": "9", "id": "e3"})}}
    counts = await load(desk, written(tmp_path, [native, wrapped, shown, {"ticket": "10", "id": "e4", "state": "ajar"}, "{broken"]))
    messages = await desk.rows(inbox, "id")
    quarantined = [row for row in messages if row.outcome == "quarantined"]

    assert (3, 2) == (counts["tickets"], counts["quarantined"])
    assert {"7", "8", "9"} == {row.external_id for row in await desk.rows(tickets)}
    assert {"import"} == {row.via for row in messages}
    assert ["no JSON" in row.reason or "ajar" in row.reason for row in quarantined] == [True, True]


async def test_what_is_in_quarantine_from_a_file_can_be_replayed(desk: World, tmp_path: Path) -> None:
    body = {"ticket": "10", "id": "e4", "at": rfc3339(desk.clock()), "state": "ajar"}
    await load(desk, written(tmp_path, [body]))
    [message] = await desk.rows(inbox)
    await desk.live.put(DOCUMENT.replace("set: {status: body.state}", "set: {subject: body.state}"), author="test", if_match="*")
    receipt = await webhooks.replay(desk.ingest, desk.db, desk.live, message.id)

    assert ("quarantined", "applied") == (message.outcome, receipt.outcome)


async def test_one_array_and_one_object_are_files_too(desk: World, tmp_path: Path) -> None:
    array, alone = tmp_path / "array.json", tmp_path / "object.json"
    array.write_text(json.dumps(story(desk, "1", 30), indent=1))
    alone.write_text(json.dumps(story(desk, "2", 30)[0], indent=1))

    assert (3, 1) == ((await load(desk, Dump(array)))["events"], (await load(desk, Dump(alone)))["events"])


def test_a_file_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    for name in ("missing", "empty"):
        with pytest.raises(InvalidRequest, match=name):
            Dump(tmp_path / name)


async def over_the_api(made: Tools, desk: World, url: str, report: Any = lambda _job: None) -> dict[str, int]:
    await desk.live.put(desk.live.current.text.replace("http://127.0.0.1:65000", url), author="test", if_match="*")
    return await importing.from_api(made, desk.live.current.loaded.sources["zen"], None, report)


async def test_over_the_api_everything_comes_quietly_and_page_by_page(desk: World) -> None:
    api = zendesk()
    api.authorization = basic(f"bot@example.com/token:{SECRET}")
    api.tickets += [
        zendesk_ticket(n, status="open", updated_at=f"2026-02-02T09:{n}:00Z", created_at="2026-02-02T09:00:00Z") for n in (10, 11)
    ]
    desk.clock.advance(hours=1)
    seen: list[Job] = []
    async with serving(api) as url, tools(desk) as made:
        counts = await over_the_api(made, desk, url, seen.append)
    found = await desk.rows(breaches)

    assert {"10", "11", "35"} == {row.external_id for row in await desk.rows(tickets)}
    assert (3, {"import"}) == (counts["tickets"], {row.suppressed for row in found})
    assert await desk.rows(notices) == []
    assert [1, 2] == [job.progress["tickets"] for job in seen[:2]]


async def test_over_the_api_promises_of_the_past_are_judged_by_their_whole_history(desk: World) -> None:
    api = zendesk()
    api.authorization = basic(f"bot@example.com/token:{SECRET}")
    desk.clock.advance(hours=1)
    async with serving(api) as url, tools(desk) as made:
        await over_the_api(made, desk, url)
    judged = {row.metric: (row.health, rfc3339(row.stopped_at)[11:16], row.elapsed_seconds) for row in await desk.rows(clocks)}

    assert {"first_response": ("met", "08:40", 2400), "resolution": ("met", "09:10", 2400)} == judged


async def test_over_the_api_it_waits_when_told_to_and_goes_on_after_a_failure(desk: World) -> None:
    api = zendesk()
    api.authorization = basic(f"bot@example.com/token:{SECRET}")
    api.trouble = [HttpResponse(429, {"Retry-After": "600"}), *[HttpResponse(502)] * 4]
    desk.clock.advance(hours=1)
    waits: list[float] = []
    async with serving(api) as url, tools(desk, waits) as made:
        with pytest.raises(Unavailable, match="goes on from here"):
            await over_the_api(made, desk, url)
        counts = await over_the_api(made, desk, url)

    assert waits[0] == 600
    assert counts["tickets"] == 1


async def test_a_source_without_an_api_says_so(desk: World) -> None:
    async with tools(desk) as made:
        with pytest.raises(InvalidRequest, match="needs an `api`"):
            await importing.from_api(made, desk.live.current.loaded.sources["desk"], None, lambda _job: None)
