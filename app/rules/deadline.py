"""When a promise is due, how much of it is consumed, and which milestones lie on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from app.rules.calendar import Calendar
from app.rules.policy import BeforeDueWarning, BusinessDays, OpenTime, PercentWarning, Target
from app.rules.policy import Warning as Warn
from app.rules.problems import NoWorkingTime
from app.rules.stretches import Stretches

_MICRO = 1_000_000
BREACH = "breach"


class Milestone(NamedTuple):
    """An instant, in UTC, at which a clock has something to say: `breach`, or a warning by its name (`80%`, `30m before`)."""

    name: str
    at: datetime


class Run(NamedTuple):
    """A running stretch `[start, end)` and the microseconds of open time in it; `end` None: it lasts, and what it gives is not known."""

    start: datetime
    end: datetime | None
    gives: int
    is_last: bool
    """Nothing came after it: had it not been stopped, it would have gone on."""


def runs(calendar: Calendar, stretches: Stretches) -> list[Run]:
    """What each running stretch gives, in order."""
    last = stretches[-1]
    return [
        Run(s.start, s.end, 0 if s.end is None else calendar.open_microseconds_between(s.start, s.end), s is last)
        for s in stretches
        if s.kind == "running"
    ]


def consumed(calendar: Calendar, ran: Sequence[Run], at: datetime) -> int:
    """Microseconds of the target used up at an instant: open time within running stretches."""
    total = 0
    for start, end, gives, _ in ran:
        total += gives if end is not None and end <= at else calendar.open_microseconds_between(start, at)
    return total


def reached(calendar: Calendar, ran: Sequence[Run], microseconds: int) -> datetime | None:
    """The first instant at which so much is consumed; after the last running stretch, had that one gone on.

    None while the clock stands still before that instant, and when the calendar cannot give so much within its horizon.
    """
    left = microseconds
    for start, _, gives, is_last in ran:
        if is_last or gives >= left:
            return _add(calendar, start, left)
        left -= gives
    return None


def due_at(calendar: Calendar, anchor: datetime, target: Target, stretches: Stretches, ran: Sequence[Run]) -> datetime | None:
    """When the target is used up, in UTC; None while the clock stands still before that, or when it never is."""
    if isinstance(target, OpenTime):
        return reached(calendar, ran, target.seconds * _MICRO)
    return _due_in_days(calendar, anchor, target, stretches)


def warnings(
    calendar: Calendar, anchor: datetime, target: Target, warned: Sequence[Warn], ran: Sequence[Run], most: int | None = None
) -> Iterator[Milestone]:
    """The warnings of a clock. Those whose instant is not known (paused) or lies before the start are left out, and those that need more
    than `most` microseconds consumed (None: none are)."""
    total = _total(calendar, anchor, target)
    for warning in warned if total is not None else ():
        needed = _consumed_at(warning, total or 0)
        if needed > 0 and (most is None or needed <= most):
            at = reached(calendar, ran, needed)
            if at is not None:
                yield Milestone(warning.name, at)


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


def _due_in_days(calendar: Calendar, anchor: datetime, target: BusinessDays, stretches: Stretches) -> datetime | None:
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
