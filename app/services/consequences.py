"""What a fresh verdict changes against what was stored: rows to write and things to say. No database here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from app.ids import BREACH as BREACH_ID
from app.ids import CLOCK, new_id
from app.rules.deadline import BREACH
from app.rules.evaluate import Clock, Verdict
from app.services.marking import Wish
from app.services.rows import Row, breach_row, cancelled, clock_row, says_the_same, shared_by_clocks, ticket_row
from app.services.sayings import Raising, Saying, Telling
from app.store.tickets import LockedTicket

Stored = Mapping[str, Any]
"""A row as it is stored, by the names of its columns."""


@dataclass(frozen=True, slots=True)
class Move:
    """A running clock that another revision of the document has made due at another instant; None = not due by itself."""

    clock_id: str
    due_before: datetime | None
    due_after: datetime | None
    revision_before: int
    revision_after: int


@dataclass(frozen=True, slots=True)
class Shift:
    """An open clock, stored before and not broken, that is due at another instant than was stored, whatever the reason."""

    before: Stored
    after: Row
    """Its row, as it was and as it is going to be stored."""
    clock: Clock


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands after judging, for the escalations that hang on it. `clock` None: it never ran, as is known now."""

    clock_id: str
    clock: Clock | None
    generation: int
    breach_id: str | None
    """Of a breach that stands; None: the promise is not broken, or that it is stays quiet."""
    counts_from: datetime | None
    """From when a ladder counts that breach: when it broke, or when that became known where it could not be known before."""


@dataclass(slots=True)
class Consequences:
    """Everything that follows from judging some tickets."""

    ticket_rows: list[dict[str, Any]] = field(default_factory=list)
    clock_rows: list[dict[str, Any]] = field(default_factory=list)
    breach_rows: list[dict[str, Any]] = field(default_factory=list)
    sayings: list[Saying] = field(default_factory=list)
    """For whoever hears events of their type."""
    closings: list[Saying] = field(default_factory=list)
    """For those who were told of the breach: recovered (or met_late, or retracted)."""
    moves: list[Move] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    """Due instants that are others now; which of them are told: `app.services.retargeting`."""
    retargets: list[Saying] = field(default_factory=list)
    """For whoever hears events of their type."""
    quiet_clocks: list[str] = field(default_factory=list)
    """Clocks of which nothing is worth sending any more that was said before they were due."""
    standings: list[Standing] = field(default_factory=list)
    run_rows: list[dict[str, Any]] = field(default_factory=list)
    """Escalations that were opened or went on, with the new lines of their logs."""
    quiet_runs: list[str] = field(default_factory=list)
    """Escalations whose unsent rungs are not worth sending any more."""
    tellings: list[Telling] = field(default_factory=list)
    """What escalations have to say, to whom they name and to whoever hears events of the type."""
    clears: list[Telling] = field(default_factory=list)
    """The all-clears of escalations, to whom they had told."""
    wishes: list[Wish] = field(default_factory=list)
    """What rungs want written to their tickets."""
    signal_rows: list[dict[str, Any]] = field(default_factory=list)
    raisings: list[Raising] = field(default_factory=list)
    """Signals that are told, for whoever hears events of their type."""

    def add(self, other: Consequences) -> None:
        """What follows from judging another ticket, too."""
        for mine, more in zip(_ALL(self), _ALL(other), strict=True):
            if more:
                mine.extend(more)

    @property
    def has_more(self) -> bool:
        """Whether anything follows but how tickets and clocks stand."""
        return any(getattr(self, name) for name in _PARTS if name not in _STATES)

    @property
    def next_check_at(self) -> datetime | None:
        """The nearest instant at which one of the changed clocks has something to say."""
        return min((row["next_check_at"] for row in self.clock_rows if row["next_check_at"]), default=None)

    @property
    def next_step_at(self) -> datetime | None:
        """The nearest instant at which one of the changed escalations has something to do."""
        return min((row["next_step_at"] for row in self.run_rows if row["next_step_at"]), default=None)


_PARTS = tuple(part.name for part in fields(Consequences))
_ALL: Callable[[Consequences], tuple[list[Any], ...]] = attrgetter(*_PARTS)
_STATES = frozenset({"ticket_rows", "clock_rows", "standings"})


