"""From what is known of a ticket at each step to the cycles of each metric: what is chosen and offered, and what came of it.

The rules of a metric say where the anchor is; everything else is the same for all metrics (`app.rules.track`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from app.rules.choose import Choice, choose
from app.rules.cycle import Cycle
from app.rules.metrics import metric
from app.rules.policy import Book, Offer
from app.rules.ticket import STANDING, TicketAt
from app.rules.track import Track

__all__ = ["Cycle", "Story", "Teller", "tell"]

_STANDING: Final = frozenset({STANDING})
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_NOTHING_CHOSEN: Final = Choice(None, None)
KNOWN_MAX: Final = 1000
"""So many sets of changes a book remembers; facts have names that helpdesks give them, so there is no end to what may change."""


class Story(NamedTuple):
    """Everything that was ever promised for a ticket, and what holds for it after its last step."""

    cycles: tuple[Cycle, ...]
    choice: Choice


def tell(steps: Sequence[TicketAt], book: Book) -> Story:
    """The cycles over the steps of a ticket (`app.rules.ticket.walk`): metric by metric as they came to be promised, each by time."""
    teller = Teller(book)
    for ticket in steps:
        teller.take(ticket)
    return Story(tuple(cycle for track in teller.tracks.values() for cycle in track.cycles), teller.choice)


class Teller:
    """Takes one step of a ticket after another, and knows what has come of it: what is chosen and offered now, and all cycles."""

    __slots__ = ("_applied_at", "_offers", "book", "choice", "steps", "tracks")

    def __init__(self, book: Book) -> None:
        self.book = book
        self.steps: list[TicketAt] = []
        self.choice = _NOTHING_CHOSEN
        self.tracks: dict[str, Track] = {}
        self._offers: Mapping[str, Offer] = {}
        self._applied_at = _NEVER

    def copy(self) -> Teller:
        """The same story, to be told on without this one."""
        twin = Teller(self.book)
        twin.choice, twin._offers, twin._applied_at = self.choice, self._offers, self._applied_at
        twin.steps = self.steps.copy()
        twin.tracks = {name: track.copy(twin.steps) for name, track in self.tracks.items()}
        return twin

    def take(self, ticket: TicketAt) -> None:
        """One step more."""
        steps = self.steps
        if ticket.is_solved:
            ticket = self._with_misses(ticket, steps[-1] if steps else None)
        steps.append(ticket)
        concerned = self.book.concerned.get(ticket.changed) if len(steps) > 1 else None
        if concerned is None:
            if len(steps) == 1 or _may_decide(ticket, self.book):
                self._decide(ticket)
                return
            concerned = self._concerned(ticket.changed)
        for name in concerned:
            if name in self._offers:
                self.tracks[name].advance(self._offers[name], self._applied_at)

    def _concerned(self, changed: frozenset[str]) -> tuple[str, ...]:
        """The metrics to ask again when this has changed, and policy, tier and target have not: all, unless the book is steady.

        A steady book knows the answer from then on.
        """
        book = self.book
        if not book.steady:
            return tuple(self._offers) if changed else ()
        metrics = {name: metric(name, book.metrics.get(name)) for policy in book.policies for name in policy.terms}
        names = tuple(name for name, rules in metrics.items() if not changed.isdisjoint(rules.WATCHES | _STANDING))
        if len(book.concerned) < KNOWN_MAX:
            book.concerned[changed] = names
        return names

    def _with_misses(self, ticket: TicketAt, before: TicketAt | None) -> TicketAt:
        """A solved ticket, knowing whether a promise had been missed when it was solved."""
        if before is not None and before.is_solved:
            return ticket._replace(missed=True) if before.missed else ticket
        missed = any(track.has_missed(ticket.at) for track in self.tracks.values())
        return ticket._replace(missed=True) if missed else ticket

    def _decide(self, ticket: TicketAt) -> None:
        """Choose the policy and what it offers, and take the step with every metric."""
        chosen = choose(self.book, ticket.facts, ticket.at)
        if len(self.steps) == 1 or chosen.policy is not self.choice.policy:
            self._applied_at = ticket.at
        self.choice, self._offers = chosen, _offers(chosen, ticket, self._offers)
        tracks, offers = self.tracks, self._offers
        for name in offers:
            if name not in tracks:
                tracks[name] = Track(name, metric(name, self.book.metrics.get(name)), self.steps)
        for name, track in tracks.items():
            track.step(offers.get(name), self._applied_at)


def _may_decide(ticket: TicketAt, book: Book) -> bool:
    """Whether policy, tier or target may be another since this step: by what was stated, or by its date alone."""
    if book.steady:
        return not book.deciding.isdisjoint(ticket.changed)
    for event in ticket.events:
        if event.set and not book.deciding.isdisjoint(event.set):
            return True
    return not ticket.events


def _offers(choice: Choice, ticket: TicketAt, before: Mapping[str, Offer]) -> Mapping[str, Offer]:
    """What is promised, by metric: nothing when no policy applies, and not a metric without a target for this priority.

    An offer that is the same as before is the very same object.
    """
    if choice.policy is None:
        return {}
    offers = choice.policy.offers(ticket.text("priority"))
    if not before or offers is before:
        return offers
    return {name: _as_before(offer, before.get(name)) for name, offer in offers.items()}


def _as_before(offer: Offer, former: Offer | None) -> Offer:
    if former is None or former.terms is not offer.terms or former.target is not offer.target or former.priority != offer.priority:
        return offer
    return former
