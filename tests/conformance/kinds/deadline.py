"""calendar + start + target (+ pauses) -> due."""

from collections.abc import Mapping
from typing import Any

from app.rules.pauses import due_after
from app.rules.policy import OpenTime
from tests.conformance.case_files import Case, calendar, instant, pauses, target


def answer(case: Case) -> Mapping[str, Any]:
    wanted = target(case)
    if not isinstance(wanted, OpenTime):
        raise TypeError("a target in days is of the kind deadline_days")
    return {"due": due_after(calendar(case["calendar"]), instant(case["start"]), wanted.seconds, pauses(case))}
