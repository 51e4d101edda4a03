"""Nobody asks the machine for the time of day but `app/timesource.py`: a rule no linter knows."""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app"
ASKING = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"), ("time", "localtime")}


def asks_for_the_time(source: str) -> list[int]:
    """The lines that call something like `datetime.now()`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    named = [(node.lineno, node.func.value, node.func.attr) for node in calls if isinstance(node.func, ast.Attribute)]
    return [line for line, value, attribute in named if (ast.unparse(value).rsplit(".", 1)[-1], attribute) in ASKING]


@pytest.mark.parametrize("file", [path for path in sorted(APP.rglob("*.py")) if path.name != "timesource.py"], ids=lambda p: p.stem)
def test_a_module_is_told_the_time(file: Path) -> None:
    assert [] == asks_for_the_time(file.read_text(encoding="utf-8"))


def test_the_rule_finds_what_it_forbids() -> None:
    assert [1, 2] == asks_for_the_time("x = datetime.now(UTC)\ny = datetime.datetime.utcnow()\nz = now()")
