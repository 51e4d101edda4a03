"""The case files, and the runner that puts them to the engine."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.__main__ import main
from tests.conformance.case_files import Case, read_cases
from tests.conformance.runner import kind_module, run, same

HERE = Path(__file__).parent
OWN = HERE / "cases" / "own.json"
SHARED = HERE.parents[2] / "shared" / "cases" / "conformance.json"
KINDS = ["deadline", "deadline_days", "dispatch", "elapsed", "is_working", "levels", "matching", "next_due", "next_open", "timeline"]

CASE = {"id": "a", "kind": "is_working", "calendar": {"always_open": True}, "at": "2026-03-02T09:00:00Z", "expect": {"working": True}}


def failures(cases: list[Case]) -> list[str]:
    return [f"{outcome.id}: {outcome.differences}" for outcome in run(cases) if not outcome.passed and not outcome.peculiar]


def written(tmp_path: Path, *cases: dict[str, Any]) -> str:
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"schema": {}, "cases": cases}))
    return str(file)


def test_our_own_cases_hold_and_cover_every_kind() -> None:
    cases = read_cases(OWN)

    assert not failures(cases)
    assert {case["kind"] for case in cases} == {file.stem for file in (HERE / "kinds").glob("[a-z]*.py")} == set(KINDS)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared case file is not here (../shared/cases/conformance.json)")
@pytest.mark.parametrize("kind", KINDS)
def test_the_shared_cases_hold(kind: str) -> None:
    cases = [case for case in read_cases(SHARED) if case["kind"] == kind]

    assert cases
    assert not failures(cases)


def test_the_report_counts_by_kind_and_names_each_failure_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = CASE | {"id": "b", "title": "never", "expect": {"working": False}}
    code = main([written(tmp_path, CASE, wrong, wrong | {"peculiar": True}, CASE | {"peculiar": True})])

    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "is_working: 1 passed, 1 failed (1 peculiar agree, 1 differ)",
        "FAILED is_working b (never): working: expected False, got True",
        "total: 1 passed, 1 failed",
    ]


def test_only_the_kinds_asked_for_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, CASE, {"id": "c", "kind": "no_such_kind", "expect": {"x": 1}})

    assert (main([file, "--kind", "is_working"]), main([file])) == (0, 1)
    assert "not covered" in capsys.readouterr().out


def test_a_peculiar_case_never_fails_the_run(tmp_path: Path) -> None:
    assert main([written(tmp_path, {"id": "c", "kind": "no_such_kind", "expect": {"x": 1}, "peculiar": True})]) == 0


@pytest.mark.parametrize("kind", ["../case_files", "__init__", "no_such_kind", "", "os.path"])
def test_a_kind_is_only_ever_a_module_of_ours(kind: str) -> None:
    assert kind_module(kind) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"cases": {}}', '{"cases": [1]}', '{"cases": [{"kind": "deadline"}]}', '{"cases": []}']
)
def test_an_unusable_file_is_told_apart_from_a_failure(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.json"
    file.write_text(text)

    assert (main([str(file)]), main([str(tmp_path / "absent.json")])) == (2, 2)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"at": "yesterday"}, "the case cannot be put: ValueError"),
        ({"at": "2026-03-02T09:00:00"}, "names no offset"),
        ({"calendar": None}, "the case cannot be put"),
        ({"calendar": {"tz": "Nowhere"}}, "error: expected None, got invalid_hours"),
        ({"expect": {"error": "invalid_hours"}}, "error: expected invalid_hours, got no answer"),
        ({"expect": {"colour": "red"}}, "colour: expected red, got no answer"),
    ],
)
def test_what_goes_wrong_with_a_case_is_said(change: dict[str, Any], difference: str) -> None:
    [outcome] = run([CASE | change])

    assert difference in "; ".join(outcome.differences)


@pytest.mark.parametrize(
    ("expected", "actual", "equal"),
    [
        ("2026-03-02T10:00:00+01:00", datetime(2026, 3, 2, 9, tzinfo=UTC), True),
        (None, datetime(2026, 3, 2, 9, tzinfo=UTC), False),
        (None, None, True),
        (60, 60.0, True),
        (1, True, False),
        (True, 1, False),
        (["2026-03-02T09:00:00Z"], [datetime(2026, 3, 2, 9, tzinfo=UTC)], True),
        ([None], [], False),
        ({"due": "2026-03-02T09:00:00Z"}, {"due": datetime(2026, 3, 2, 9, tzinfo=UTC), "more": 1}, True),
        ({"due": None}, {}, False),
    ],
)
def test_values_are_compared_by_what_they_mean(expected: object, actual: object, equal: bool) -> None:
    assert equal is same(expected, actual)
