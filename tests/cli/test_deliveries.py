"""`slawatch deliveries` and those of `slawatch channel` that work on the database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.services.configuration import LiveConfig
from app.store import outbox
from app.store.database import Database
from app.timesource import utc_now

T = TypeVar("T")
ENVIRON = {"UPSTREAM": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "NO_COLOR": "1"}
DOCUMENT = """\
version: 1
channels:
  upstream: {kind: webhook, url: "http://127.0.0.1:65000/hook", secret: "${env:UPSTREAM}", events: ["sla.*"]}
delivery: {allow_networks: ["127.0.0.0/8"]}
"""


def on_database(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        db = Database(url, pool=1)
        await db.open()
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path) -> str:
    """A database with a document, and a delivery that is dead."""
    file = tmp_path / "slawatch.yaml"
    file.write_text(DOCUMENT)

    async def fill(db: Database) -> None:
        await LiveConfig(db, utc_now, ENVIRON, tmp_path).start(file)
        at = utc_now()
        row = {"id": "msg_1", "type": "sla.breached", "milestone": "breach", "body": b"{}", "created_at": at}
        dead = outbox.fresh("msg_1", "sla.breached", "upstream", "e", at, state="dead", attempts=12, error_class="http_5xx")
        async with db.begin() as conn:
            await outbox.add(conn, [row], [dead | {"next_attempt_at": None}])

    on_database(sqlite_url, fill)
    return sqlite_url


def run(url: str, *arguments: str, environ: dict[str, str] = ENVIRON) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--database-url", url], env=environ)


def listed(url: str, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(url, *arguments, "-o", "json").stdout)
    return found


def test_deliveries_are_listed_and_shown(url: str) -> None:
    [row] = listed(url, "deliveries", "list", "--state", "dead", "--channel", "upstream")
    [shown] = listed(url, "deliveries", "show", row["id"])
    table = run(url, "deliveries", "list").stdout

    assert ("upstream", "dead", 12) == (row["channel"], row["state"], row["attempts"])
    assert ([], "http_5xx") == (shown["history"], shown["error_class"])
    assert "http_5xx" in table
    assert [] == listed(url, "deliveries", "list", "--state", "delivered")
    assert "http_5xx" in run(url, "deliveries", "show", row["id"]).stdout


def test_a_delivery_is_tried_again(url: str) -> None:
    [row] = listed(url, "deliveries", "list")
    said = run(url, "deliveries", "retry", row["id"]).stdout

    assert f"{row['id']} is ready to be sent.\n" == said
    assert ["pending"] == [each["state"] for each in listed(url, "deliveries", "list")]


def test_what_a_channel_has_missed_is_recovered(url: str) -> None:
    dry = run(url, "deliveries", "recover", "upstream", "--since", "1h", "--dry-run").stdout
    before = run(url, "deliveries", "recover", "upstream", "--until", "2020-01-01T00:00:00Z").stdout
    done = run(url, "deliveries", "recover", "upstream").stdout

    assert "1 deliveries would be ready to be sent.\n" == dry
    assert "0 deliveries are ready to be sent.\n" == before
    assert "1 deliveries are ready to be sent.\n" == done


def test_a_channel_is_switched_off_and_on(url: str) -> None:
    off = run(url, "channel", "disable", "upstream")
    refused = run(url, "deliveries", "retry", listed(url, "deliveries", "list")[0]["id"])
    [state] = listed(url, "channel", "list")
    on = run(url, "channel", "enable", "upstream", "--no-replay")
    table = run(url, "channel", "list").stdout

    assert "upstream is disabled since" in off.stdout
    assert (1, True) == (refused.exit_code, "enable it first" in refused.stderr)
    assert ("disabled", "command line") == (state["state"], state["disabled_by"])
    assert "upstream is enabled; 0 held deliveries go out now.\n" == on.stdout
    assert "upstream  webhook  ok" in table


def test_a_test_message_says_what_came_of_it(url: str) -> None:
    result = run(url, "channel", "test", "upstream")

    assert 1 == result.exit_code
    assert result.stdout.startswith("upstream: connect_refused, ")


def test_what_is_not_there_is_said_in_a_sentence(url: str, tmp_path: Path) -> None:
    unknown = run(url, "channel", "disable", "nobody")
    secretless = run(url, "channel", "list", environ={"UPSTREAM": ""})
    nothing = run(url, "deliveries", "show", "dlv_nothing")
    nowhere = run(f"sqlite:///{tmp_path}/none.db", "deliveries", "list")

    assert (1, "slawatch: There is no channel 'nobody' in the configuration.\n") == (unknown.exit_code, unknown.stderr)
    assert 78 == secretless.exit_code
    assert (1, "slawatch: There is no delivery dlv_nothing.\n") == (nothing.exit_code, nothing.stderr)
    assert "There is no database" in nowhere.stderr


@pytest.mark.parametrize("option", [("--since", "soon"), ("--until", "2026-11-21"), ("--since", "999999999d")])
def test_an_instant_that_cannot_be_is_a_wrong_command_line(url: str, option: tuple[str, str]) -> None:
    assert 2 == run(url, "deliveries", "recover", "upstream", *option).exit_code
