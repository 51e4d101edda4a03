"""From what is known of a ticket at each step to the cycles of each metric: opened, paused, reopened, stopped, retargeted.

The rules of a metric say where the anchor is; everything else is the same for all metrics and decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.rules.choose import Choice, choose
from app.rules.conditions import Condition
from app.rules.cycle import Cycle, Offer, back_again, opened, pace, paced, resumed, retargeted, stopped, with_breach_of
from app.rules.metrics import Metric, metric
from app.rules.policy import Book
from app.rules.stretches import Stretches, closed, cut_before, paused_too, running_from, turned, unpaused_before
from app.rules.ticket import TicketAt

__all__ = ["Cycle", "Story", "tell"]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that was ever promised for a ticket, and what holds for it after its last step."""

    cycles: tuple[Cycle, ...]
    choice: Choice


def tell(steps: Sequence[TicketAt], book: Book) -> Story:
    """The cycles over the steps of a ticket (`app.rules.ticket.walk`): metric by metric as they came to be promised, each by time."""
    steps = list(steps)
    tracks: dict[str, _Track] = {}
    choice = Choice(None, None)
    offers: dict[str, Offer] = {}
    for index, ticket in enumerate(steps):
        if ticket.is_solved:
            steps[index] = ticket = _with_misses(ticket, steps[index - 1] if index else None, tracks.values())
        restated = index == 0 or ticket.facts is not steps[index - 1].facts
        if index == 0 or _may_decide(ticket, book):
            chosen = choose(book, ticket.facts, ticket.at)
            if index == 0 or chosen.policy is not choice.policy:
                applied_at = ticket.at
            choice, offers = chosen, _offers(chosen, ticket, offers)
            for name in offers:
                if name not in tracks:
                    tracks[name] = _Track(name, metric(name, book.metrics.get(name)), steps)
        elif not restated and ticket.is_as_quiet_as(steps[index - 1]):
            continue
        for name, track in tracks.items():
            track.step(index, offers.get(name), applied_at, restated=restated)
    return Story(tuple(cycle for track in tracks.values() for cycle in track.cycles), choice)


def _with_misses(ticket: TicketAt, before: TicketAt | None, tracks: Iterable[_Track]) -> TicketAt:
    """A solved ticket, knowing whether a promise had been missed when it was solved."""
    if before is not None and before.is_solved:
        return ticket._replace(missed=before.missed)
    return ticket._replace(missed=any(track.has_missed(ticket.at) for track in tracks))


def _may_decide(ticket: TicketAt, book: Book) -> bool:
    """Whether policy, tier or target may be another since this step: by what was stated, or by its date alone."""
    for event in ticket.events:
        if event.set and not book.deciding.isdisjoint(event.set):
            return True
    return not ticket.events


def _offers(choice: Choice, ticket: TicketAt, before: dict[str, Offer]) -> dict[str, Offer]:
    """What is promised, by metric: nothing when no policy applies, and not a metric without a target for this priority.

    An offer that is the same as before is the very same object.
    """
    offers: dict[str, Offer] = {}
    if choice.policy is None:
        return offers
    priority = ticket.text("priority")
    for name, terms in choice.policy.terms.items():
        target = terms.target_for(priority)
        if target is not None:
            former = before.get(name)
            if former is not None and former.terms is terms and former.target is target and former.priority == priority:
                offers[name] = former
            else:
                offers[name] = Offer(choice.policy.name, terms, target, priority)
    return offers


