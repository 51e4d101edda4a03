"""The timeline of a ticket: its events in the order of their own time, whatever the order on the wire.

Sorted by `(at, order, key)`; events without an `order` come first among those of one instant, and the creation of the ticket before those
of the same order. Events that share instant and order are applied together: first all of them, then conditions are judged once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from app.rules.events import EventKind, TicketEvent


def _place(event: TicketEvent) -> tuple[datetime, bool, int, bool, str]:
    return (event.at, event.order is not None, event.order or 0, event.kind is not EventKind.TICKET_CREATED, event.key)


def _moment(event: TicketEvent) -> tuple[datetime, int | None, bool]:
    return (event.at, event.order, event.kind is EventKind.TICKET_CREATED)


@dataclass(frozen=True, slots=True)
class Timeline:
    """All events of one ticket known so far: sorted, each key once. Two timelines of the same events are equal."""

    events: tuple[TicketEvent, ...] = ()

    def extend(self, events: Iterable[TicketEvent]) -> Timeline:
        """With these events added; a key that is known already changes nothing."""
        known = {event.key for event in self.events}
        fresh: dict[str, TicketEvent] = {}
        for event in events:
            if event.key not in known:
                fresh.setdefault(event.key, event)
        if not fresh:
            return self
        added = sorted(fresh.values(), key=_place)
        if not self.events or _place(self.events[-1]) < _place(added[0]):  # as good as always: what is new came last
            return Timeline((*self.events, *added))
        return Timeline(tuple(sorted((*self.events, *added), key=_place)))

    def until(self, at: datetime) -> Timeline:
        """As much of it as had happened at the instant `at`, that instant included."""
        return Timeline(tuple(event for event in self.events if event.at <= at))

    def moments(self) -> Iterator[tuple[TicketEvent, ...]]:
        """The events in groups that are applied together, oldest first."""
        for _, group in groupby(self.events, key=_moment):
            yield tuple(group)

    @property
    def created_at(self) -> datetime | None:
        """When the ticket was created, UTC: as first stated by an event, else the time of the first event; None without events."""
        for event in self.events:
            stated = event.set.get("created_at")
            if isinstance(stated, datetime):
                return stated
        return self.events[0].at if self.events else None
