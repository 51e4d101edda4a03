"""When a promise is due, how much of it is consumed, and which milestones lie on the way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.rules.calendar import Calendar, Place
from app.rules.policy import BusinessDays, OpenTime, Target, Terms, Way, way_to
from app.rules.policy import Warning as Warn
from app.rules.problems import NoWorkingTime
from app.rules.stretches import Stretches
from app.rules.values import make

_NOTHING: Final = timedelta()
BREACH = "breach"


class Milestone(NamedTuple):
    """An instant, in UTC, at which a clock has something to say: `breach`, or a warning by its name (`80%`, `30m before`)."""

    name: str
    at: datetime


class Run(NamedTuple):
    """A running stretch `[start, end)` and the open time in it; `end` None: it lasts, and what it gives is not known."""

    start: datetime
    end: datetime | None
    before: timedelta
    """What the runs before it gave, together."""
    gives: timedelta
    is_last: bool
    """Nothing came after it: had it not been stopped, it would have gone on."""
    place: Place
    """Of its start on the calendar."""


class Ran(NamedTuple):
    """What the running stretches of a cycle give on a calendar; kept, so that only what has changed since is counted anew."""

    calendar: Calendar
    stretches: Stretches
    runs: tuple[Run, ...]


def runs(calendar: Calendar, stretches: Stretches, known: Ran | None = None) -> tuple[Run, ...]:
    """What each running stretch gives, in order. `known`: what was found out about the cycle before; without it the answer is the same."""
    done, found = (0, []) if known is None else _still_known(calendar, stretches, known)
    before = found[-1].before + found[-1].gives if found else _NOTHING
    last = stretches[-1]
    for stretch in stretches[done:] if done else stretches:
        start, end, kind, _ = stretch
        if kind == "running":
            place = calendar.place(start)
            gives = _NOTHING if end is None else place.open_until(end)
            found.append(make(Run, (start, end, before, gives, stretch is last, place)))
            before += gives
    return tuple(found)


def _still_known(calendar: Calendar, stretches: Stretches, known: Ran) -> tuple[int, list[Run]]:
    """How many of the stretches lie as they did, the last one known left out, and the runs among them."""
    if known.calendar is not calendar:
        return 0, []
    done = len(known.stretches) - 1
    if len(stretches) <= done or stretches[:done] != known.stretches[:done]:
        return 0, []
    return done, list(known.runs[:-1] if known.stretches[-1].kind == "running" else known.runs)


def consumed(ran: Sequence[Run], at: datetime) -> timedelta:
    """How much of the target is used up at an instant: open time within running stretches."""
    for start, end, before, gives, _, place in reversed(ran):
        if start < at:
            return before + (gives if end is not None and end <= at else place.open_until(at))
    return _NOTHING


def reached(ran: Sequence[Run], amount: timedelta) -> datetime | None:
    """The first instant at which so much (> 0) is consumed; after the last running stretch, had that one gone on.

    None while the clock stands still before that instant, and when the calendar cannot give so much within its horizon.
    """
    index = len(ran) - 1
    if index > 0 and ran[index].before >= amount:
        index = max(bisect_left(ran, amount, key=_before) - 1, 0)
    if index < 0:
        return None
    _, _, before, gives, is_last, place = ran[index]
    return place.after(amount - before) if is_last or gives >= amount - before else None


def _before(run: Run) -> timedelta:
    return run.before


def each_reached(ran: Sequence[Run], amounts: Sequence[timedelta]) -> list[datetime | None]:
    """The same for several amounts."""
    if len(ran) == 1 and ran[0].is_last:  # most clocks never stand still
        return ran[0].place.each_after(amounts)
    return [reached(ran, amount) for amount in amounts]


def due_at(calendar: Calendar, anchor: datetime, target: Target, stretches: Stretches, ran: Sequence[Run]) -> datetime | None:
    """When the target is used up, in UTC; None while the clock stands still before that, or when it never is."""
    if isinstance(target, OpenTime):
        return reached(ran, target.whole)
    return _due_in_days(calendar, anchor, target, stretches)


def way_of(terms: Terms, anchor: datetime, target: Target) -> Way | None:
    """The way to a target of these terms; None when the calendar cannot give it."""
    if isinstance(target, OpenTime):
        return terms.way(target)
    total = _total(terms.calendar, anchor, target)
    return None if total is None else way_to(total, terms.warnings)


def warnings(calendar: Calendar, anchor: datetime, target: Target, warned: Sequence[Warn], ran: Sequence[Run]) -> list[Milestone]:
    """The warnings of a clock, by time. Those whose instant is not known (paused) or lies before the start are left out."""
    total = _total(calendar, anchor, target) if warned else None
    if total is None:
        return []
    way = way_to(total, warned)
    instants = each_reached(ran, way.amounts)[:-1]
    return [Milestone(name, at) for (name, _), at in zip(way.warnings, instants, strict=True) if at is not None]


def _total(calendar: Calendar, anchor: datetime, target: Target) -> timedelta | None:
    """The target in open time; None when the calendar cannot give it."""
    if isinstance(target, OpenTime):
        return target.whole
    try:
        return calendar.open_time_between(anchor, calendar.add_business_days(anchor, target.days, at_close=target.at_close))
    except NoWorkingTime:
        return None


def _due_in_days(calendar: Calendar, anchor: datetime, target: BusinessDays, stretches: Stretches) -> datetime | None:
    """So many open days after the anchor, later by the open time that did not count."""
    try:
        due = base = calendar.add_business_days(anchor, target.days, at_close=target.at_close)
    except NoWorkingTime:
        return None
    excluded = _NOTHING
    for stretch in stretches:
        if stretch.kind == "running" or stretch.start >= due:
            continue
        if stretch.end is None:
            return None
        excluded += calendar.open_time_between(stretch.start, stretch.end)
        later = _add(calendar, base, excluded)
        if later is None:
            return None
        due = later
    return due


def _add(calendar: Calendar, start: datetime, amount: timedelta) -> datetime | None:
    if amount <= _NOTHING:
        return start
    try:
        return calendar.after(start, amount)
    except NoWorkingTime:
        return None
