"""The verdict on one cycle at a moment: its clock, as people see it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from app.rules.cycle import Cause, Cycle
from app.rules.deadline import BREACH, Milestone, Run, consumed, due_at, warnings
from app.rules.policy import OpenTime

State = Literal["running", "paused", "stopped", "cancelled"]
Health = Literal["on_track", "at_risk", "overdue", "paused", "met", "missed", "cancelled"]


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
    due_at: datetime | None
    """None while the clock stands still before that."""
    milestones: tuple[Milestone, ...]
    """Warnings and breach, by time; of a cycle that is over only the warnings that came."""


def course(cycle: Cycle, ran: Sequence[Run]) -> Course:
    """The course of a cycle, given what its running stretches give."""
    terms, stopped_at = cycle.terms, cycle.stopped_at
    due = due_at(terms.calendar, cycle.anchor, cycle.target, cycle.stretches, ran)
    end = cycle.broken_at or due  # once broken, also under former terms, a warning that would come later makes no sense any more
    most = None if stopped_at is None else consumed(terms.calendar, ran, stopped_at)
    found = warnings(terms.calendar, cycle.anchor, cycle.target, terms.warnings, ran, most)
    if len(found) > 1:
        found.sort(key=_instant)
    if end is not None:
        while found and found[-1].at >= end:
            found.pop()
        found.append(Milestone(BREACH, end))
    return Course(cycle, ran, due, tuple(found))


def judge(known: Course, at: datetime) -> Clock:
    """The clock of a cycle at the instant `at`. What has stopped has its verdict: that is the same at whatever instant one asks."""
    cycle, ran, due, marks = known
    stopped_at, broken_at = cycle.stopped_at, cycle.broken_at
    until = at if stopped_at is None else stopped_at
    used = consumed(cycle.terms.calendar, ran, until)
    if broken_at is not None:
        passed = marks
    elif stopped_at is None:
        passed = tuple([mark for mark in marks if mark.at <= until])
    else:  # what stops a clock at its very due instant keeps the promise
        passed = tuple([mark for mark in marks if mark.at < until])
    breached_at = passed[-1].at if passed and passed[-1].name == BREACH else None
    state = _state(cycle)
    return Clock(
        cycle,
        state,
        _health(state, breached=breached_at is not None, warned=len(passed) > 0 and passed[0].name != BREACH),
        breached_at if state == "cancelled" else broken_at or due,
        breached_at,
        used,
        _remaining(cycle, due, used, until),
        passed if state == "cancelled" else marks,
        passed,
    )


def _instant(mark: Milestone) -> datetime:
    return mark.at


def _state(cycle: Cycle) -> State:
    if cycle.outcome is not None:
        return "stopped" if cycle.outcome == "fulfilled" else "cancelled"
    return "paused" if cycle.stretches[-1].kind == "paused" else "running"


def _health(state: State, *, breached: bool, warned: bool) -> Health:
    match state:
        case "stopped":
            return "missed" if breached else "met"
        case "cancelled":
            return "missed" if breached else "cancelled"
        case "paused":
            return "paused"
        case "running" if breached:
            return "overdue"
        case _:
            return "at_risk" if warned else "on_track"


def _remaining(cycle: Cycle, due: datetime | None, used: int, until: datetime) -> int | None:
    if isinstance(cycle.target, OpenTime):
        return cycle.target.seconds * 1_000_000 - used
    if due is None:
        return None
    calendar = cycle.terms.calendar
    if due >= until:
        return calendar.open_microseconds_between(until, due)
    return -calendar.open_microseconds_between(due, until)
