"""`slawatch import` and `slawatch inbox`."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.schemas.events_out import rfc3339
from app.services.configuration import LiveConfig
from app.store.database import Database
from app.timesource import utc_now

DOCUMENT = """\
version: 1
policies: [{name: everyone, targets: {first_response: 1h}}]
sources:
  desk:
    kind: generic
    verify: none
    events: [{ticket: body.ticket, key: body.id, at: body.at, set: {status: {from: body.state, map: {offen: open}}}}]
"""


def store(url: str, folder: Path, document: str) -> None:
    async def put() -> None:
        db = Database(url)
        await db.open()
        live = LiveConfig(db, utc_now, {}, folder)
        await live.start(None)
        await live.put(document, author="test", if_match="*")
        await db.close()

    asyncio.run(put())


@pytest.fixture
def database(sqlite_url: str, tmp_path: Path) -> str:
    store(sqlite_url, tmp_path, DOCUMENT)
    return sqlite_url


def run(database: str, *words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, [*words, "--database-url", database], input=stdin)


def dump(folder: Path, *records: Any) -> str:
    file = folder / "dump.ndjson"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(file)


def native(number: int, state: str = "offen") -> dict[str, Any]:
    return {"ticket": str(number), "id": f"e{number}", "at": rfc3339(utc_now() - timedelta(hours=3)), "state": state}


def test_a_file_is_loaded_and_the_second_time_says_that_all_is_known(database: str, tmp_path: Path) -> None:
    file = dump(tmp_path, native(1), native(2))
    first, second = (run(database, "import", "generic", "--source", "desk", "--file", file) for _ in range(2))

    assert (0, 0) == (first.exit_code, second.exit_code), first.output
    assert "2 records, 2 tickets, 2 events" in first.output
    assert "2 known" in second.output


def test_canonical_events_come_from_standard_input_under_any_name(database: str) -> None:
    line = json.dumps({"source": "x", "ticket": "1", "at": rfc3339(utc_now()), "set": {"status": "open"}})
    done = run(database, "import", "events", "--source", "shop", "--file", "-", stdin=line + "\n" + "{oops\n")

    assert (0, True) == (done.exit_code, "1 quarantined" in done.output), done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("zendesk", "--source", "desk", "--file", "f"), "is of the kind generic"),
        (("generic", "--source", "nowhere", "--file", "f"), "no source 'nowhere'"),
        (("generic", "--source", "desk"), "needs an `api`"),
        (("events", "--source", "desk"), "imported from a file"),
        (("generic", "--source", "desk", "--file", "nowhere"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(database: str, words: tuple[str, ...], said: str) -> None:
    done = run(database, "import", *words)

    assert (1, True) == (done.exit_code, said in done.output), done.output


def test_the_quarantine_is_listed_tried_and_replayed(database: str, tmp_path: Path) -> None:
    run(database, "import", "generic", "--source", "desk", "--file", dump(tmp_path, native(1, "zu"), native(2)))
    listed = run(database, "inbox", "list", "--outcome", "quarantined", "-o", "json")
    still = run(database, "inbox", "replay", "desk", "--dry-run")
    store(database, tmp_path, DOCUMENT.replace("offen: open", "offen: open, zu: solved"))
    done = run(database, "inbox", "replay", "desk", "--since", "1h")

    assert ["quarantined"] == [row["outcome"] for row in json.loads(listed.output)]
    assert (1, 0) == (still.exit_code, done.exit_code), still.output + done.output
    assert "1 in quarantine still" in still.output
    assert "1 messages, 1 were read again." in done.output
