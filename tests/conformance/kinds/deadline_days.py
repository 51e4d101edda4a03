"""calendar + start + target in working days -> due."""

from collections.abc import Mapping
from typing import Any

from app.rules.policy import BusinessDays
from tests.conformance.case_files import Case, calendar, instant, target


def answer(case: Case) -> Mapping[str, Any]:
    wanted = target(case)
    if not isinstance(wanted, BusinessDays):
        raise TypeError("a target in open time is of the kind deadline")
    return {"due": calendar(case["calendar"]).add_business_days(instant(case["start"]), wanted.days, at_close=wanted.at_close)}