def follow(
    into: Consequences,
    ticket: LockedTicket,
    verdict: Verdict,
    stored: Sequence[Stored],
    breaches: Mapping[str, Any],
    *,
    revision: int,
    at: datetime,
) -> None:
    """Add what follows for one ticket. `stored` are its clock rows, `breaches` their breach rows by clock id."""
    into.ticket_rows.append(ticket_row(ticket, verdict, revision))
    shared = shared_by_clocks(ticket, verdict, revision, at)
    for row, clock in _pair(stored, verdict.clocks):
        breach = breaches.get(row["id"]) if row is not None else None
        if clock is not None:
            _judged(into, ticket, verdict, row, clock, breach, shared)
        elif row is not None:
            _vanished(into, row, breach, at)


def _pair(stored: Sequence[Stored], clocks: Sequence[Clock]) -> Iterator[tuple[Stored | None, Clock | None]]:
    """Which stored row is which clock: by metric and start, else by number (an event that came late may have moved either)."""
    rows = {(row["metric"], row["started_at"]): row for row in stored}
    pairs = [(rows.pop((clock.cycle.metric, clock.cycle.anchor), None), clock) for clock in clocks]
    left = {(row["metric"], row["cycle"]): row for row in rows.values()}
    for row, clock in pairs:
        yield row if row is not None or not left else left.pop(clock.identity, None), clock
    for row in left.values():
        if row["state"] != "cancelled" or row["breached_at"] is not None:
            yield row, None


def _judged(into: Consequences, ticket: LockedTicket, verdict: Verdict, row: Stored | None, clock: Clock, breach: Any, shared: Row) -> None:
    revision, at = shared["revision"], shared["judged_at"]
    if _stays_as_it_was(row, clock, ticket, revision):
        if row is not None:
            into.standings.append(Standing(row["id"], clock, row["generation"], breach.id if breach is not None else None, None))
        return
    clock_id = row["id"] if row is not None else new_id(CLOCK)
    fired = list(row["fired"]) if row is not None else []
    generation = row["generation"] if row is not None else 1
    say = _Sayer(into, ticket, verdict, clock, clock_id, generation, shared)
    newly = [mark for mark in clock.passed if mark.name != BREACH and mark.name not in fired]
    for milestone in newly:
        fired.append(milestone.name)
        if clock.cycle.is_open:
            say.warning(milestone.name, milestone.at)
    breached_at, breach_id, counts_from = clock.breached_at, None, None
    if breach is not None and breach.status != "retracted" and breached_at is None:
        if row is not None and row["revision"] == revision:
            fired, generation = [name for name in fired if name != BREACH], generation + 1
            say.retracted(breach)
        else:
            breached_at, breach_id = breach.breached_at, breach.id
    elif breached_at is not None and (breach is None or breach.status == "retracted"):
        fired.append(BREACH)
        breach_id = say.breached(breach, first_seen=row is None)
        was_awaited = row is not None and row["revision"] == revision and clock.cause == "elapsed"
        counts_from = breached_at if was_awaited else max(at, breached_at)
    elif breach is not None and breached_at is not None:
        say.keep(breach)
        breach_id = breach.id
    if (not clock.cycle.is_open or breached_at is not None) and (newly or _was_loud(row)):
        into.quiet_clocks.append(clock_id)
    into.standings.append(Standing(clock_id, clock, generation, breach_id, counts_from))
    fresh = clock_row(shared, clock, clock_id, fired, generation, breached_at)
    if row is None or not says_the_same(fresh, row):
        into.clock_rows.append(fresh)
    if row is not None and row["due_at"] != clock.due_at and clock.cycle.is_open:
        if row["revision"] != revision:
            into.moves.append(Move(clock_id, row["due_at"], clock.due_at, row["revision"], revision))
        if breached_at is None:
            into.shifts.append(Shift(row, fresh, clock))


def _was_loud(row: Stored | None) -> bool:
    """Whether a warning of the clock, or another due instant, may still be on its way, as it is stored."""
    if row is None or row["stopped_at"] is not None or row["breached_at"] is not None:
        return False
    return any(name != BREACH for name in row["fired"])


