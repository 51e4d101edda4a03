"""`slawatch check`: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli.check import command
from app.config.starter import starter_text

BAD = "polices: []\ntiers:\n  - {name: gold, match: {tags: gold}}\n  - {name: gold2, match: {tags: gold}}\n"
WARNED = "tiers: [{name: a, match: {organisation: Acme}}]\n"

app = typer.Typer()
app.command()(command)


def run(*arguments: str, text: str | None = None, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments), input=text, env=env)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "doc.yaml"


def test_a_clean_document_is_exit_code_0(file: Path) -> None:
    file.write_text(starter_text(), encoding="utf-8")

    assert (0, f"{file}: 0 errors, 0 warnings\n", "") == run(str(file))


def test_each_error_is_one_line_and_the_exit_code_is_1(file: Path) -> None:
    file.write_text(BAD, encoding="utf-8")
    code, out, _ = run(str(file))

    assert 1 == code
    assert out == (
        f"{file}:1:1 unknown-key there is no key polices here; did you mean policies?\n"
        f"{file}:4:5 unreachable-tier this entry of tiers is never reached: gold above it matches whatever it does\n"
        f"{file}: 2 errors, 0 warnings\n"
    )


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--strict"], 3)])
def test_warnings_count_only_when_it_is_strict(file: Path, arguments: list[str], code: int) -> None:
    file.write_text(WARNED, encoding="utf-8")
    found, out, _ = run(str(file), *arguments)

    assert code == found
    assert out.endswith(": 0 errors, 1 warning\n")


def test_errors_are_exit_code_1_also_when_it_is_strict(file: Path) -> None:
    file.write_text(BAD, encoding="utf-8")

    assert 1 == run(str(file), "--strict")[0]


def test_json_is_for_programs(file: Path) -> None:
    file.write_text("version: 2\n", encoding="utf-8")
    code, out, _ = run(str(file), "--format", "json")
    finding = {
        "file": str(file),
        "line": 1,
        "column": 10,
        "code": "bad-value",
        "severity": "error",
        "message": "2 is not possible here; input should be 1",
    }

    assert 1 == code
    assert {"file": str(file), "errors": 1, "warnings": 0, "findings": [finding]} == json.loads(out)


def test_github_gets_annotations_that_cannot_be_broken_out_of(tmp_path: Path) -> None:
    file = tmp_path / "a,b:c%.yaml"
    file.write_text("'x%0A::error::y': 1\n", encoding="utf-8")
    _, out, _ = run(str(file), "--format", "github")
    name = str(file).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")

    assert out.startswith(f"::error file={name},line=1,col=1,title=unknown-key::there is no key x%250A::error::y here; ")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", "a folder"])
def test_what_cannot_be_read_is_exit_code_2_and_a_sentence(file: Path, content: bytes | str | None) -> None:
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    code, out, error = run(str(file))

    assert (2, "") == (code, out)
    assert error.startswith(f"{file}: cannot be read: ")


def test_a_hyphen_is_standard_input() -> None:
    code, out, _ = run("-", text="version: 2\n")

    assert (1, "-:1:10 bad-value") == (code, out[:16])


def test_secrets_come_from_the_environment_and_from_files_beside_the_document(file: Path) -> None:
    (file.parent / "url").write_text("https://hooks.slack.com/services/T/B/X\n", encoding="utf-8")
    file.write_text(
        "channels: {c: {kind: slack, url: '${file:url}', events: [sla.*]}}\n"
        "sources: {s: {kind: zammad, secret: '${env:TEST_KEY_OF_ZAMMAD}'}}\n",
        encoding="utf-8",
    )

    assert 1 == run(str(file))[0]
    assert (0, f"{file}: 0 errors, 0 warnings\n", "") == run(str(file), env={"TEST_KEY_OF_ZAMMAD": "secret"})


def test_a_byte_order_mark_is_no_trouble(file: Path) -> None:
    file.write_text("version: 1\n", encoding="utf-8-sig")

    assert 0 == run(str(file))[0]
