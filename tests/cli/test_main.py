"""The frame of the command line: verbs are found, imported late, and fail in sentences."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner, Result

from app import __version__
from app.cli import cli, load, tell, verbs
from app.errors import Fault, InvalidBody, InvalidConfiguration
from app.settings import InvalidSettings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_every_verb_is_listed_with_a_line_about_it() -> None:
    shown = run("--help").stdout

    assert {"serve", "demo", "explain", "migrate", "signature", "channel"} <= set(verbs())
    assert all(f" {verb} " in shown for verb in verbs())


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_explains_itself(verb: str) -> None:
    result = run(verb, "--help")

    assert result.exit_code == 0
    assert load(verb).name == verb
    assert load(verb).help


def test_the_list_of_verbs_imports_none_of_them() -> None:
    program = "import sys\nfrom app.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())

    assert "Commands" in done.stdout
    assert not imported & {"pydantic", "sqlalchemy", "fastapi", "aiohttp", "uvicorn", "app.settings", "app.cli.serve"}


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"slawatch {__version__}\n"


def test_a_misspelt_verb_is_refused_with_the_nearest_one() -> None:
    result = run("serv")

    assert result.exit_code == 2
    assert "'serve'" in result.stderr


def test_what_fails_is_a_sentence_and_exit_code_1() -> None:
    result = run("explain", "nothing:1", "--database-url", "sqlite:////nowhere/at/all.db")

    assert result.exit_code == 1
    assert result.stderr == "slawatch: There is no database /nowhere/at/all.db; `slawatch serve` makes it.\n"


def test_a_wrong_setting_is_exit_code_78() -> None:
    result = run("migrate", "--database-url", "nonsense")

    assert result.exit_code == 78
    assert result.stderr.startswith("slawatch: SLAWATCH_DATABASE_URL: ")


def test_every_fault_is_told_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [
        tell(InvalidBody("Two things are wrong.", errors=[Fault("/at", "is missing"), Fault("", "is odd")])),
        tell(InvalidConfiguration("It has errors.")),
        tell(InvalidSettings("SLAWATCH_PORT: is no number")),
    ]
    said = capsys.readouterr().err

    assert codes == [1, 78, 78]
    assert said.splitlines()[:3] == ["slawatch: Two things are wrong.", "/at is missing", "is odd"]
