"""The tickets this process has just judged, with all that was made of them: the next event of one of them is a step more.

Only a saving of work. A ticket's row counts its changes, so what another process has changed meanwhile is not taken for what it was.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from app.rules.timeline import Timeline
from app.store.tickets import LockedTicket

EVENTS_MAX = 20_000
"""Of all remembered tickets together: what bounds the memory."""


class Recent:
    """The tickets used last. One for each process."""

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self._most = events_max
        self._events = 0
        self._kept: OrderedDict[str, tuple[int, Timeline]] = OrderedDict()

    def remind(self, ticket: LockedTicket) -> LockedTicket:
        """The ticket with its timeline, where it is remembered as it is in the row."""
        version, timeline = self._kept.get(ticket.id, (None, None))
        return ticket if version != ticket.version else replace(ticket, remembered=timeline)

    def keep(self, tickets: Iterable[LockedTicket]) -> None:
        """Remember tickets as the transaction that has just been committed has left them."""
        for ticket in tickets:
            self._forget(ticket.id)
            self._kept[ticket.id] = (ticket.version + 1, ticket.timeline)
            self._events += len(ticket.timeline.events)
        while self._events > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, ticket_id: str) -> None:
        kept = self._kept.pop(ticket_id, None)
        if kept is not None:
            self._events -= len(kept[1].events)
