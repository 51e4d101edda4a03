"""From what is known of a ticket at each step to the cycles of each metric: opened, paused, reopened, stopped, retargeted.

A cycle is one promise: it has an anchor (where its clock starts), stretches of time (running, paused, stopped) and, once over, an outcome.
The rules of a metric say where the anchor is; everything else is the same for all metrics and decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from app.rules.choose import Choice, choose
from app.rules.conditions import facts_named, holds
from app.rules.deadline import Stretch, due_at
from app.rules.metrics import Metric, metric
from app.rules.policy import Book, Target, Terms
from app.rules.ticket import TicketAt


@dataclass(frozen=True, slots=True)
class Cycle:
    """One promise of one metric. Instants in UTC."""

    metric: str
    number: int
    """From 1; with the metric, the identity of the clock within its ticket."""
    anchor: datetime
    promise: datetime
    """The anchor as the metric gives it; differs from `anchor` after a restart or when the policy's application is the anchor."""
    policy: str
    terms: Terms
    target: Target
    priority: str | None
    stretches: tuple[Stretch, ...]
    """Contiguous from the anchor; the last one is open-ended while the cycle is."""
    stopped_at: datetime | None = None
    outcome: Literal["fulfilled", "cancelled"] | None = None
    lapsed: bool = False
    """Cancelled because the ticket was deleted or merged or no policy applied: comes back as the same cycle."""
    stopped_by: str | None = None
    """The key of an event that stopped it."""
    broken_at: datetime | None = None
    """The due instant that had passed under former terms; a later change of terms does not heal it."""
    retargeted_at: datetime | None = None
    """When terms or target last changed under way."""

    @property
    def is_open(self) -> bool:
        return self.stopped_at is None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that was ever promised for a ticket, and what holds for it after its last step."""

    cycles: tuple[Cycle, ...]
    choice: Choice


def tell(steps: Sequence[TicketAt], book: Book) -> Story:
    """The cycles of all metrics over the steps of a ticket (`app.rules.ticket.walk`), in the order they were opened per metric."""
    tracks: dict[str, _Track] = {}
    choice = Choice(None, None)
    applied_at = steps[0].at if steps else None
    for index, ticket in enumerate(steps):
        if index == 0 or not ticket.events or ticket.facts is not steps[index - 1].facts:
            chosen = choose(book, ticket.facts, ticket.at)
            if chosen.policy is not choice.policy:
                applied_at = ticket.at
            choice = chosen
        assert applied_at is not None
        for name in choice.policy.terms if choice.policy else ():
            if name not in tracks:
                tracks[name] = _Track(name, metric(name, book.metrics.get(name)), steps)
        for name, track in tracks.items():
            track.step(index, _offer(choice, name, ticket), applied_at)
    return Story(tuple(cycle for track in tracks.values() for cycle in track.cycles), choice)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the chosen policy promises for one metric at one step."""

    policy: str
    terms: Terms
    target: Target
    priority: str | None


def _offer(choice: Choice, name: str, ticket: TicketAt) -> _Offer | None:
    """None when no policy applies, it does not name the metric, or it has no target for this priority."""
    terms = choice.policy.terms.get(name) if choice.policy else None
    if terms is None or choice.policy is None:
        return None
    priority = ticket.text("priority")
    target = terms.target_for(priority)
    return None if target is None else _Offer(choice.policy.name, terms, target, priority)


