"""calendar + at -> open or not."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.case_files import Case, calendar, instant


def answer(case: Case) -> Mapping[str, Any]:
    return {"working": calendar(case["calendar"]).is_open(instant(case["at"]))}