def _stays_as_it_was(row: Stored | None, clock: Clock, ticket: LockedTicket, revision: int) -> bool:
    """A finished cycle keeps the verdict of the revision it finished under, and a new revision makes no promises for the past."""
    if clock.cycle.is_open or ticket.revision in (0, revision):
        return False
    if row is None:
        return clock.cycle.stopped_by not in {event.key for event in ticket.fresh}
    return bool(row["revision"] != revision and row["stopped_at"] == clock.cycle.stopped_at)


class _Sayer:
    """Notes down what one clock has to say."""

    def __init__(
        self, into: Consequences, ticket: LockedTicket, verdict: Verdict, clock: Clock, clock_id: str, generation: int, shared: Row
    ) -> None:
        self.into = into
        self.ticket = ticket
        self.verdict = verdict
        self.clock = clock
        self.clock_id = clock_id
        self.generation = generation
        self.shared = shared
        self.at: datetime = shared["judged_at"]

    def warning(self, name: str, fired_at: datetime) -> None:
        if not self.ticket.quiet:
            self.into.sayings.append(self._saying("sla.warning", name, fired_at, expires_at=self.clock.due_at))

    def breached(self, former: Any, *, first_seen: bool) -> str | None:
        """A new breach, or one that was retracted and is one after all; its id, None when it stays quiet."""
        clock, due = self.clock, self.clock.breached_at
        assert due is not None
        breach_id = former.id if former is not None else new_id(BREACH_ID)
        on_attach = first_seen and clock.cycle.terms.suppress_if_breached_on_attach
        why = "import" if self.ticket.quiet else "breached_on_attach" if on_attach else None
        late = None if clock.cycle.is_open else self._late()
        self.into.breach_rows.append(breach_row(self.shared, clock, breach_id, self.clock_id, late=late, suppressed=why))
        if why is not None:
            return None
        self.into.sayings.append(self._saying("sla.breached", BREACH, due, breach_id=breach_id, late_seconds=self._late()))
        return breach_id

    def keep(self, breach: Any) -> None:
        """A breach that stands: it may have been answered, reopened or moved by this verdict."""
        clock, due = self.clock, self.clock.breached_at
        assert due is not None
        status = "open" if clock.cycle.is_open else "answered"
        answered_at = clock.cycle.stopped_at
        if (breach.status, breach.answered_at, breach.breached_at) == (status, answered_at, due):
            return
        late = self._late() if answered_at is not None else None
        row = dict(breach._mapping) | {"status": status, "answered_at": answered_at, "breached_at": due, "late_seconds": late}
        self.into.breach_rows.append(row)
        if breach.status == "open" and answered_at is not None:
            name = f"recovered@{answered_at:%Y%m%dT%H%M%S%f}"
            self.into.closings.append(self._saying("sla.recovered", name, answered_at, breach_id=breach.id, late_seconds=late))

    def retracted(self, breach: Any) -> None:
        by = self.clock.cycle.stopped_by
        self.into.breach_rows.append(dict(breach._mapping) | {"status": "retracted", "retracted_at": self.at, "retracted_by": by})
        self.into.closings.append(self._saying("sla.retracted", "retracted", self.at, breach_id=breach.id, retracted_by=by))

    def _saying(self, type_: str, milestone: str, timestamp: datetime, **more: Any) -> Saying:
        return Saying(type_, milestone, timestamp, self.ticket, self.verdict, self.clock, self.clock_id, self.generation, **more)

    def _late(self) -> int | None:
        """Open seconds between due and the answer (or now)."""
        due = self.clock.breached_at
        until = self.clock.cycle.stopped_at or self.at
        return None if due is None else self.clock.cycle.terms.calendar.open_microseconds_between(due, until) // 1_000_000


def _vanished(into: Consequences, row: Stored, breach: Any, at: datetime) -> None:
    """A clock that, as is known now, never ran: an event that came late left no room for it."""
    into.clock_rows.append(cancelled(row))
    into.quiet_clocks.append(row["id"])
    into.standings.append(Standing(row["id"], None, row["generation"], None, None))
    if breach is not None and breach.status != "retracted":
        into.breach_rows.append(dict(breach._mapping) | {"status": "retracted", "retracted_at": at})