class _Track:
    """The cycles of one metric of one ticket, while the steps are walked."""

    def __init__(self, name: str, rules: Metric, steps: Sequence[TicketAt]) -> None:
        self.name = name
        self.rules = rules
        self.steps = steps
        self.cycles: list[Cycle] = []
        self._offered = False

    def step(self, index: int, offer: _Offer | None, applied_at: datetime) -> None:
        """Take one step: first what is promised may change, then whether the promise is open, and whether its clock stands still."""
        ticket = self.steps[index]
        if offer is None:
            self._offered = False
            if (cycle := self._open()) is not None:
                self._stop(cycle, ticket, fulfilled=False, lapsed=True)
            return
        if index and not self._offered:
            self._attach(index, offer, applied_at)
        self._offered = True
        if (cycle := self._open()) is not None:
            self._change(cycle, index, offer, applied_at)
        self._advance(ticket, offer, applied_at)

    def _open(self) -> Cycle | None:
        return self.cycles[-1] if self.cycles and self.cycles[-1].is_open else None

    def _advance(self, ticket: TicketAt, offer: _Offer, applied_at: datetime) -> None:
        cycle = self._open()
        terms = cycle.terms if cycle else offer.terms
        promise = self.rules.anchor(ticket, terms, cycle.promise if cycle else None)
        if cycle is not None:
            if promise == cycle.promise:
                self.cycles[-1] = _paced(cycle, ticket)
                return
            self._stop(cycle, ticket, fulfilled=self.rules.fulfilled(ticket, terms, cycle.anchor), lapsed=ticket.is_gone)
        if promise is not None:
            self._begin(ticket, promise, offer, applied_at)

    def _begin(self, ticket: TicketAt, promise: datetime, offer: _Offer, applied_at: datetime) -> None:
        """Open a cycle; the promise of the last one again is a reopening."""
        last = self.cycles[-1] if self.cycles else None
        anchor = max(promise, applied_at) if offer.terms.anchor == "policy_applied" else promise
        if last is not None and last.promise == promise:
            mode = "resume" if last.lapsed else offer.terms.reopen
            if mode == "final":
                return
            if mode == "resume":
                self.cycles[-1] = _paced(_resumed(last, ticket.at, offer), ticket)
                return
            anchor = ticket.at
        self.cycles.append(_paced(_fresh(self.name, len(self.cycles) + 1, anchor, promise, offer), ticket))

    def _stop(self, cycle: Cycle, ticket: TicketAt, *, fulfilled: bool, lapsed: bool) -> None:
        at = max(ticket.at, cycle.anchor)
        self.cycles[-1] = replace(
            cycle,
            stretches=_closed(cycle.stretches, at),
            stopped_at=at,
            outcome="fulfilled" if fulfilled else "cancelled",
            lapsed=lapsed,
            stopped_by=ticket.events[-1].key if ticket.events else None,
        )

    def _attach(self, index: int, offer: _Offer, applied_at: datetime) -> None:
        """A promise that comes to apply to a ticket with a past: the cycle that would be open now, had it applied from the start."""
        past = self._replay(index, offer, applied_at)
        if past is None:
            return
        last = self.cycles[-1] if self.cycles else None
        if last is not None and last.promise == past.promise:
            if last.lapsed:
                self.cycles[-1] = replace(past, number=last.number, broken_at=_broken(last, self.steps[index].at))
            return
        self.cycles.append(replace(past, number=len(self.cycles) + 1))

    def _change(self, cycle: Cycle, index: int, offer: _Offer, applied_at: datetime) -> None:
        """Other terms, or another target for another priority, for a cycle under way."""
        if cycle.terms is offer.terms and cycle.target == offer.target:
            if cycle.priority != offer.priority:
                self.cycles[-1] = replace(cycle, priority=offer.priority)
            return
        if offer.terms.on_change == "keep":
            return
        ticket = self.steps[index]
        if offer.terms.on_change == "restart":
            self._stop(cycle, ticket, fulfilled=False, lapsed=False)
            self.cycles.append(_paced(_fresh(self.name, len(self.cycles) + 1, ticket.at, cycle.promise, offer), ticket))
            return
        changed = replace(
            cycle,
            policy=offer.policy,
            terms=offer.terms,
            target=offer.target,
            priority=offer.priority,
            broken_at=_broken(cycle, ticket.at),
            retargeted_at=ticket.at,
        )
        past = self._replay(index, offer, applied_at) if _paces_differently(cycle.terms, offer.terms) else None
        if past is not None and past.promise == cycle.promise:
            changed = replace(changed, anchor=past.anchor, stretches=past.stretches)
        self.cycles[-1] = changed

    def _replay(self, index: int, offer: _Offer, applied_at: datetime) -> Cycle | None:
        """The cycle open just before a step, had these terms always applied; None when none would be."""
        track = _Track(self.name, self.rules, self.steps)
        always = replace(offer, terms=replace(offer.terms, anchor="created"))
        for past in range(index):
            track._advance(self.steps[past], always, applied_at)
        cycle = track._open()
        if cycle is None:
            return None
        stretches = cycle.stretches
        if not offer.terms.retroactive_pause:
            stretches = _unpaused_before(stretches, applied_at)
        anchor = cycle.anchor
        if offer.terms.anchor == "policy_applied" and anchor < applied_at:
            anchor, stretches = applied_at, _cut_before(stretches, applied_at)
        return replace(cycle, terms=offer.terms, anchor=anchor, stretches=stretches)


