"""calendar + start -> the next opening; the start itself when it is open."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.case_files import Case, calendar, instant


def answer(case: Case) -> Mapping[str, Any]:
    return {"next_open": calendar(case["calendar"]).next_open(instant(case["start"]))}
