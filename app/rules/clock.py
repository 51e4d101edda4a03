"""The verdict on one cycle at a moment: its clock, as people see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from app.rules.cycle import Cause, Cycle, Outcome
from app.rules.deadline import BREACH, Milestone, Run, consumed, due_at, each_reached, way_of
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


def judge(cycle: Cycle, ran: Sequence[Run], at: datetime, known: Clock | None = None) -> Clock:
    """The clock of a cycle at the instant `at`, given what its running stretches give. What has stopped has its verdict: that is the same
    at whatever instant one asks. `known`: the verdict on the very same cycle, open, at another instant; without it the answer is the same.
    """
    stopped_at, broken_at, outcome = cycle.stopped_at, cycle.broken_at, cycle.outcome
    until = stopped_at or at
    used = consumed(ran, until)
    if known is not None and broken_at is None:
        state, due, marks = known.state, known.due_at, known.milestones
    else:
        state = _state(cycle, outcome)
        due, marks = _on_its_way(cycle, ran)
    passed = marks if broken_at is not None else _passed(marks, until, stopped_at is None)
    microseconds = _microseconds(used)
    return _clock(cycle, state, broken_at or due, marks, passed, microseconds, _remaining(cycle, due, microseconds, until))


def judge_if_plain(cycle: Cycle, stopped_at: datetime) -> Clock | None:
    """The verdict on a cycle that has stopped, and whose clock ran from its start to its stop; None for every other.

    Most cycles are plain: this is what `judge` says of them, found sooner.
    """
    stretches, target, terms = cycle.stretches, cycle.target, cycle.terms
    if len(stretches) > 1 or cycle.broken_at is not None or not isinstance(target, OpenTime):
        return None
    start, _, kind, _ = stretches[0]
    if kind != "running":
        return None
    place, way = terms.calendar.place(start), terms.way(target)
    used, due = place.open_until(stopped_at), place.after(way.amounts[-1])
    marks: list[Milestone] = []
    for name, amount in way.warnings:
        if amount > used:
            break
        at = place.after(amount)
        if at is not None and (due is None or at < due):
            marks.append(make(Milestone, (name, at)))
    passed = tuple(marks)
    if due is not None:
        marks.append(make(Milestone, (BREACH, due)))
        if due < stopped_at:
            passed = tuple(marks)
    if passed and passed[-1].at == stopped_at:  # what fires at the very end does not
        passed = _passed(passed, stopped_at, is_open=False)
    state: State = "stopped" if cycle.outcome == "fulfilled" else "cancelled"
    microseconds = _microseconds(used)
    return _clock(cycle, state, due, tuple(marks), passed, microseconds, target.seconds * 1_000_000 - microseconds)


def _clock(
    cycle: Cycle, state: State, due: datetime | None, marks: tuple[Milestone, ...], passed: tuple[Milestone, ...],
    used: int, remaining: int | None,
) -> Clock:  # fmt: skip
    """The clock of a cycle that is, or was, due then; with all milestones, and those that have passed."""
    breached_at, health = None, 0
    if passed:
        name, at = passed[-1]
        breached_at, health = (at, 2) if name == BREACH else (None, 1)
    if state == "cancelled":
        due, marks = breached_at, passed
    return make(Clock, (cycle, state, _HEALTH[state][health], due, breached_at, used, remaining, marks, passed))


def _on_its_way(cycle: Cycle, ran: Sequence[Run]) -> tuple[datetime | None, tuple[Milestone, ...]]:
    """When a cycle is due (None: its clock stands still before that), and its warnings and breach, by time; of a cycle that is over only
    the warnings that came."""
    target, stopped_at = cycle.target, cycle.stopped_at
    way = way_of(cycle.terms, cycle.anchor, target)
    instants = each_reached(ran, way.amounts) if way is not None else [None]
    due = instants.pop()
    if not isinstance(target, OpenTime):
        due = due_at(cycle.terms.calendar, cycle.anchor, target, cycle.stretches, ran)
    end = cycle.broken_at or due  # once broken, also under former terms, a warning that would come later makes no sense any more
    marks: list[Milestone] = []
    if instants and way is not None:
        for (name, _), at in zip(way.warnings, instants):  # noqa: B905  # `strict` takes several times as long
            if at is not None and (end is None or at < end) and (stopped_at is None or at <= stopped_at):
                marks.append(make(Milestone, (name, at)))
    if end is not None:
        marks.append(make(Milestone, (BREACH, end)))
    return due, tuple(marks)


def _passed(marks: tuple[Milestone, ...], until: datetime, is_open: bool) -> tuple[Milestone, ...]:
    """Those whose instant has come. What stops a clock at its very due instant keeps the promise."""
    count = len(marks)
    while count and (marks[count - 1].at > until or (marks[count - 1].at == until and not is_open)):
        count -= 1
    return marks[:count]


def _state(cycle: Cycle, outcome: Outcome | None) -> State:
    if outcome is not None:
        return "stopped" if outcome == "fulfilled" else "cancelled"
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


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
