"""When a promise is due, how much of it is consumed, and which milestones lie on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.rules.calendar import Calendar
from app.rules.policy import BeforeDueWarning, BusinessDays, OpenTime, PercentWarning, Target
from app.rules.policy import Warning as Warn
from app.rules.problems import NoWorkingTime
from app.rules.stretches import Stretch

_MICRO = 1_000_000
BREACH = "breach"


class Milestone(NamedTuple):
    """An instant, in UTC, at which a clock has something to say: `breach`, or a warning by its name (`80%`, `30m before`)."""

    name: str
    at: datetime


def consumed(calendar: Calendar, stretches: Sequence[Stretch], at: datetime) -> int:
    """Microseconds of the target used up at an instant: open time within running stretches."""
    total = 0
    for stretch in stretches:
        if stretch.kind == "running":
            end = at if stretch.end is None else min(stretch.end, at)
            total += calendar.open_microseconds_between(stretch.start, end)
    return total


def reached(calendar: Calendar, stretches: Sequence[Stretch], microseconds: int) -> datetime | None:
    """The first instant at which so much is consumed; after the last running stretch, had that one gone on.

    None while the clock stands still before that instant, and when the calendar cannot give so much within its horizon.
    """
    left = microseconds
    for index, stretch in enumerate(stretches):
        if stretch.kind != "running":
            continue
        is_last = index == len(stretches) - 1
        span = 0 if stretch.end is None else calendar.open_microseconds_between(stretch.start, stretch.end)
        if is_last or span >= left:
            return _add(calendar, stretch.start, left)
        left -= span
    return None


def due_at(calendar: Calendar, anchor: datetime, target: Target, stretches: Sequence[Stretch]) -> datetime | None:
    """When the target is used up, in UTC; None while the clock stands still before that, or when it never is."""
    if isinstance(target, OpenTime):
        return reached(calendar, stretches, target.seconds * _MICRO)
    return _due_in_days(calendar, anchor, target, stretches)


def milestones(
    calendar: Calendar, anchor: datetime, target: Target, stretches: Sequence[Stretch], warnings: Sequence[Warn]
) -> tuple[Milestone, ...]:
    """The warnings and the breach of a clock, by time; those whose instant is not known (paused) or lies before the start are left out."""
    due = due_at(calendar, anchor, target, stretches)
    found = [] if due is None else [Milestone(BREACH, due)]
    total = _total(calendar, anchor, target)
    for warning in warnings if total is not None else ():
        needed = _consumed_at(warning, total or 0)
        at = reached(calendar, stretches, needed) if needed > 0 else None
        if at is not None and isinstance(warning, BeforeDueWarning):
            at = calendar.next_open(at)  # "30m before" Monday 09:30 is Monday 09:00, not Friday's closing
        if at is not None and (due is None or at < due):
            found.append(Milestone(warning.name, at))
    return tuple(sorted(found, key=lambda m: m.at))


def _consumed_at(warning: Warn, total: int) -> int:
    """How much is consumed when a warning fires; at or below zero it would fire before the start."""
    match warning:
        case PercentWarning(percent=percent):
            return round(total * percent / 100)
        case BeforeDueWarning(seconds=seconds):
            return total - seconds * _MICRO


def _total(calendar: Calendar, anchor: datetime, target: Target) -> int | None:
    """The target in microseconds of open time; None when the calendar cannot give it."""
    if isinstance(target, OpenTime):
        return target.seconds * _MICRO
    try:
        return calendar.open_microseconds_between(anchor, calendar.add_business_days(anchor, target.days, at_close=target.at_close))
    except NoWorkingTime:
        return None


def _due_in_days(calendar: Calendar, anchor: datetime, target: BusinessDays, stretches: Sequence[Stretch]) -> datetime | None:
    """So many open days after the anchor, later by the open time that did not count."""
    try:
        due = base = calendar.add_business_days(anchor, target.days, at_close=target.at_close)
    except NoWorkingTime:
        return None
    excluded = 0
    for stretch in stretches:
        if stretch.kind == "running" or stretch.start >= due:
            continue
        if stretch.end is None:
            return None
        excluded += calendar.open_microseconds_between(stretch.start, stretch.end)
        later = _add(calendar, base, excluded)
        if later is None:
            return None
        due = later
    return due


def _add(calendar: Calendar, start: datetime, microseconds: int) -> datetime | None:
    if microseconds <= 0:
        return start
    seconds, rest = divmod(microseconds, _MICRO)
    try:
        return calendar.add_open_time(start, microseconds / _MICRO if rest else seconds)
    except NoWorkingTime:
        return None
