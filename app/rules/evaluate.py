"""The only door to the engine: `evaluate(timeline, book, at)`, a pure function of facts, policy and a moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from app.rules.choose import boundaries
from app.rules.cycle import Cause, Cycle
from app.rules.cycles import tell
from app.rules.deadline import BREACH, Milestone, Run, consumed, due_at, runs, warnings
from app.rules.policy import Book, BusinessDays, OpenTime, Target
from app.rules.ticket import TicketAt, walk
from app.rules.timeline import Timeline

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for a ticket at a moment."""

    at: datetime
    ticket: TicketAt | None
    """None when nothing is known of it."""
    policy: str | None
    tier: str | None
    clocks: tuple[Clock, ...]
    rejudge_at: datetime | None
    """The next instant, after `at`, at which a tier changes by date alone; None = none ahead."""


def evaluate(timeline: Timeline, book: Book, at: datetime) -> Verdict:
    """Every clock of the ticket at the instant `at` (aware). Events dated later than `at` count: helpdesk clocks run ahead of ours."""
    dates = boundaries(book)
    steps = walk(timeline, [date for date in dates if date <= at])
    story = tell(steps, book)
    return Verdict(
        at=at,
        ticket=steps[-1] if steps else None,
        policy=story.choice.policy.name if story.choice.policy else None,
        tier=story.choice.tier,
        clocks=tuple(_judge(cycle, at) for cycle in story.cycles),
        rejudge_at=next((date for date in dates if date > at), None),
    )


def target_seconds(target: Target) -> int | None:
    """The target in seconds of open time; None for business days."""
    return target.seconds if isinstance(target, OpenTime) else None


def target_text(target: Target) -> str:
    """As one would write it: `4h`, `1h30m`, `2bd`, `2bd@close`."""
    if isinstance(target, BusinessDays):
        return f"{target.days}bd" + ("@close" if target.at_close else "")
    text, left = "", target.seconds
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text


def _judge(cycle: Cycle, at: datetime) -> Clock:
    calendar, stopped_at = cycle.terms.calendar, cycle.stopped_at
    ran = runs(calendar, cycle.stretches)
    until = at if stopped_at is None else stopped_at
    due = due_at(calendar, cycle.anchor, cycle.target, cycle.stretches, ran)
    used = consumed(calendar, ran, until)
    breached_at = cycle.broken_at or (due if due is not None and _has_come(due, cycle, until) else None)
    marks = _milestones(cycle, breached_at or due, ran, None if stopped_at is None else used)
    passed = tuple(mark for mark in marks if _has_come(mark.at, cycle, until)) if cycle.broken_at is None else marks
    state = _state(cycle)
    return Clock(
        cycle,
        state,
        _health(state, breached=breached_at is not None, warned=any(mark.name != BREACH for mark in passed)),
        breached_at if state == "cancelled" else breached_at or due,
        breached_at,
        used,
        _remaining(cycle, due, used, until),
        passed if state == "cancelled" else marks,
        passed,
    )


def _has_come(instant: datetime, cycle: Cycle, until: datetime) -> bool:
    """Whether an instant came while the cycle was open: what stops a clock at its very due instant keeps the promise."""
    return instant < until or (instant == until and cycle.stopped_at is None)


def _milestones(cycle: Cycle, due: datetime | None, ran: list[Run], most: int | None) -> tuple[Milestone, ...]:
    """Warnings and breach, by time. Once broken, also under former terms, a warning that would come later makes no sense any more."""
    terms = cycle.terms
    found = [
        mark for mark in warnings(terms.calendar, cycle.anchor, cycle.target, terms.warnings, ran, most) if due is None or mark.at < due
    ]
    if len(found) > 1:
        found.sort(key=lambda mark: mark.at)
    if due is not None:
        found.append(Milestone(BREACH, due))
    return tuple(found)


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
