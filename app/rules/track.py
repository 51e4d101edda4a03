"""The cycles of one metric of one ticket: opened, paused, reopened, stopped, retargeted.

The rules of a metric say where the anchor is; everything else is the same for all metrics and decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.rules.clock import Clock, Course, course, judge
from app.rules.cycle import Cycle, back_again, opened, pace, paced, resumed, retargeted, stopped, with_breach_of
from app.rules.deadline import Ran, Run, runs
from app.rules.metrics import Metric
from app.rules.policy import Offer, Terms
from app.rules.stretches import Stretches, closed, cut_before, paused_too, running_from, turned, unpaused_before
from app.rules.ticket import STANDING, TicketAt

_STANDING: Final = frozenset({STANDING})
FEW: Final = 8
"""So many stretches are counted sooner than one can look up what they gave before."""


class Track:
    """The cycles of one metric of one ticket, while the steps are taken. Only the last cycle ever changes."""

    __slots__ = ("_anchor", "_course", "_offer", "_over", "_ran", "_rules", "cycles", "name", "watched")

    def __init__(self, name: str, rules: Metric) -> None:
        self.name = name
        self.cycles: list[Cycle] = []
        self.watched = rules.WATCHES | _STANDING
        """What may move the anchor or turn the clock: names of facts, and words of `app.rules.ticket`."""
        self._rules = rules
        self._anchor = rules.anchor
        self._offer: Offer | None = None
        self._over: tuple[Clock, ...] = ()
        self._course: Course | None = None
        self._ran: Ran | None = None

    def copy(self) -> Track:
        """The same cycles, to go on without this one."""
        twin: Track = object.__new__(Track)
        twin.watched = self.watched
        twin.name, twin._rules, twin._anchor, twin._offer = self.name, self._rules, self._anchor, self._offer
        twin.cycles, twin._over, twin._course, twin._ran = self.cycles.copy(), self._over, self._course, self._ran
        return twin

    def clocks(self, at: datetime) -> tuple[Clock, ...]:
        """The verdict on each cycle at an instant. What is over is judged once and for all."""
        over, cycles = self._finished(), self.cycles
        if len(over) == len(cycles):
            return over
        every = [*over]
        for cycle in cycles[len(over) :]:
            every.append(judge(self._course_of(cycle), at))
        clocks = tuple(every)
        self._over = clocks if cycles[-1].stopped_at is not None else clocks[:-1]
        return clocks

    def has_missed(self, at: datetime) -> bool:
        """Whether any cycle so far was due before the instant, and before it stopped."""
        over = self._finished()
        if any(clock.breached_at is not None for clock in over):
            return True
        return any(with_breach_of(cycle, at, cycle, self._runs(cycle)).broken_at is not None for cycle in self.cycles[len(over) :])

    def _finished(self) -> tuple[Clock, ...]:
        """The clocks that have been judged and are over."""
        over = self._over
        came_back = over and over[-1].cycle is not self.cycles[len(over) - 1]
        return over[:-1] if came_back else over

    def _course_of(self, cycle: Cycle) -> Course:
        """Its course; kept, since most steps leave most cycles as they are."""
        if self._course is None or self._course.cycle is not cycle:
            self._course = course(cycle, self._runs(cycle))
        return self._course

    def _runs(self, cycle: Cycle) -> tuple[Run, ...]:
        """What its running stretches give. For a cycle with many of them it is kept, and only what has changed is counted anew."""
        calendar, stretches = cycle.terms.calendar, cycle.stretches
        if len(stretches) <= FEW:
            return runs(calendar, stretches)
        found = runs(calendar, stretches, self._ran)
        self._ran = Ran(calendar, stretches, found)
        return found

    def step(self, steps: Sequence[TicketAt], offer: Offer | None, applied_at: datetime, restated: bool) -> None:
        """Take the last of these steps: first what is promised may change, then whether it is open, and whether its clock stands still.

        `restated`: a fact has changed with this step; without that no clock turns.
        """
        if offer is not self._offer:
            if offer is not None and offer.terms.pause_facts:
                self.watched = self.watched.union(offer.terms.pause_facts)
            self._take_up(steps, offer, applied_at)
            restated = True
        if offer is not None:
            self.advance(steps, offer, applied_at, restated)

    def advance(self, steps: Sequence[TicketAt], offer: Offer, applied_at: datetime, restated: bool) -> None:
        """The same when what is promised is what was promised: stop the open cycle when its promise ends or moves, begin the next one."""
        ticket, cycles = steps[-1], self.cycles
        last = cycles[-1] if cycles else None
        if last is None or last.stopped_at is not None:
            promise = self._anchor(ticket, offer.terms, last.promise if last is not None and last.lapsed else None)
        else:
            promise = self._anchor(ticket, last.terms, last.promise)
            if promise == last.promise:
                if restated:
                    cycles[-1] = paced(last, ticket)
                return
            fulfilled = self._rules.fulfilled(ticket, last.terms, last.anchor)
            cycles[-1] = stopped(last, ticket, fulfilled=fulfilled, lapsed=ticket.is_gone)
        if promise is not None:
            self._begin(steps, promise, offer, applied_at)

    def _begin(self, steps: Sequence[TicketAt], promise: datetime, offer: Offer, applied_at: datetime) -> None:
        """Open a cycle; the promise of the last one again is a reopening."""
        ticket = steps[-1]
        last = self.cycles[-1] if self.cycles else None
        if last is None or last.promise != promise:
            self._add(max(promise, applied_at) if offer.terms.anchor == "policy_applied" else promise, promise, offer)
            gone_since = steps[-2].gone_since if len(steps) > 1 else None
            if gone_since is not None:
                self.cycles[-1] = back_again(self.cycles[-1], gone_since, ticket.at)
        elif last.lapsed or offer.terms.reopen == "resume":
            self.cycles[-1] = again = resumed(last, ticket.at)
            if not again.offers(offer):
                self._change(again, steps, offer, applied_at)
        elif offer.terms.reopen == "restart":
            self._add(ticket.at, promise, offer)
        else:
            return
        self.cycles[-1] = paced(self.cycles[-1], ticket)

    def _add(self, anchor: datetime, promise: datetime, offer: Offer) -> None:
        self.cycles.append(opened(self.name, len(self.cycles) + 1, anchor, promise, offer))

    def _take_up(self, steps: Sequence[TicketAt], offer: Offer | None, applied_at: datetime) -> None:
        """Another offer than at the step before, or none any more."""
        former, self._offer = self._offer, offer
        if former is None and offer is not None and len(steps) > 1:
            self._attach(steps, offer, applied_at)
        if (cycle := self._open()) is None:
            return
        if offer is None:
            self.cycles[-1] = stopped(cycle, steps[-1], fulfilled=False, lapsed=True)
        elif not cycle.offers(offer):
            self._change(cycle, steps, offer, applied_at)
        else:
            self.cycles[-1] = cycle._replace(priority=offer.priority)

    def _open(self) -> Cycle | None:
        return self.cycles[-1] if self.cycles and self.cycles[-1].stopped_at is None else None

    def _attach(self, steps: Sequence[TicketAt], offer: Offer, applied_at: datetime) -> None:
        """A promise that comes to apply to a ticket with a past: the cycle that would be open now, had it applied from the start."""
        past = self._replay(steps[:-1], offer, applied_at)
        last = self.cycles[-1] if self.cycles else None
        if past is None:
            return
        at = steps[-1].at
        past = past._replace(number=len(self.cycles) + 1, retargeted_at=at)
        if last is None or last.promise != past.promise:
            self.cycles.append(past)
        elif last.lapsed:
            kept = past._replace(number=last.number, stretches=paused_too(past.stretches, last.stretches))
            self.cycles[-1] = with_breach_of(last, at, kept)

    def _replay(self, past: Sequence[TicketAt], offer: Offer, applied_at: datetime) -> Cycle | None:
        """The cycle open after these steps, had this promise always applied; None when none would be."""
        track = Track(self.name, self._rules)
        for index in range(len(past)):
            track.advance(past[max(index - 1, 0) : index + 1], offer, applied_at, restated=True)
        cycle = track._open()
        if cycle is None:
            return None
        stretches = cycle.stretches if offer.terms.retroactive_pause else unpaused_before(cycle.stretches, applied_at)
        return _anchored(cycle._replace(stretches=stretches), applied_at)

    def _change(self, cycle: Cycle, steps: Sequence[TicketAt], offer: Offer, applied_at: datetime) -> None:
        """Other terms, or another target for another priority, for a cycle under way.

        One that ends in this very moment is not restarted: it is finished under the terms of the moment.
        """
        ticket = steps[-1]
        if offer.terms.on_change == "keep":
            return
        if offer.terms.on_change == "restart" and self._anchor(ticket, offer.terms, cycle.promise) == cycle.promise:
            self.cycles[-1] = stopped(cycle, ticket, fulfilled=False, lapsed=False)
            self._add(ticket.at, cycle.promise, offer)
            return
        changed = retargeted(cycle, ticket.at, offer)
        pause = offer.terms.pause_while
        if offer.terms.retroactive_pause and pause is not None and pause != cycle.terms.pause_while:
            changed = changed._replace(stretches=paused_too(changed.stretches, _paces(steps, offer.terms)))
        self.cycles[-1] = _anchored(changed, applied_at)


def _paces(steps: Sequence[TicketAt], terms: Terms) -> Stretches:
    """How a clock of these terms would have run from the first of these steps until the last."""
    stretches = running_from(steps[0].at)
    for ticket in steps[:-1]:
        stretches = turned(stretches, ticket.at, *pace(terms, ticket))
    return closed(stretches, steps[-1].at)


def _anchored(cycle: Cycle, applied_at: datetime) -> Cycle:
    """The cycle with nothing before the instant its policy came to apply, where that is its anchor."""
    if cycle.terms.anchor != "policy_applied" or cycle.anchor >= applied_at:
        return cycle
    return cycle._replace(anchor=applied_at, stretches=cut_before(cycle.stretches, applied_at))
