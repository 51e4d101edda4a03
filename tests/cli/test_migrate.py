"""`slawatch migrate`."""

from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from app.cli import migrate
from app.store import migrations


def run(*arguments: str) -> Result:
    cli = typer.Typer()
    cli.command()(migrate.command)
    return CliRunner().invoke(cli, list(arguments))


def test_check_exits_1_while_the_database_is_behind_and_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/slawatch.db"
    before = run("--database-url", url, "--check")
    changed = migrations.current(url)
    migrated = run("--database-url", url)
    after = run("--database-url", url, "--check")

    assert (before.exit_code, changed, migrated.exit_code, after.exit_code) == (1, None, 0, 0)
    assert "behind" in before.stdout
    assert after.stdout == f"database: {migrations.head()} (up to date); this release: {migrations.head()}\n"


def test_down_goes_down(sqlite_url: str) -> None:
    result = run("--database-url", sqlite_url, "--down", "base")

    assert result.exit_code == 0
    assert result.stdout.startswith("database: empty (behind)")


def test_sql_prints_the_script_of_that_database() -> None:
    result = run("--database-url", "postgresql://nobody@nowhere/none", "--sql")

    assert result.exit_code == 0
    assert "CREATE TABLE clocks" in result.stdout
    assert "BYTEA" in result.stdout


def test_contradictory_options_are_refused(tmp_path: Path) -> None:
    result = run("--database-url", f"sqlite:///{tmp_path}/x.db", "--sql", "--check")

    assert result.exit_code == 2
