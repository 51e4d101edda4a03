"""A run of a ladder: the state that its log tells. `pending -> active <-> snoozed -> acknowledged -> active`, and how it ends.

Nothing here decides; `app.rules.escalation_advance` does. Every change of state is one function of this file, found by the kind of entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from app.rules.calendar import Calendar
from app.rules.escalation_log import Entry, Kind
from app.rules.problems import NoWorkingTime

State = Literal["pending", "active", "snoozed", "acknowledged", "resolved", "exhausted", "cancelled"]
"""`pending`: no rung has spoken yet. `exhausted`: all have, and nobody acted; its cause may last. `resolved`, `cancelled`: over."""

MOVING: Final = frozenset({"pending", "active"})
"""The states in which the ladder's time runs, unless the ticket is paused."""
_MICRO: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000  # microseconds


class Countdown(NamedTuple):
    """Time that counts towards a rung: microseconds of open and of real time so far, and since when it runs; None: it stands still."""

    since: datetime | None = None
    open: int = 0
    real: int = 0

    def stopped(self, at: datetime, calendar: Calendar) -> Countdown:
        """Standing still from an instant on."""
        if self.since is None or at <= self.since:
            return self._replace(since=None)
        more = calendar.open_microseconds_between(self.since, at)
        return Countdown(None, self.open + more, self.real + (at - self.since) // _MICRO)

    def going(self, at: datetime) -> Countdown:
        """Running again from an instant on."""
        return self._replace(since=at) if self.since is None else self

    def ends_at(self, seconds: int, calendar: Calendar, *, wall: bool) -> datetime | None:
        """When it has counted so many seconds; None while it stands still, and when the calendar has not that much open time."""
        if self.since is None:
            return None
        left = seconds * _SECOND - (self.real if wall else self.open)
        if left <= 0:
            return self.since
        if wall:
            return self.since + left * _MICRO
        try:
            return calendar.add_open_time(self.since, left / _SECOND)
        except NoWorkingTime:
            return None


_IDLE: Final = Countdown()


@dataclass(frozen=True)
class Run:
    """Where a run stands. Instants in UTC."""

    opened_at: datetime
    moving_since: datetime
    """Since when the ladder's time runs without a break; nothing is due before it."""
    paced_at: datetime
    """Up to when it is known whether the ticket was paused."""
    broken_at: datetime | None
    """From when the ladder counts the breach; None: the promise is not broken yet."""
    rung: Countdown
    """Since the rung before was reached; of the first one: since the breach."""
    calm: Countdown
    """The same, but begun anew whenever an acknowledgement ends."""
    again: Countdown = _IDLE
    """Since the speaker last spoke."""
    state: State = "pending"
    step: int = -1
    """The last rung that spoke or was passed over; -1: none."""
    speaker: int = -1
    """The last rung that spoke; -1: none."""
    loop: int = 0
    """How often the speaker has been repeated."""
    frozen: bool = False
    """The ticket is paused, or a silence holds: the ladder's time stands still."""
    hurried: bool = False
    """The last rung reached nobody: the next one comes at once."""
    last_resort_told: bool = False
    until: datetime | None = None
    """When the acknowledgement or snooze ends."""
    first_acknowledged_at: datetime | None = None
    acknowledged_at: datetime | None = None
    """The last time somebody did."""
    acknowledged_by: str | None = None
    owner: str | None = None
    exhausted_at: datetime | None = None
    closed_at: datetime | None = None
    """When the cause was gone, or somebody closed it; None: what it is about lasts."""
    closed_because: str | None = None
    links: frozenset[str] = frozenset()
    """The one-time links that were used."""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_moving(self) -> bool:
        """Whether the ladder's time runs."""
        return self.state in MOVING and not self.frozen and self.is_open


def replay(log: Iterable[Entry], calendar: Calendar) -> Run:
    """The run of a whole log, which begins with `opened`. ValueError when it is empty or begins with something else."""
    entries = iter(log)
    first = next(entries, None)
    if first is None or first.kind != "opened":
        raise ValueError("the log of a run begins with its opening")
    run = _opened(first)
    for entry in entries:
        run = told(run, entry, calendar)
    return run


def told(run: Run, entry: Entry, calendar: Calendar) -> Run:
    """The run after one more line of its log."""
    return _CHANGES[entry.kind](run, entry, calendar)


def _opened(entry: Entry) -> Run:
    counting = Countdown(entry.due_at)
    return Run(entry.at, entry.instant, entry.instant, entry.due_at, rung=counting, calm=counting)


def _breached(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    run = replace(run, broken_at=entry.instant)
    if run.step >= 0:
        return run
    counting = Countdown(entry.instant if run.is_moving else None)
    return replace(run, rung=counting, calm=counting)


def _spoke(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    assert entry.step is not None
    counting = Countdown(entry.instant)
    run = replace(run, state="active", speaker=entry.step, loop=entry.loop, again=counting, hurried=False)
    return run if entry.loop else replace(run, step=entry.step, rung=counting, calm=counting)


def _passed(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    assert entry.step is not None
    counting = Countdown(entry.instant)
    return replace(run, step=entry.step, rung=counting, calm=counting)


def _unreached(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    return replace(run, hurried=True)


def _last_resort(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    return replace(run, hurried=False, last_resort_told=True)


def _acknowledged(run: Run, entry: Entry, calendar: Calendar) -> Run:
    run = replace(
        run,
        first_acknowledged_at=run.first_acknowledged_at or entry.at,
        acknowledged_at=entry.at,
        acknowledged_by=entry.by,
        links=run.links | {entry.link} if entry.link else run.links,
    )
    return _standing(run, "acknowledged", entry, calendar)


def _snoozed(run: Run, entry: Entry, calendar: Calendar) -> Run:
    return _standing(run, "snoozed", entry, calendar)


def _standing(run: Run, state: State, entry: Entry, calendar: Calendar) -> Run:
    if run.state == "exhausted" or not run.is_open:
        return run
    stopped = _with_time_stopped(run, entry.at, calendar) if run.is_moving else run
    return replace(stopped, state=state, until=entry.until, hurried=False)


def _lapsed(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    if run.state == "acknowledged":
        run = replace(run, calm=_IDLE)
    run = replace(run, state="active" if run.speaker >= 0 else "pending", until=None)
    return run if run.frozen else _with_time_going(run, entry.instant)


def _held(run: Run, entry: Entry, calendar: Calendar) -> Run:
    stopped = _with_time_stopped(run, entry.instant, calendar) if run.is_moving else run
    return replace(stopped, frozen=True, paced_at=entry.instant)


def _went_on(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    run = replace(run, frozen=False, paced_at=entry.instant)
    return _with_time_going(run, entry.instant) if run.is_moving else run


def _with_time_stopped(run: Run, at: datetime, calendar: Calendar) -> Run:
    return replace(run, rung=run.rung.stopped(at, calendar), calm=run.calm.stopped(at, calendar), again=run.again.stopped(at, calendar))


def _with_time_going(run: Run, at: datetime) -> Run:
    return replace(run, moving_since=at, rung=run.rung.going(at), calm=run.calm.going(at), again=run.again.going(at))


def _assigned(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    return replace(run, owner=entry.to)


def _exhausted(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    return replace(run, state="exhausted", exhausted_at=entry.instant)


def _closed(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    state: State = "resolved" if entry.kind == "resolved" else "cancelled"
    ended = run.state if run.state == "exhausted" else state
    return replace(run, state=ended, closed_at=entry.at, closed_because=entry.why, until=None, hurried=False)


def _unchanged(run: Run, entry: Entry, calendar: Calendar) -> Run:  # noqa: ARG001
    return run


_CHANGES: Final[Mapping[Kind, Callable[[Run, Entry, Calendar], Run]]] = {
    "opened": _unchanged,
    "breached": _breached,
    "spoke": _spoke,
    "passed": _passed,
    "unheard": _unchanged,
    "unreached": _unreached,
    "last_resort": _last_resort,
    "write_back": _unchanged,
    "held": _held,
    "went_on": _went_on,
    "acknowledged": _acknowledged,
    "snoozed": _snoozed,
    "lapsed": _lapsed,
    "assigned": _assigned,
    "exhausted": _exhausted,
    "resolved": _closed,
    "cancelled": _closed,
}
