"""The verdict on one cycle at a moment: its clock, as people see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from app.rules.cycle import Cause, Cycle
from app.rules.deadline import BREACH, Milestone, Run, consumed, due_at, each_reached, way_of
from app.rules.openings import MICROSECOND
from app.rules.policy import OpenTime
from app.rules.values import make

State = Literal["running", "paused", "stopped", "cancelled"]
Health = Literal["on_track", "at_risk", "overdue", "paused", "met", "missed", "cancelled"]

_HEALTH: Final[Mapping[State, tuple[Health, Health, Health]]] = {
    "running": ("on_track", "at_risk", "overdue"),
    "paused": ("paused", "paused", "paused"),
    "stopped": ("met", "met", "missed"),
    "cancelled": ("cancelled", "cancelled", "missed"),
}
"""In each state: while nothing has happened, after a warning, once the promise is broken."""


class Clock(NamedTuple):
    """The verdict on one cycle at the moment of asking. Instants in UTC; microseconds are open time of the policy's calendar."""

    cycle: Cycle
    state: State
    health: Health
    due_at: datetime | None
    """None while paused before being due, and when the promise was cancelled before."""
    breached_at: datetime | None
    """The due instant, once it has passed unkept; None = the promise is not broken."""
    consumed: int
    remaining: int | None
    """Negative when more than the target was used; None when it cannot be told (paused, target in days)."""
    milestones: tuple[Milestone, ...]
    """What it has to say on its way, by time; once it is over: what it had to say, and when it was due."""
    passed: tuple[Milestone, ...]
    """Those whose instant came while the cycle was open, by time."""

    @property
    def identity(self) -> tuple[str, int]:
        """Metric and number: with the ticket, what makes it this clock."""
        return (self.cycle.metric, self.cycle.number)

    @property
    def cause(self) -> Cause:
        """Whether time ran out, or a change of terms put the due instant into the past."""
        return "elapsed" if self.breached_at is None else self.cycle.cause(self.breached_at)

    def next_check_at(self, fired: Collection[str]) -> datetime | None:
        """When the clock next has something to say, given the names of what has been said; None = never by itself."""
        if not self.cycle.is_open:
            return None
        return min((m.at for m in self.milestones if m.name not in fired), default=None)


class Course(NamedTuple):
    """What lies on the way of a cycle as it stands: the same at whatever instant one asks."""

    cycle: Cycle
    runs: Sequence[Run]
    state: State
    due_at: datetime | None
    """None while the clock stands still before that."""
    milestones: tuple[Milestone, ...]
    """Warnings and breach, by time; of a cycle that is over only the warnings that came."""
    used: timedelta | None
    """What a cycle has consumed that is over; None while it is open."""


def course(cycle: Cycle, ran: Sequence[Run]) -> Course:
    """The course of a cycle, given what its running stretches give."""
    target, stopped_at = cycle.target, cycle.stopped_at
    used = None if stopped_at is None else consumed(ran, stopped_at)
    way = way_of(cycle.terms, cycle.anchor, target)
    instants = each_reached(ran, way, used) if way is not None else [None]
    due = instants.pop()
    if not isinstance(target, OpenTime):
        due = due_at(cycle.terms.calendar, cycle.anchor, target, cycle.stretches, ran)
    end = cycle.broken_at or due  # once broken, also under former terms, a warning that would come later makes no sense any more
    marks: list[Milestone] = []
    if instants and way is not None:
        for name, at in zip(way.warnings, instants, strict=False):
            if at is not None and (end is None or at < end):
                marks.append(make(Milestone, (name, at)))
    if end is not None:
        marks.append(make(Milestone, (BREACH, end)))
    return make(Course, (cycle, ran, _state(cycle), due, tuple(marks), used))


def judge(known: Course, at: datetime) -> Clock:
    """The clock of a cycle at the instant `at`. What has stopped has its verdict: that is the same at whatever instant one asks."""
    cycle, ran, state, due, marks, used = known
    stopped_at, broken_at = cycle.stopped_at, cycle.broken_at
    until = at if stopped_at is None else stopped_at
    if used is None:
        used = consumed(ran, until)
    passed = marks if broken_at is not None else _passed(marks, until, stopped_at is None)
    microseconds = used // MICROSECOND
    breached_at = None
    if passed and passed[-1].name == BREACH:
        breached_at = passed[-1].at
    return make(
        Clock,
        (
            cycle,
            state,
            _HEALTH[state][0 if not passed else 1 if breached_at is None else 2],
            breached_at if state == "cancelled" else broken_at or due,
            breached_at,
            microseconds,
            _remaining(cycle, due, microseconds, until),
            passed if state == "cancelled" else marks,
            passed,
        ),
    )


def _passed(marks: tuple[Milestone, ...], until: datetime, is_open: bool) -> tuple[Milestone, ...]:
    """Those whose instant has come. What stops a clock at its very due instant keeps the promise."""
    count = len(marks)
    while count and (marks[count - 1].at > until or (marks[count - 1].at == until and not is_open)):
        count -= 1
    return marks[:count]


def _state(cycle: Cycle) -> State:
    if cycle.outcome is not None:
        return "stopped" if cycle.outcome == "fulfilled" else "cancelled"
    return "paused" if cycle.stretches[-1].kind == "paused" else "running"


def _remaining(cycle: Cycle, due: datetime | None, used: int, until: datetime) -> int | None:
    if isinstance(cycle.target, OpenTime):
        return cycle.target.seconds * 1_000_000 - used
    if due is None:
        return None
    calendar = cycle.terms.calendar
    if due >= until:
        return calendar.open_microseconds_between(until, due)
    return -calendar.open_microseconds_between(due, until)
