"""A cycle: one promise of one metric, from where its clock starts to where it stops, and how it moves from one state to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from app.rules.condition_tests import shown
from app.rules.conditions import holds
from app.rules.deadline import Run, due_at, runs
from app.rules.events import Facts
from app.rules.policy import Offer, Target, Terms
from app.rules.stretches import Kind, Stretches, closed, running_from, turned
from app.rules.ticket import TicketAt
from app.rules.values import make

Cause = Literal["elapsed", "retargeted"]
Outcome = Literal["fulfilled", "cancelled"]

_RUNNING: Final = ("running", None)
_GONE = "gone, or without a policy"


class Cycle(NamedTuple):
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
    stretches: Stretches
    """Contiguous from the anchor; the last one is open-ended while the cycle is."""
    stopped_at: datetime | None = None
    outcome: Outcome | None = None
    lapsed: bool = False
    """Cancelled because the ticket was deleted or merged or no policy applied: comes back as the same cycle."""
    stopped_by: str | None = None
    """The key of an event that stopped it; None when a date did."""
    broken_at: datetime | None = None
    """The due instant that had passed under former terms; a later change of terms does not heal it."""
    broken_by: Cause = "elapsed"
    """Of `broken_at`: whether time had run out, or a change of terms had put the due instant into the past."""
    retargeted_at: datetime | None = None
    """When terms or target last changed under way, or when they came to apply to a ticket that already had a past."""

    @property
    def is_open(self) -> bool:
        return self.stopped_at is None

    def offers(self, offer: Offer) -> bool:
        """Whether the promise is what is offered anyway."""
        return self.terms is offer.terms and (self.target is offer.target or self.target == offer.target)

    def due_at(self, ran: Sequence[Run] | None = None) -> datetime | None:
        """When the promise, as it stands, is due; None while the clock stands still before that. `ran`: what its stretches give."""
        calendar = self.terms.calendar
        return due_at(calendar, self.anchor, self.target, self.stretches, ran or runs(calendar, self.stretches))

    def cause(self, due: datetime) -> Cause:
        """Why the promise is broken that was due at this instant."""
        if due == self.broken_at:
            return self.broken_by
        return "retargeted" if self.retargeted_at is not None and due < self.retargeted_at else "elapsed"


_STRETCHES: Final = Cycle._fields.index("stretches")
"""Where a cycle is cut to put other values in; many times a ticket, and several times as quick as `_replace`."""
_FRESH: Final = tuple(Cycle._field_defaults.values())
"""What nobody has done to a cycle that was just opened."""


def opened(metric: str, number: int, anchor: datetime, promise: datetime, offer: Offer) -> Cycle:
    """A cycle whose clock starts to run at its anchor."""
    policy, terms, target, priority = offer
    promised = (metric, number, anchor, promise, policy, terms, target, priority, running_from(anchor))
    return make(Cycle, promised + _FRESH)


def stopped(cycle: Cycle, ticket: TicketAt, *, fulfilled: bool, lapsed: bool) -> Cycle:
    """Stopped now, or at its anchor when that is later."""
    at, anchor = ticket.at, cycle.anchor
    if at < anchor:
        at = anchor
    by = ticket.events[-1].key if ticket.events else None
    outcome: Outcome = "fulfilled" if fulfilled else "cancelled"
    ended = (closed(cycle.stretches, at), at, outcome, lapsed and not fulfilled, by)
    return make(Cycle, cycle[:_STRETCHES] + ended + cycle[_STRETCHES + len(ended) :])


def back_again(cycle: Cycle, gone_since: datetime, at: datetime) -> Cycle:
    """A cycle that began while the ticket was gone: the time until it came back does not count."""
    return cycle._replace(stretches=turned(turned(cycle.stretches, gone_since, "stopped", _GONE), at, "running", None))


def resumed(cycle: Cycle, at: datetime) -> Cycle:
    """The same promise again: the time between does not count, what was consumed stays."""
    assert cycle.stopped_at is not None
    at = max(at, cycle.stopped_at)
    why = _GONE if cycle.lapsed else "done, then reopened"
    stretches = turned(turned(cycle.stretches, cycle.stopped_at, "stopped", why), at, "running", None)
    return cycle._replace(stretches=stretches, stopped_at=None, outcome=None, lapsed=False, stopped_by=None)


def retargeted(cycle: Cycle, at: datetime, offer: Offer, former: Cycle) -> Cycle:
    """Under other terms, or with another target, from now on. What was broken by now stays broken: `former`, as it was before this step."""
    policy, terms, target, priority = offer
    changed = cycle._replace(policy=policy, terms=terms, target=target, priority=priority, retargeted_at=at)
    return with_breach_of(former, at, changed)


def with_breach_of(former: Cycle, at: datetime, cycle: Cycle, ran: Sequence[Run] | None = None) -> Cycle:
    """`cycle`, which takes the place of `former`: broken if that one was broken before the instant, and before it stopped.

    `ran`: what the stretches of `former` give, if known.
    """
    broken = former.broken_at or former.due_at(ran)
    if broken is None or broken >= min(at, former.stopped_at or at):
        return cycle
    return cycle._replace(broken_at=broken, broken_by=former.cause(broken))


def with_stretches(cycle: Cycle, stretches: Stretches) -> Cycle:
    """The cycle with these stretches."""
    return make(Cycle, (*cycle[:_STRETCHES], stretches, *cycle[_STRETCHES + 1 :]))


def pace(terms: Terms, facts: Facts) -> tuple[Kind, str | None]:
    """Whether a clock of these terms stands still, and the facts that make it: `status pending`."""
    if terms.pause_while is None or not holds(terms.pause_while, facts):
        return _RUNNING
    why = ""
    for name in terms.pause_facts:
        why += f", {name} {shown(facts.get(name))}"
    return "paused", why[2:]
