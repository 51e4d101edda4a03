"""`slawatch sources learn`: a document on standard output."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.sources import app
from tests.cli.test_check import run as check

SAMPLE = {"ticket": {"id": 7, "status": "open", "updated_at": "2026-07-01T12:00:00Z"}, "note": "a\u2028b\x1b[31m"}


def run(*arguments: str, text: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments), input=text)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sample.json"


def test_the_proposal_is_a_document_that_check_accepts_and_says_what_the_sample_would_say(file: Path, tmp_path: Path) -> None:
    file.write_text(json.dumps(SAMPLE))
    code, out, _ = run("learn", str(file), "--name", "desk")
    proposed = tmp_path / "proposed.yaml"
    proposed.write_text(out)

    assert 0 == code
    assert "  desk:\n    kind: generic\n" in out
    assert "#     ticket.status_changed of ticket 7 at 2026-07-01T12:00:00.000Z" in out
    assert 0 == check(str(proposed))[0]


@pytest.mark.parametrize(
    "text",
    [json.dumps([SAMPLE, SAMPLE]), json.dumps(SAMPLE) + "\n\n" + json.dumps(SAMPLE), "\ufeff" + json.dumps([SAMPLE, SAMPLE], indent=1)],
)
def test_an_array_and_lines_are_several_samples(text: str) -> None:
    code, out, _ = run("learn", "-", text=text)

    assert (0, "# Learned from 2 samples. Look for UNSURE.") == (code, out.partition("\n")[0])


def test_nothing_of_a_sample_breaks_out_of_a_comment(file: Path) -> None:
    file.write_text(json.dumps({**SAMPLE, "ticket": {**SAMPLE["ticket"], "subject": "x\nsources: {}\x1b[2J"}}))  # type: ignore[dict-item]
    _, out, _ = run("learn", str(file))

    assert [] == [line for line in out.splitlines() if line.startswith("sources: {}")]
    assert "\x1b" not in out


def test_a_sample_without_ticket_is_exit_code_1(file: Path) -> None:
    file.write_text('{"hello": "world"}')
    code, out, error = run("learn", str(file))

    assert (1, "") == (code, out)
    assert "ticket's id" in error


@pytest.mark.parametrize("content", [b"", b"{", b"5", b"[]", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_sample_is_exit_code_2(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    code, out, error = run("learn", str(file))

    assert (2, "") == (code, out)
    assert "cannot be read" in error


def test_a_file_that_is_not_there_is_exit_code_2(file: Path) -> None:
    assert 2 == run("learn", str(file))[0]
