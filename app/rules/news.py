"""What a helpdesk's API tells of a ticket that its webhooks have not told already.

Both tell the same changes in other words and by other keys: the API often in whole seconds, in snapshots, and with ids for messages of
which a webhook told none. What is known already is left out, so that asking again adds nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.rules.events import Actor, EventKind, FactValue, Message, TicketEvent
from app.rules.timeline import Timeline, states_creation

SAME_CHANGE: Final = timedelta(seconds=2)
"""A webhook may date a change this much later than the API does."""
SAME_MESSAGE: Final = timedelta(minutes=10)
"""A message without an id is the one with an id if both came from the same side within this time: some webhooks know no time but theirs."""


def news(known: Timeline, told: Iterable[TicketEvent]) -> list[TicketEvent]:
    """The events of `told` that say something new, oldest first; a message or facts that are known are taken out of them."""
    facts: dict[str, FactValue] = {}
    heard = _Heard(known)
    waiting = iter(known.events)
    upcoming = next(waiting, None)
    found: list[TicketEvent] = []
    created = any(states_creation(event) for event in known.events)
    born = any(event.kind is EventKind.TICKET_CREATED for event in known.events)
    for event in sorted(told, key=lambda each: (each.at, each.order or 0, each.kind is not EventKind.TICKET_CREATED)):
        while upcoming is not None and upcoming.at <= event.at + SAME_CHANGE:
            facts.update(upcoming.set)
            upcoming = next(waiting, None)
        message = None if event.message is None or heard.knows(event.message, event) else event.message
        fresh = {name: fact for name, fact in event.set.items() if not _is_known(facts, name, fact, created=created)}
        if message is not None or fresh:
            facts.update(fresh)
            found.append(replace(_without_birth(event) if born else event, set=fresh, message=message))
    return found


def _without_birth(event: TicketEvent) -> TicketEvent:
    """A creation that was told already, with its actor, is no second one."""
    if event.kind is not EventKind.TICKET_CREATED:
        return event
    return replace(event, kind=EventKind.TICKET_SNAPSHOT, actor=Actor())


def _is_known(facts: dict[str, FactValue], name: str, fact: FactValue, *, created: bool) -> bool:
    """Whether a fact holds already. When a ticket was created is told once."""
    if name == "created_at":
        return created
    return name in facts and facts[name] == fact


class _Heard:
    """The messages there were: by their ids, and those without; each of these stands for one message only."""

    def __init__(self, known: Timeline) -> None:
        spoken = [(event.at, event.message) for event in known.events if event.message is not None]
        self._ids = {message.id for _, message in spoken}
        self._nameless = [(at, message) for at, message in spoken if message.id is None]

    def knows(self, message: Message, event: TicketEvent) -> bool:
        """Whether this message was told before."""
        if message.id is not None and message.id in self._ids:
            return True
        same = next((each for each in self._nameless if _is_same(*each, message, event.at)), None)
        if same is not None:
            self._nameless.remove(same)
        return same is not None


def _is_same(known_at: datetime, known: Message, message: Message, at: datetime) -> bool:
    return abs(known_at - at) <= SAME_MESSAGE and (known.author, known.public) == (message.author, message.public)
