"""`slawatch explain`."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.exchange import HttpRequest
from app.rules.events import Actor, ActorKind, EventKind, Message, TicketEvent
from app.services.configuration import LiveConfig
from app.services.ingest import Arrival, Ingest
from app.store.database import Database
from tests.support.clock import START, FakeClock

DOCUMENT = """\
version: 1
calendars:
  office: {timezone: Europe/Berlin, hours: {mon-fri: "09:00-17:00"}}
tiers:
  - {name: gold, match: {tags: gold}}
  - {name: bronze}
policies:
  - {name: gold, match: {tier: gold}, targets: {first_response: 1h}}
  - name: everyone
    calendar: office
    targets: {first_response: 2h, resolution: {within: 6h, pause_while: {status: pending}}}
signals:
  silence: {longer_than: 30m, tiers: {gold: {longer_than: 10m}}}
  reopened: {more_than: 0}
channels:
  upstream: {kind: webhook, url: "https://example.com/hook", secrets: ["${env:UPSTREAM}"], events: ["sla.*"]}
"""
SECRETS = {"UPSTREAM": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def event(minutes: float, key: str, **said: Any) -> TicketEvent:
    return TicketEvent("shop", "4711", key, START + timedelta(minutes=minutes), **said)


STORY = (
    event(
        0, "1", kind=EventKind.TICKET_CREATED, set={"status": "open", "subject": "Where is [my] order?"}, actor=Actor(ActorKind.CUSTOMER)
    ),
    event(10, "2", set={"status": "pending"}),
    event(25.5, "3", set={"status": "open"}),
    event(40, "4", message=Message(ActorKind.AGENT, public=True)),
)


@pytest.fixture
def database_with_a_ticket(sqlite_url: str, tmp_path: Path) -> str:
    """A database that a service with secrets has filled; START is a Monday, 10:00 in Berlin."""
    file = tmp_path / "slawatch.yaml"
    file.write_text(DOCUMENT)

    async def fill() -> None:
        db, clock = Database(sqlite_url), FakeClock()
        await db.open()
        live = LiveConfig(db, clock, SECRETS, tmp_path)
        await live.start(file)
        ingest = Ingest(db, live, clock)
        await ingest.start()
        clock.advance(minutes=45)
        await ingest.submit(Arrival("shop", "events", HttpRequest("POST", "/v1/events", {}), clock(), events=STORY))
        await ingest.stop()
        await db.close()

    asyncio.run(fill())
    return sqlite_url


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments, "--database-url", url])


def explained(url: str, at: datetime) -> dict[str, Any]:
    result = run(url, "shop:4711", "-o", "json", "--at", at.isoformat())
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_counted_spans_add_up_to_what_a_clock_has_used(database_with_a_ticket: str) -> None:
    found = explained(database_with_a_ticket, START + timedelta(minutes=60))
    clocks = {clock["metric"]: clock for clock in found["clocks"]}
    sums = {metric: sum(span["counted_seconds"] for span in clock["spans"]) for metric, clock in clocks.items()}

    assert (found["policy"], found["tier"], found["revision"]) == ("everyone", "bronze", 1)
    assert [rejected["policy"] for rejected in found["rejected_policies"]] == ["gold"]
    assert sums == {metric: clock["elapsed_seconds"] for metric, clock in clocks.items()}
    assert sums == {"first_response": 40 * 60, "resolution": 60 * 60 - 15.5 * 60}


def test_it_can_be_asked_about_the_past(database_with_a_ticket: str) -> None:
    then = explained(database_with_a_ticket, START + timedelta(minutes=41))
    later = explained(database_with_a_ticket, START + timedelta(days=1))

    assert {clock["health"] for clock in then["clocks"]} == {"met", "on_track"}
    assert {clock["health"] for clock in later["clocks"]} == {"met", "overdue"}


def test_tables_say_the_same_to_people(database_with_a_ticket: str) -> None:
    result = run(database_with_a_ticket, "shop:4711", "--at", (START + timedelta(minutes=60)).isoformat())
    text = result.stdout

    assert result.exit_code == 0
    assert text.startswith("shop:4711  Where is [my] order?\n")
    assert "not gold: " in text
    assert "target: 6h (policies.everyone.targets.resolution.default)   calendar: office (Europe/Berlin)" in text
    assert sorted(line.split()[-1] for line in text.splitlines() if "elapsed" in line) == ["0:40:00.000000", "0:44:30.000000"]
    assert "paused" in text


def test_a_ticket_is_found_by_our_id_too(database_with_a_ticket: str) -> None:
    ours = explained(database_with_a_ticket, START)["ticket"]["id"]
    result = run(database_with_a_ticket, ours, "-o", "json")

    assert json.loads(result.stdout)["ticket"]["external_id"] == "4711"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["shop:4712"], 1, "slawatch: There is no ticket shop:4712."),
        (["shop:4711", "--at", "yesterday"], 2, "an instant is written like"),
    ],
)
def test_what_cannot_be_explained_is_said(database_with_a_ticket: str, arguments: list[str], code: int, said: str) -> None:
    result = run(database_with_a_ticket, *arguments)

    assert result.exit_code == code
    assert said in result.stderr


def test_signals_are_listed_with_threshold_evidence_and_what_comes_next(database_with_a_ticket: str) -> None:
    found = explained(database_with_a_ticket, START + timedelta(minutes=60))
    silence, reopened = sorted(found["signals"], key=lambda signal: str(signal["signal"]), reverse=True)
    text = run(database_with_a_ticket, "shop:4711", "--at", (START + timedelta(minutes=60)).isoformat()).stdout
    lines = [line.strip() for line in text.partition("\nsignals\n")[2].splitlines()]

    assert ("silence", "longer than 30m (calendar always)", 1) == (silence["signal"], silence["threshold"], len(silence["raised"]))
    assert ("reopened", [], None) == (reopened["signal"], reopened["raised"], reopened["next_at"])
    assert "reopened: not raised now (more than 0)" in lines
    assert "silence: not raised now (longer than 30m (calendar always); next at 2026-03-02T10:10:00.000000Z)" in lines
    assert lines[-1].startswith("No public message of an agent since 2026-03-02 09:00 UTC")