def _fresh(name: str, number: int, anchor: datetime, promise: datetime, offer: _Offer) -> Cycle:
    return Cycle(
        metric=name,
        number=number,
        anchor=anchor,
        promise=promise,
        policy=offer.policy,
        terms=offer.terms,
        target=offer.target,
        priority=offer.priority,
        stretches=(Stretch(anchor, None, "running"),),
    )


def _resumed(cycle: Cycle, at: datetime, offer: _Offer) -> Cycle:
    """The same promise again: the time between does not count, what was consumed stays."""
    assert cycle.stopped_at is not None
    gap = (Stretch(cycle.stopped_at, at, "stopped", "solved, then reopened"),) if cycle.stopped_at < at else ()
    resumed = replace(
        cycle,
        stretches=(*cycle.stretches, *gap, Stretch(at, None, "running")),
        stopped_at=None,
        outcome=None,
        lapsed=False,
        stopped_by=None,
    )
    if cycle.terms is offer.terms and cycle.target == offer.target:
        return resumed
    return replace(
        resumed,
        policy=offer.policy,
        terms=offer.terms,
        target=offer.target,
        priority=offer.priority,
        broken_at=_broken(cycle, at),
        retargeted_at=at,
    )


def _paced(cycle: Cycle, ticket: TicketAt) -> Cycle:
    """The cycle with its clock running or standing still from this step on."""
    pause = cycle.terms.pause_while
    kind: Literal["running", "paused"] = "paused" if pause is not None and holds(pause, ticket.facts) else "running"
    last = cycle.stretches[-1]
    if last.kind == kind:
        return cycle
    at = max(ticket.at, last.start)
    why = (
        ", ".join(f"{name} {ticket.text(name)}" for name in sorted(facts_named(pause))) if kind == "paused" and pause is not None else None
    )
    return replace(cycle, stretches=(*_closed(cycle.stretches, at), Stretch(at, None, kind, why)))


def _closed(stretches: tuple[Stretch, ...], at: datetime) -> tuple[Stretch, ...]:
    """The last stretch ended at an instant; dropped when nothing is left of it."""
    last = stretches[-1]
    return (*stretches[:-1], replace(last, end=at)) if last.start < at else stretches[:-1]


def _broken(cycle: Cycle, at: datetime) -> datetime | None:
    """The due instant if the promise, as it stood until `at`, was broken by then."""
    if cycle.broken_at is not None:
        return cycle.broken_at
    due = due_at(cycle.terms.calendar, cycle.anchor, cycle.target, cycle.stretches)
    return due if due is not None and due < min(at, cycle.stopped_at or at) else None


def _paces_differently(old: Terms, new: Terms) -> bool:
    """Whether the stretches of a cycle may differ under other terms."""

    def paces(terms: Terms) -> tuple[object, ...]:
        return (terms.pause_while, terms.reopen, terms.reply_by, terms.on_solve, terms.anchor, terms.retroactive_pause, terms.on_behalf)

    return paces(old) != paces(new)


def _unpaused_before(stretches: tuple[Stretch, ...], at: datetime) -> tuple[Stretch, ...]:
    """Pauses before an instant count as running."""
    result: list[Stretch] = []
    for stretch in stretches:
        if stretch.kind != "paused" or stretch.start >= at:
            result.append(stretch)
        elif stretch.end is not None and stretch.end <= at:
            result.append(replace(stretch, kind="running", why=None))
        else:
            result += [Stretch(stretch.start, at, "running"), replace(stretch, start=at)]
    return tuple(result)


def _cut_before(stretches: tuple[Stretch, ...], at: datetime) -> tuple[Stretch, ...]:
    """Only what lies at or after an instant."""
    return tuple(replace(s, start=max(s.start, at)) for s in stretches if s.end is None or s.end > at)
