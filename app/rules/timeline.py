"""The timeline of a ticket: its events in the order of their own time, whatever the order on the wire.

Sorted by `(at, order, key)`; events without an `order` come first among those of one instant, and the creation of the ticket before those
of the same order. Events that share instant and order are applied together: first all of them, then conditions are judged once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final, cast

from app.rules.events import EventKind, TicketEvent

if TYPE_CHECKING:
    from app.rules.fold import Fold

Events = tuple[TicketEvent, ...]


_CREATED: Final = EventKind.TICKET_CREATED


def _place(event: TicketEvent) -> tuple[datetime, bool, int, bool, str]:
    return (event.at, event.order is not None, event.order or 0, event.kind is not _CREATED, event.key)


def _moment(event: TicketEvent) -> tuple[datetime, int | None, bool]:
    return (event.at, event.order, event.kind is _CREATED)


@dataclass(frozen=True)
class Timeline:
    """All events of one ticket known so far: sorted, each key once. Two timelines of the same events are equal."""

    events: Events = ()
    keys: frozenset[str] | None = field(default=None, compare=False, repr=False)
    """The keys of all events; None: not looked at yet."""
    folds: tuple[Fold, ...] = field(default=(), compare=False, repr=False)
    """What `app.rules.fold` has made of it, newest first. Only a saving of work: with and without, it is the same timeline."""

    def extend(self, events: Iterable[TicketEvent]) -> Timeline:
        """With these events added; a key that is known already changes nothing."""
        known = self.keys
        if known is None:
            known = frozenset([event.key for event in self.events])
        fresh: dict[str, TicketEvent] = {}
        for event in events:
            if event.key not in known:
                fresh.setdefault(event.key, event)
        if not fresh:
            return self
        added = sorted(fresh.values(), key=_place)
        every = (*self.events, *added)
        if self.events and _place(self.events[-1]) > _place(added[0]):  # hardly ever: what is new came last
            every = tuple(sorted(every, key=_place))
        return Timeline(every, known.union(fresh), tuple(fold for fold in self.folds if fold.outlives(added)))

    def carry(self, *folds: Fold) -> None:
        """Keep what was made of it, for itself and for the timelines that extend it."""
        object.__setattr__(self, "folds", folds)

    def until(self, at: datetime) -> Timeline:
        """As much of it as had happened at the instant `at`, that instant included."""
        return Timeline(tuple(event for event in self.events if event.at <= at))

    def moments(self) -> Iterator[Events]:
        """The events in groups that are applied together, oldest first."""
        return moments(self.events)

    def instants(self, taken: int = 0) -> list[Events]:
        """The events after the first `taken` ones in groups that are one step, oldest first: all of one instant.

        Only the very first moment, which is the creation, is a step of its own: what else is done in that instant is done to a ticket
        that was open.
        """
        found: list[Events] = []
        if taken == 0 and self.events:
            taken = _first_moment(self.events)
            found.append(self.events[:taken])
        at = None
        for event in self.events[taken:]:
            if event.at != at:
                found.append((event,))
                at = event.at
            else:
                found[-1] += (event,)
        return found

    @property
    def creation(self) -> int | None:
        """Where the event stands that first states when the ticket was created; None: none does."""
        for place, event in enumerate(self.events):
            if "created_at" in event.set and states_creation(event):
                return place
        return None

    @property
    def created_at(self) -> datetime | None:
        """When the ticket was created, UTC: as first stated by an event, else the time of the first event; None without events."""
        place = self.creation
        if place is not None:
            return cast(datetime, self.events[place].set["created_at"])
        return self.events[0].at if self.events else None


def states_creation(event: TicketEvent) -> bool:
    """Whether an event says when its ticket was created."""
    return "created_at" in event.set and isinstance(event.set["created_at"], datetime)


def _first_moment(events: Events) -> int:
    """How many events are applied together with the first."""
    first, count = _moment(events[0]), 1
    while count < len(events) and _moment(events[count]) == first:
        count += 1
    return count


def moments(events: Sequence[TicketEvent]) -> Iterator[Events]:
    """Sorted events in groups that are applied together."""
    if len(events) == 1:
        yield tuple(events)
        return
    for _, group in groupby(events, key=_moment):
        yield tuple(group)
