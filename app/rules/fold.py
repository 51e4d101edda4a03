"""What has been made of a timeline so far, carried along with it: another event is one step more, and not all of them again.

Only a saving of work. A fold belongs to one document and to the events up to one instant; when an event comes late, or the document is
another, it is made anew from the events, and comes to the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from app.rules.clock import Clock
from app.rules.cycles import Teller
from app.rules.events import TicketEvent
from app.rules.policy import Book
from app.rules.ticket import Known, TicketAt
from app.rules.timeline import Events, Timeline, states_creation


class Fold:
    """A ticket's story under one document, up to and including everything of one instant."""

    __slots__ = ("_dates", "_known", "_taken", "_teller")

    def __init__(self, known: Known, teller: Teller, taken: int = 0) -> None:
        """`taken`: how many events are known and told."""
        self._known, self._teller, self._taken = known, teller, taken
        self._dates = bisect_right(teller.book.dates, known.birth)

    def copy(self) -> Fold:
        """The same story, to go on without this one."""
        twin = Fold(self._known.copy(), self._teller.copy(), self._taken)
        twin._dates = self._dates
        return twin

    @property
    def ticket(self) -> TicketAt:
        """The ticket after the last step."""
        return self._teller.steps[-1]

    @property
    def steps(self) -> Sequence[TicketAt]:
        """The ticket after each step so far, oldest first; at least one."""
        return self._teller.steps

    @property
    def policy(self) -> str | None:
        """The policy that holds now."""
        chosen = self._teller.choice.policy
        return chosen.name if chosen is not None else None

    @property
    def tier(self) -> str | None:
        """The tier that holds now."""
        return self._teller.choice.tier

    def clocks(self, at: datetime) -> tuple[Clock, ...]:
        """The verdict on every cycle at an instant, metric by metric, each by time."""
        return tuple([clock for track in self._teller.tracks.values() for clock in track.clocks(at)])

    def serves(self, book: Book, at: datetime) -> bool:
        """Whether it is what this document makes of the events at the instant `at`: no date in it is one that had not come by then."""
        return self._teller.book is book and (not book.dates or self._known.ticket.at <= at)

    def outlives(self, added: Sequence[TicketEvent]) -> bool:
        """Whether it stays as it is when these events (sorted, at least one) come to be known."""
        if added[0].at <= self._known.ticket.at:
            return False
        creation = self._known.creation
        return (creation is not None and creation < self._taken) or not any(map(states_creation, added))

    def take(self, instants: Sequence[Events], at: datetime) -> None:
        """The next instants of the timeline, each after the dates before it that have come by `at`."""
        learn, take = self._known.learn, self._teller.take
        if self._dates == len(self._teller.book.dates):
            for instant in instants:
                take(learn(instant))
        else:
            for instant in instants:
                self.wait(min(at, instant[0].at))
                take(learn(instant))
        self._taken += sum(map(len, instants))

    def wait(self, at: datetime) -> None:
        """Only time passes, until `at`: the dates of the document that lie before are steps."""
        dates = self._teller.book.dates
        while self._dates < len(dates) and dates[self._dates] <= at:
            self._teller.take(self._known.at(dates[self._dates]))
            self._dates += 1

    def is_behind(self, at: datetime) -> bool:
        """Whether a date of the document that has not been taken has come by `at`."""
        return self._dates < len(self._teller.book.dates) and self._teller.book.dates[self._dates] <= at

    @property
    def taken(self) -> int:
        """How many of the events it has taken."""
        return self._taken


def fold(timeline: Timeline, book: Book, at: datetime) -> Fold | None:
    """The ticket's story at the instant `at`, taken up where the timeline's folds have left it. None when nothing is known.

    The timeline carries on two: after its newest instant, and before it, since more may become known of the newest instant.
    """
    if not timeline.events:
        return None
    known = _carried(timeline, book, at)
    newest = known or Fold(Known.of(timeline), Teller(book))
    instants = list(timeline.instants(newest.taken))
    if instants:
        before = known.copy() if known is not None and len(instants) > 1 else newest
        before.take(instants[:-1], at)
        newest = before.copy()
        newest.take(instants[-1:], at)
        timeline.carry(*[made for made in (newest, before) if made.taken and made.serves(book, at)])
    if newest.is_behind(at):
        newest = newest.copy()
        newest.wait(at)
    return newest


def _carried(timeline: Timeline, book: Book, at: datetime) -> Fold | None:
    """The newest fold that the timeline carries and that serves."""
    for made in timeline.folds:
        if made.serves(book, at):
            return made
    return None
