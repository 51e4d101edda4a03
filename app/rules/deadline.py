"""When a promise is due, how much of it is consumed, and which milestones lie on the way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from app.rules.calendar import Calendar
from app.rules.policy import BusinessDays, OpenTime, Target
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
    before: int
    """What the runs before it gave, together."""
    gives: int
    is_last: bool
    """Nothing came after it: had it not been stopped, it would have gone on."""


class Ran(NamedTuple):
    """What the running stretches of a cycle give on a calendar; kept, so that only what has changed since is counted anew."""

    calendar: Calendar
    stretches: Stretches
    runs: tuple[Run, ...]


def runs(calendar: Calendar, stretches: Stretches, known: Ran | None = None) -> tuple[Run, ...]:
    """What each running stretch gives, in order. `known`: what was found out about the cycle before; without it the answer is the same."""
    done, found = _still_known(calendar, stretches, known)
    before = found[-1].before + found[-1].gives if found else 0
    last = stretches[-1]
    for stretch in stretches[done:] if done else stretches:
        start, end, kind, _ = stretch
        if kind == "running":
            gives = 0 if end is None else calendar.open_microseconds_between(start, end)
            found.append(Run(start, end, before, gives, stretch is last))
            before += gives
    return tuple(found)


def _still_known(calendar: Calendar, stretches: Stretches, known: Ran | None) -> tuple[int, list[Run]]:
    """How many of the stretches lie as they did, the last one known left out, and the runs among them."""
    if known is None or known.calendar is not calendar:
        return 0, []
    done = len(known.stretches) - 1
    if len(stretches) <= done or stretches[:done] != known.stretches[:done]:
        return 0, []
    return done, list(known.runs[:-1] if known.stretches[-1].kind == "running" else known.runs)


def consumed(calendar: Calendar, ran: Sequence[Run], at: datetime) -> int:
    """Microseconds of the target used up at an instant: open time within running stretches."""
    for start, end, before, gives, _ in reversed(ran):
        if start < at:
            return before + (gives if end is not None and end <= at else calendar.open_microseconds_between(start, at))
    return 0


def reached(calendar: Calendar, ran: Sequence[Run], microseconds: int) -> datetime | None:
    """The first instant at which so much is consumed; after the last running stretch, had that one gone on.

    None while the clock stands still before that instant, and when the calendar cannot give so much within its horizon.
    """
    index = len(ran) - 1
    if index > 0 and ran[index].before >= microseconds:
        index = max(bisect_left(ran, microseconds, key=_before) - 1, 0)
    if index < 0:
        return None
    start, _, before, gives, is_last = ran[index]
    return _add(calendar, start, microseconds - before) if is_last or gives >= microseconds - before else None


def _before(run: Run) -> int:
    return run.before


def due_at(calendar: Calendar, anchor: datetime, target: Target, stretches: Stretches, ran: Sequence[Run]) -> datetime | None:
    """When the target is used up, in UTC; None while the clock stands still before that, or when it never is."""
    if isinstance(target, OpenTime):
        return reached(calendar, ran, target.seconds * _MICRO)
    return _due_in_days(calendar, anchor, target, stretches)


def warnings(
    calendar: Calendar, anchor: datetime, target: Target, warned: Sequence[Warn], ran: Sequence[Run], most: int | None = None
) -> list[Milestone]:
    """The warnings of a clock. Those whose instant is not known (paused) or lies before the start are left out, and those that need more
    than `most` microseconds consumed (None: none are)."""
    found: list[Milestone] = []
    total = _total(calendar, anchor, target) if warned else None
    if total is None:
        return found
    for warning in warned:
        needed = warning.consumed_at(total)
        if needed > 0 and (most is None or needed <= most):
            at = reached(calendar, ran, needed)
            if at is not None:
                found.append(Milestone(warning.name, at))
    return found


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
