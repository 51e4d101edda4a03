"""`slawatch init`."""

from pathlib import Path

import typer
from typer.testing import CliRunner

from app.cli.init import command
from app.config.starter import starter_text

app = typer.Typer()
app.command()(command)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_the_starter_is_written_and_the_next_step_is_said(tmp_path: Path) -> None:
    file = tmp_path / "slawatch.yaml"
    code, out, _ = run(str(file))

    assert (0, starter_text()) == (code, file.read_text(encoding="utf-8"))
    assert f"slawatch check {file}" in out


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "slawatch.yaml"
    file.write_text("version: 1\n", encoding="utf-8")
    code, _, error = run(str(file))

    assert (1, "version: 1\n") == (code, file.read_text(encoding="utf-8"))
    assert "--force" in error


def test_it_is_overwritten_when_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "slawatch.yaml"
    file.write_text("version: 1\n", encoding="utf-8")
    code, _, _ = run(str(file), "--force")

    assert (0, starter_text()) == (code, file.read_text(encoding="utf-8"))


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    code, _, error = run(str(tmp_path / "none" / "slawatch.yaml"))

    assert 1 == code
    assert "cannot be written" in error