class _Track:
    """The cycles of one metric of one ticket, while the steps are walked."""

    def __init__(self, name: str, rules: Metric, steps: Sequence[TicketAt]) -> None:
        self.name = name
        self.rules = rules
        self.steps = steps
        self.cycles: list[Cycle] = []
        self._offer: Offer | None = None

    def step(self, index: int, offer: Offer | None, applied_at: datetime, *, restated: bool) -> None:
        """Take one step: first what is promised may change, then whether the promise is open, and whether its clock stands still.

        `restated`: a fact has changed with this step; without that no clock turns.
        """
        if offer is not self._offer:
            self._take_up(index, offer, applied_at)
            restated = True
        if offer is not None:
            self._advance(index, offer, applied_at, restated=restated)

    def _take_up(self, index: int, offer: Offer | None, applied_at: datetime) -> None:
        """Another offer than at the step before, or none any more."""
        former, self._offer = self._offer, offer
        if former is None and offer is not None and index:
            self._attach(index, offer, applied_at)
        if (cycle := self._open()) is None:
            return
        if offer is None:
            self.cycles[-1] = stopped(cycle, self.steps[index], fulfilled=False, lapsed=True)
        elif not cycle.offers(offer):
            self._change(cycle, index, offer, applied_at)
        else:
            self.cycles[-1] = cycle._replace(priority=offer.priority)

    def has_missed(self, at: datetime) -> bool:
        """Whether any cycle so far was due before the instant, and before it stopped."""
        return any(with_breach_of(cycle, at, cycle).broken_at is not None for cycle in self.cycles)

    def _open(self) -> Cycle | None:
        return self.cycles[-1] if self.cycles and self.cycles[-1].stopped_at is None else None

    def _advance(self, index: int, offer: Offer, applied_at: datetime, *, restated: bool = True) -> None:
        """Stop the open cycle when its promise ends or moves, and begin the next one."""
        ticket = self.steps[index]
        last = self.cycles[-1] if self.cycles else None
        if last is None or last.stopped_at is not None:
            promise = self.rules.anchor(ticket, offer.terms, last.promise if last is not None and last.lapsed else None)
        else:
            promise = self.rules.anchor(ticket, last.terms, last.promise)
            if promise == last.promise:
                if restated:
                    self.cycles[-1] = paced(last, ticket)
                return
            fulfilled = self.rules.fulfilled(ticket, last.terms, last.anchor)
            self.cycles[-1] = stopped(last, ticket, fulfilled=fulfilled, lapsed=ticket.is_gone)
        if promise is not None:
            self._begin(index, promise, offer, applied_at)

    def _begin(self, index: int, promise: datetime, offer: Offer, applied_at: datetime) -> None:
        """Open a cycle; the promise of the last one again is a reopening."""
        ticket = self.steps[index]
        last = self.cycles[-1] if self.cycles else None
        if last is None or last.promise != promise:
            self._add(max(promise, applied_at) if offer.terms.anchor == "policy_applied" else promise, promise, offer)
            if index and self.steps[index - 1].is_gone:
                self.cycles[-1] = back_again(self.cycles[-1], self._gone_since(index), ticket.at)
        elif last.lapsed or offer.terms.reopen == "resume":
            self.cycles[-1] = again = resumed(last, ticket.at)
            if not again.offers(offer):
                self._change(again, index, offer, applied_at)
        elif offer.terms.reopen == "restart":
            self._add(ticket.at, promise, offer)
        else:
            return
        self.cycles[-1] = paced(self.cycles[-1], ticket)

    def _gone_since(self, index: int) -> datetime:
        """Since when the ticket was gone that came back with this step."""
        while index > 1 and self.steps[index - 2].is_gone:
            index -= 1
        return self.steps[index - 1].at

    def _add(self, anchor: datetime, promise: datetime, offer: Offer) -> None:
        self.cycles.append(opened(self.name, len(self.cycles) + 1, anchor, promise, offer))

    def _attach(self, index: int, offer: Offer, applied_at: datetime) -> None:
        """A promise that comes to apply to a ticket with a past: the cycle that would be open now, had it applied from the start."""
        past = self._replay(index, offer, applied_at)
        last = self.cycles[-1] if self.cycles else None
        if past is None:
            return
        at = self.steps[index].at
        past = past._replace(number=len(self.cycles) + 1, retargeted_at=at)
        if last is None or last.promise != past.promise:
            self.cycles.append(past)
        elif last.lapsed:
            kept = past._replace(number=last.number, stretches=paused_too(past.stretches, last.stretches))
            self.cycles[-1] = with_breach_of(last, at, kept)

    def _replay(self, index: int, offer: Offer, applied_at: datetime) -> Cycle | None:
        """The cycle open just before a step, had this promise always applied; None when none would be."""
        track = _Track(self.name, self.rules, self.steps)
        always = offer._replace(terms=replace(offer.terms, anchor="created"))
        for past in range(index):
            track._advance(past, always, applied_at)
        cycle = track._open()
        if cycle is None:
            return None
        stretches = cycle.stretches if offer.terms.retroactive_pause else unpaused_before(cycle.stretches, applied_at)
        return _anchored(cycle._replace(terms=offer.terms, stretches=stretches), applied_at)

    def _change(self, cycle: Cycle, index: int, offer: Offer, applied_at: datetime) -> None:
        """Other terms, or another target for another priority, for a cycle under way.

        One that ends in this very moment is not restarted: it is finished under the terms of the moment.
        """
        ticket = self.steps[index]
        if offer.terms.on_change == "keep":
            return
        if offer.terms.on_change == "restart" and self.rules.anchor(ticket, offer.terms, cycle.promise) == cycle.promise:
            self.cycles[-1] = stopped(cycle, ticket, fulfilled=False, lapsed=False)
            self._add(ticket.at, cycle.promise, offer)
            return
        changed = retargeted(cycle, ticket.at, offer)
        pause = offer.terms.pause_while
        if offer.terms.retroactive_pause and pause is not None and pause != cycle.terms.pause_while:
            changed = changed._replace(stretches=paused_too(changed.stretches, self._paces(index, pause)))
        self.cycles[-1] = _anchored(changed, applied_at)

    def _paces(self, index: int, pause: Condition) -> Stretches:
        """How a clock that pauses while a condition holds would have run from the first step until this one."""
        stretches = running_from(self.steps[0].at)
        for ticket in self.steps[:index]:
            stretches = turned(stretches, ticket.at, *pace(pause, ticket))
        return closed(stretches, self.steps[index].at)


def _anchored(cycle: Cycle, applied_at: datetime) -> Cycle:
    """The cycle with nothing before the instant its policy came to apply, where that is its anchor."""
    if cycle.terms.anchor != "policy_applied" or cycle.anchor >= applied_at:
        return cycle
    return cycle._replace(anchor=applied_at, stretches=cut_before(cycle.stretches, applied_at))
