"""A deadline with levels at an offset from due, in business minutes or working days -> due, the instants, the paused business time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.rules.calendar import Calendar
from app.rules.pauses import due_after, merge, open_microseconds
from app.rules.policy import OpenTime
from tests.conformance.case_files import Case, calendar, instant, pauses, target


def answer(case: Case) -> Mapping[str, Any]:
    hours, start, wanted, paused = calendar(case["calendar"]), instant(case["start"]), target(case), pauses(case)
    if isinstance(wanted, OpenTime):
        due = due_after(hours, start, wanted.seconds, paused)
    else:
        due = hours.add_business_days(start, wanted.days, at_close=wanted.at_close)
    if due is None:
        return {"due": None, "levels": [None for _ in case["levels"]]}
    return {
        "due": due,
        "levels": [_level(hours, due, level) for level in case["levels"]],
        "paused_business_seconds": _paused_seconds(case, hours),
    }


def _level(hours: Calendar, due: datetime, level: Case) -> datetime:
    if "offset_working_days" in level:
        return hours.add_business_days(due, level["offset_working_days"])
    seconds = level["offset_minutes"] * 60
    return hours.subtract_open_time(due, -seconds) if seconds < 0 else hours.add_open_time(due, seconds)


def _paused_seconds(case: Case, hours: Calendar) -> float:
    """The open time in all pauses of the case that have ended."""
    ended = [(since, until) for since, until in merge(pauses(case)) if until is not None]
    return sum(open_microseconds(hours, since, until, ()) for since, until in ended) / 1_000_000
