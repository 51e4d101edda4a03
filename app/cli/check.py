"""`slawatch check`: everything that is wrong with a configuration document, each mistake with its line."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.config.check import Checked, check
from app.config.findings import Finding
from app.settings import environment
from app.timesource import utc_now

ERRORS = 1
UNREADABLE = 2
WARNINGS = 3


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def command(
    file: Annotated[Path, typer.Argument(help="The document; - is standard input")],
    form: Annotated[
        Format, typer.Option("--format", help="text: FILE:LINE:COLUMN CODE MESSAGE; json: one object; github: workflow commands")
    ] = Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 3 when there are warnings")] = False,
) -> None:
    """Check a configuration document: every mistake at once. Codes are explained in docs/config-codes.md.

    Exit code 0: no errors; 1: errors; 2: the file cannot be read; 3: only warnings, with --strict.
    Placeholders (${env:NAME}, ${file:PATH}) are looked up as the service would: a secret that is missing here is an error.
    """
    checked = check(_text(file), file=str(file), environ=environment(), base=file.parent, today=utc_now().date())
    _PRINTERS[form](file, checked)
    raise typer.Exit(ERRORS if checked.errors else WARNINGS if strict and checked.warnings else 0)


def _text(file: Path) -> str:
    """The file's text; ends the command when it cannot be read."""
    try:
        data = typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or "unreadable"
    except UnicodeDecodeError as error:
        reason = f"no UTF-8 text (byte {error.start})"
    typer.echo(f"{file}: cannot be read: {reason}", err=True)
    raise typer.Exit(UNREADABLE)


def _print_text(file: Path, checked: Checked) -> None:
    for finding in checked.findings:
        typer.echo(str(finding))
    typer.echo(_summary(file, checked))


def _summary(file: Path, checked: Checked) -> str:
    return f"{file}: {_count(len(checked.errors), 'error')}, {_count(len(checked.warnings), 'warning')}"


def _print_json(file: Path, checked: Checked) -> None:
    findings = [
        {
            "file": finding.file,
            "line": finding.line,
            "column": finding.column,
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
        }
        for finding in checked.findings
    ]
    counts = {"errors": len(checked.errors), "warnings": len(checked.warnings)}
    typer.echo(json.dumps({"file": str(file), **counts, "findings": findings}, indent=2))


def _print_github(file: Path, checked: Checked) -> None:
    for finding in checked.findings:
        typer.echo(_annotation(finding))
    typer.echo(_summary(file, checked))


def _annotation(finding: Finding) -> str:
    """A workflow command of GitHub Actions: https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""
    file = _escaped(finding.file).replace(":", "%3A").replace(",", "%2C")
    where = f"file={file},line={finding.line},col={finding.column},title={finding.code}"
    return f"::{finding.severity} {where}::{_escaped(finding.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


_PRINTERS = {Format.TEXT: _print_text, Format.JSON: _print_json, Format.GITHUB: _print_github}
