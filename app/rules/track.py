"""The cycles of one metric of one ticket: opened, paused, reopened, stopped, retargeted.

The rules of a metric say where the anchor is; everything else is the same for all metrics and decided here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.rules.clock import Clock, judge, judge_if_plain
from app.rules.cycle import Cycle, back_again, opened, pace, resumed, retargeted, stopped, with_breach_of, with_stretches
from app.rules.deadline import Ran, Run, runs
from app.rules.events import Facts
from app.rules.metrics import Metric
from app.rules.policy import Offer, Terms
from app.rules.stretches import Stretches, closed, cut_before, paused_too, running_from, turned, unpaused_before
from app.rules.ticket import TicketAt

_NEVER_BEHIND: Final = sys.maxsize
"""The number of a step that never comes: a clock that never stands still has nothing to be caught up on."""
FEW: Final = 8
"""So many stretches are counted sooner than one can look up what they gave before."""


class Track:
    """The cycles of one metric of one ticket, while the steps are taken. Only the last cycle ever changes.

    Whether its clock runs or stands still is caught up on when somebody asks: many steps lie between two questions.
    """

    __slots__ = ("_anchor", "_cycles", "_judged", "_offer", "_over", "_paced", "_paced_by", "_ran", "_rules", "_steps", "name")

    def __init__(self, name: str, rules: Metric, steps: list[TicketAt]) -> None:
        """`steps`: of the ticket, from the first one on; what is added to them later is to be taken here (`step` or `advance`)."""
        self.name = name
        self._steps = steps
        self._cycles: list[Cycle] = []
        self._paced = _NEVER_BEHIND
        self._paced_by: Facts | None = None
        self._rules = rules
        self._anchor = rules.anchor
        self._offer: Offer | None = None
        self._over: tuple[Clock, ...] = ()
        self._judged: tuple[Clock, Sequence[Run]] | None = None
        self._ran: Ran | None = None

    def copy(self, steps: list[TicketAt]) -> Track:
        """The same cycles, to go on without this one; `steps`: the same so far."""
        twin = Track(self.name, self._rules, steps)
        twin._cycles, twin._offer = self._cycles.copy(), self._offer
        twin._paced, twin._paced_by, twin._ran = self._paced, self._paced_by, self._ran
        twin._over, twin._judged = self._over, self._judged
        return twin

    @property
    def cycles(self) -> Sequence[Cycle]:
        """All cycles so far, by time."""
        if self._paced < len(self._steps):
            self._catch_up(len(self._steps))
        return self._cycles

    def _catch_up(self, end: int) -> None:
        """Let the clock of the open cycle run and stand still as it did in the steps before number `end`."""
        cycle, facts = self._cycles[-1], self._paced_by
        stretches = cycle.stretches
        for ticket in self._steps[self._paced : end]:
            if ticket.facts is not facts:
                facts = ticket.facts
                stretches = turned(stretches, ticket.at, *pace(cycle.terms, facts))
        if stretches is not cycle.stretches:
            self._cycles[-1] = with_stretches(cycle, stretches)
        self._paced, self._paced_by = end, facts

    def _go_on_from_here(self) -> None:
        """The last cycle is another than before this step, or under other terms: from this step on its clock is to be caught up on."""
        cycle = self._cycles[-1]
        if cycle.stopped_at is not None or (cycle.terms.pause_while is None and cycle.stretches[-1].kind == "running"):
            self._paced = _NEVER_BEHIND
        else:
            self._paced, self._paced_by = len(self._steps) - 1, None

    def clocks(self, at: datetime) -> tuple[Clock, ...]:
        """The verdict on each cycle at an instant. What is over is judged once and for all."""
        cycles, over = self.cycles, self._finished()
        if len(over) == len(cycles):
            return over
        clocks = [*over]
        for cycle in cycles[len(over) :]:
            if cycle.stopped_at is None:
                clocks.append(self._judge_open(cycle, at))
            else:
                clocks.append(judge_if_plain(cycle, cycle.stopped_at) or judge(cycle, self._runs(cycle), at))
        every = tuple(clocks)
        self._over = every if cycles[-1].stopped_at is not None else every[:-1]
        return every

    def _judge_open(self, cycle: Cycle, at: datetime) -> Clock:
        """The verdict on the open cycle; kept, since most steps leave most cycles as they are, and only time passes."""
        known, ran = self._judged or (None, ())
        if known is None or known.cycle is not cycle:
            known, ran = None, self._runs(cycle)
        clock = judge(cycle, ran, at, known)
        self._judged = clock, ran
        return clock

    def has_missed(self, at: datetime) -> bool:
        """Whether any cycle so far was due before the instant, and before it stopped."""
        cycles, over = self.cycles, self._finished()
        if any(clock.breached_at is not None for clock in over):
            return True
        return any(with_breach_of(cycle, at, cycle, self._runs(cycle)).broken_at is not None for cycle in cycles[len(over) :])

    def _finished(self) -> tuple[Clock, ...]:
        """The clocks that have been judged and are over."""
        over = self._over
        came_back = over and over[-1].cycle is not self._cycles[len(over) - 1]
        return over[:-1] if came_back else over

    def _runs(self, cycle: Cycle) -> tuple[Run, ...]:
        """What its running stretches give. For a cycle with many of them it is kept, and only what has changed is counted anew."""
        calendar, stretches = cycle.terms.calendar, cycle.stretches
        if len(stretches) <= FEW:
            return runs(calendar, stretches)
        found = runs(calendar, stretches, self._ran)
        self._ran = Ran(calendar, stretches, found)
        return found

    def step(self, offer: Offer | None, applied_at: datetime) -> None:
        """Take the last of the steps: first what is promised may change, then whether it is open."""
        if offer is not self._offer:
            self._take_up(offer, applied_at)
        if offer is not None:
            self.advance(offer, applied_at)

    def advance(self, offer: Offer, applied_at: datetime) -> None:
        """The same when what is promised is what was promised: stop the open cycle when its promise ends or moves, begin the next one."""
        ticket, cycles = self._steps[-1], self._cycles
        last = cycles[-1] if cycles else None
        if last is None or last.stopped_at is not None:
            promise = self._anchor(ticket, offer.terms, last.promise if last is not None and last.lapsed else None)
        else:
            promise = self._anchor(ticket, last.terms, last.promise)
            if promise == last.promise:
                return
            if self._paced < len(self._steps) - 1:
                self._catch_up(len(self._steps) - 1)
            self._paced = _NEVER_BEHIND
            fulfilled = self._rules.fulfilled(ticket, last.terms, last.anchor)
            cycles[-1] = stopped(cycles[-1], ticket, fulfilled=fulfilled, lapsed=ticket.is_gone)
        if promise is not None:
            self._begin(promise, offer, applied_at)

    def _begin(self, promise: datetime, offer: Offer, applied_at: datetime) -> None:
        """Open a cycle; the promise of the last one again is a reopening."""
        steps, cycles = self._steps, self._cycles
        last, ticket = cycles[-1] if cycles else None, steps[-1]
        if last is None or last.promise != promise:
            self._add(promise if offer.terms.anchor == "created" else max(promise, applied_at), promise, offer)
            if len(steps) > 1 and (gone_since := steps[-2].gone_since) is not None:
                cycles[-1] = back_again(cycles[-1], gone_since, ticket.at)
        elif last.lapsed or offer.terms.reopen == "resume":
            cycles[-1] = again = resumed(last, ticket.at)
            if not again.offers(offer):
                self._change(again, last, offer, applied_at)
        elif offer.terms.reopen == "restart":
            self._add(ticket.at, promise, offer)
        else:
            return
        self._go_on_from_here()

    def _add(self, anchor: datetime, promise: datetime, offer: Offer) -> None:
        self._cycles.append(opened(self.name, len(self._cycles) + 1, anchor, promise, offer))

    def _take_up(self, offer: Offer | None, applied_at: datetime) -> None:
        """Another offer than at the step before, or none any more."""
        former, self._offer = self._offer, offer
        if self._paced < len(self._steps) - 1:
            self._catch_up(len(self._steps) - 1)
        if former is None and offer is not None and len(self._steps) > 1:
            self._attach(offer, applied_at)
        if (cycle := self._open()) is not None:
            self._move(cycle, offer, applied_at)
        if self._cycles:
            self._go_on_from_here()

    def _move(self, cycle: Cycle, offer: Offer | None, applied_at: datetime) -> None:
        """The open cycle, now that this is offered."""
        if offer is None:
            self._cycles[-1] = stopped(cycle, self._steps[-1], fulfilled=False, lapsed=True)
        elif not cycle.offers(offer):
            self._change(cycle, cycle, offer, applied_at)
        else:
            self._cycles[-1] = cycle._replace(priority=offer.priority)

    def _open(self) -> Cycle | None:
        return self._cycles[-1] if self._cycles and self._cycles[-1].stopped_at is None else None

    def _attach(self, offer: Offer, applied_at: datetime) -> None:
        """A promise that comes to apply to a ticket with a past: the cycle that would be open now, had it applied from the start."""
        past = self._replay(self._steps[:-1], offer, applied_at)
        last = self._cycles[-1] if self._cycles else None
        if past is None:
            return
        at = self._steps[-1].at
        past = past._replace(number=len(self._cycles) + 1, retargeted_at=at)
        if last is None or last.promise != past.promise:
            self._cycles.append(past)
        elif last.lapsed:
            kept = past._replace(number=last.number, stretches=paused_too(past.stretches, last.stretches))
            self._cycles[-1] = with_breach_of(last, at, kept)

    def _replay(self, past: Sequence[TicketAt], offer: Offer, applied_at: datetime) -> Cycle | None:
        """The cycle open after these steps, had this promise always applied; None when none would be."""
        track = Track(self.name, self._rules, [])
        for ticket in past:
            track._steps.append(ticket)
            track.advance(offer, applied_at)
        cycle = track.cycles[-1] if track._open() is not None else None
        if cycle is None:
            return None
        stretches = cycle.stretches if offer.terms.retroactive_pause else unpaused_before(cycle.stretches, applied_at)
        return _anchored(cycle._replace(stretches=stretches), applied_at)

    def _change(self, cycle: Cycle, former: Cycle, offer: Offer, applied_at: datetime) -> None:
        """Other terms, or another target for another priority, for a cycle under way; `former`: as it was before this step.

        One that ends in this very moment is not restarted: it is finished under the terms of the moment.
        """
        ticket = self._steps[-1]
        if offer.terms.on_change == "keep":
            return
        if offer.terms.on_change == "restart" and self._anchor(ticket, offer.terms, cycle.promise) == cycle.promise:
            self._cycles[-1] = stopped(cycle, ticket, fulfilled=False, lapsed=False)
            self._add(ticket.at, cycle.promise, offer)
            return
        changed = retargeted(cycle, ticket.at, offer, former)
        pause = offer.terms.pause_while
        if offer.terms.retroactive_pause and pause is not None and pause != cycle.terms.pause_while:
            changed = changed._replace(stretches=paused_too(changed.stretches, _paces(self._steps, offer.terms)))
        self._cycles[-1] = _anchored(changed, applied_at)


def _paces(steps: Sequence[TicketAt], terms: Terms) -> Stretches:
    """How a clock of these terms would have run from the first of these steps until the last."""
    stretches = running_from(steps[0].at)
    for ticket in steps[:-1]:
        stretches = turned(stretches, ticket.at, *pace(terms, ticket.facts))
    return closed(stretches, steps[-1].at)


def _anchored(cycle: Cycle, applied_at: datetime) -> Cycle:
    """The cycle with nothing before the instant its policy came to apply, where that is its anchor."""
    if cycle.terms.anchor != "policy_applied" or cycle.anchor >= applied_at:
        return cycle
    return cycle._replace(anchor=applied_at, stretches=cut_before(cycle.stretches, applied_at))
