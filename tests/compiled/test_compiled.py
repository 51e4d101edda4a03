"""The compiled engine: it says the same, and it is used only while it is what the sources say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import app
from app.compiled import MODULES, ROOT, digest, sources

compiled_here = pytest.mark.skipif(
    not app.COMPILED, reason="nothing is compiled from these sources: no C compiler, rules edited since `make`, or SLAWATCH_COMPILED=0"
)


def run(arguments: list[str], folder: Path, **environ: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=os.environ | environ, check=True, capture_output=True, text=True, timeout=100
    ).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the finder and the engine are made of, with what was compiled."""
    for path in [ROOT / "__init__.py", ROOT / "compiled" / "__init__.py", *(ROOT / "rules").rglob("*.py"), *MODULES.glob("*")]:
        copy = tmp_path / path.relative_to(ROOT.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return tmp_path


def how(folder: Path, **environ: str) -> str:
    """How the engine of a checkout runs, and from where."""
    return run(["-c", "import app, app.rules.track as t; print(app.COMPILED, t.__file__.rpartition('.')[2])"], folder, **environ).strip()


@compiled_here
def test_it_says_what_the_sources_say() -> None:
    compiled = run(["-m", "tests.compiled.lives"], ROOT.parent).splitlines()
    interpreted = run(["-m", "tests.compiled.lives"], ROOT.parent, SLAWATCH_COMPILED="0").splitlines()

    assert (compiled.pop(0), interpreted.pop(0)) == ("compiled", "interpreted")
    assert len(compiled) > 100
    assert compiled == interpreted


@compiled_here
def test_what_was_compiled_from_these_sources_is_used(checkout: Path) -> None:
    assert how(checkout) == "True so"


@compiled_here
def test_an_edited_rule_runs_as_it_is_written(checkout: Path) -> None:
    with (checkout / "app/rules/pauses.py").open("a") as file:
        file.write("\n# another thought\n")

    assert how(checkout) == "False py"


@compiled_here
def test_a_new_module_or_one_less_is_another_engine(checkout: Path) -> None:
    (checkout / "app/rules/metrics/patience.py").write_text('"""A metric."""\n')
    assert how(checkout) == "False py"

    (checkout / "app/rules/metrics/patience.py").rename(checkout / "app/rules/metrics/_patience.txt")
    assert how(checkout) == "True so"


@compiled_here
def test_one_can_do_without(checkout: Path) -> None:
    assert how(checkout, SLAWATCH_COMPILED="0") == "False py"


def test_where_nothing_was_compiled_the_sources_run(checkout: Path) -> None:
    shutil.rmtree(checkout / "app/compiled/modules", ignore_errors=True)

    assert how(checkout) == "False py"


def test_modules_for_another_interpreter_are_none(checkout: Path) -> None:
    modules = checkout / "app/compiled/modules"
    shutil.rmtree(modules, ignore_errors=True)
    modules.mkdir()
    (modules / "digest").write_text(digest())
    (modules / "app.rules.track.cpython-27-pdp11-linux.so").touch()

    assert how(checkout) == "False py"


def test_all_rules_are_compiled_and_no_package_is() -> None:
    names = sources().keys()

    assert {"app.rules.track", "app.rules.metrics.resolution", "app.rules.signals.severity"} <= names
    assert not {"app.rules", "app.rules.metrics", "app.compiled"} & names


def test_without_a_compiler_it_says_so_and_goes_on(checkout: Path) -> None:
    shutil.rmtree(checkout / "app/compiled/modules", ignore_errors=True)
    shutil.copyfile(ROOT / "compiled/__main__.py", checkout / "app/compiled/__main__.py")
    done = subprocess.run(
        [sys.executable, "-m", "app.compiled"], cwd=checkout, env=os.environ | {"CC": "no-such-compiler"}, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (
        0,
        "There is no C compiler (no-such-compiler): the engine stays interpreted, a third as quick.\n",
    )
