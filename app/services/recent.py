"""The tickets this process has just judged, with all that was made of them: the next event of one of them is a step more.

Only a saving of work. A ticket's row counts its changes, so what another process has changed meanwhile is not taken for what it was.
"""

from collections import OrderedDict
from collections.abc import Iterable

from app.store.tickets import Knowledge, LockedTicket

WEIGHT_MAX = 30_000
"""Of all remembered tickets together, events and clocks counted: what bounds the memory."""


class Recent:
    """The tickets used last. One for each process."""

    def __init__(self, weight_max: int = WEIGHT_MAX) -> None:
        self._most = weight_max
        self._weight = 0
        self._kept: OrderedDict[str, Knowledge] = OrderedDict()

    def remind(self, ticket: LockedTicket) -> LockedTicket:
        """The ticket itself, with what is remembered of it, where that is how it is in the row."""
        known = self._kept.get(ticket.id)
        if known is not None and known.version == ticket.version:
            ticket.known = known
        return ticket

    def keep(self, known: Iterable[Knowledge]) -> None:
        """Remember tickets as the transaction that has just been committed has left them."""
        for each in known:
            self._forget(each.id)
            self._kept[each.id] = each
            self._weight += _weight(each)
        while self._weight > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, ticket_id: str) -> None:
        kept = self._kept.pop(ticket_id, None)
        if kept is not None:
            self._weight -= _weight(kept)


def _weight(known: Knowledge) -> int:
    return len(known.timeline.events) + len(known.clocks)
