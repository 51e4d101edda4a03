"""The benchmarks can be run and say what they measured in one shape. (What they come to is measured by hand: docs/performance.md.)"""

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import main, names

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@pytest.mark.parametrize("name", names())
def test_each_benchmark_says_what_it_measures_and_is_on_the_page(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")

    assert module.__doc__
    assert set(inspect.signature(module.run).parameters) <= {"quick", "db"}
    assert f"`{name}`" in PAGE.read_text()


def test_the_page_names_no_benchmark_that_is_not_there() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)) == set(names())


def test_a_report_as_json_has_a_row_for_each_case(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["evaluate", "--quick", "--json"])
    report = json.loads(capsys.readouterr().out)

    assert exit_code in (0, 1)
    assert report["name"] == "evaluate"
    assert all(set(row) == {"case", "value", "unit", "anchor", "ratio", "goal", "met"} for row in report["rows"])
    assert exit_code == int(any(row["met"] is False for row in report["rows"]))
