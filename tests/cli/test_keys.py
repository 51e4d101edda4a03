"""`slawatch keys`."""

import json
import re

from typer.testing import CliRunner, Result

from app.cli import keys
from app.errors import KeyNotFound


def run(*arguments: str) -> Result:
    return CliRunner().invoke(keys.app, list(arguments))


def listed(url: str) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = json.loads(run("list", "-o", "json", "--database-url", url).stdout)
    return found


def test_a_key_is_printed_once_listed_without_its_text_and_revoked(sqlite_url: str) -> None:
    made = run("create", "dashboard", "--scope", "operate", "--expires", "90d", "--database-url", sqlite_url)
    [key] = listed(sqlite_url)
    table = run("list", "--database-url", sqlite_url)
    revoked = run("revoke", str(key["id"]), "--database-url", sqlite_url)

    assert re.fullmatch(r"slaw_o_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert made.stdout.strip() not in table.stdout
    assert ("dashboard", "operate", True) == (key["name"], key["scope"], str(key["expires_at"]).endswith("Z"))
    assert "dashboard" in table.stdout
    assert f"{key['id']} (dashboard) is revoked.\n" == revoked.stdout
    assert listed(sqlite_url)[0]["revoked_at"]


def test_a_read_key_is_made_when_nothing_else_is_said(sqlite_url: str) -> None:
    run("create", "x", "--database-url", sqlite_url)

    assert [("read", None)] == [(key["scope"], key["expires_at"]) for key in listed(sqlite_url)]


def test_an_unknown_key_cannot_be_revoked(sqlite_url: str) -> None:
    assert isinstance(run("revoke", "key_nothing", "--database-url", sqlite_url).exception, KeyNotFound)


def test_no_database_is_made_by_asking_for_one(tmp_path: object) -> None:
    result = run("list", "--database-url", f"sqlite:///{tmp_path}/none.db")

    assert isinstance(result.exception, keys.NoDatabase)


def test_a_name_or_a_time_that_cannot_be_is_a_wrong_command_line(sqlite_url: str) -> None:
    for arguments in (("create", ""), ("create", "a\nb"), ("create", "x", "--expires", "soon"), ("create", "x", "--expires", "999999999d")):
        assert 2 == run(*arguments, "--database-url", sqlite_url).exit_code, arguments
