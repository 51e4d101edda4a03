"""calendar + start + end (+ pauses) -> seconds of business time."""

from collections.abc import Mapping
from typing import Any

from app.rules.pauses import open_microseconds
from tests.conformance.case_files import Case, calendar, instant, pauses


def answer(case: Case) -> Mapping[str, Any]:
    passed = open_microseconds(calendar(case["calendar"]), instant(case["start"]), instant(case["end"]), pauses(case))
    return {"seconds": passed / 1_000_000}
