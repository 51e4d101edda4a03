"""What both rules of a proposal need to know of the samples."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from app.helpdesks._json import plain
from app.helpdesks._learn import guesses
from app.helpdesks._learn.samples import MESSAGES, TICKETS, Place, Samples, best, expression, tokens

SAID: Final = MESSAGES | {"replied", "commented", "answered", "responded"}
"""Words in the name of an event that is about a message."""


@dataclass(frozen=True)
class Found:
    """The samples, and the places that were found in them."""

    samples: Samples
    ticket: Place
    event: Place | None
    happened: Place | None

    @cached_property
    def event_words(self) -> tuple[str, ...]:
        """The words for what happened, each once."""
        return event_words(self.event)

    @cached_property
    def top(self) -> tuple[Place, ...]:
        """The places that belong to a message which is the body itself; none when it is not."""
        near = tuple(place for place in self.samples.places if len(place.path) <= 2 and not place.above & TICKETS)
        is_message = any(set(tokens(word)) & SAID for word in self.event_words) or best(near, guesses.visible)[0] is not None
        return near if is_message and best(near, guesses.body)[0] is not None else ()

    @cached_property
    def created(self) -> Place | None:
        """When the ticket was created: beside the ticket's id or within the ticket. Beside a message it is the message's own."""
        above = self.ticket.path[:-1]
        near = [
            place for place in self.samples.places if place.above & TICKETS or (place.path[:-1] == above and not (self.top and not above))
        ]
        return best(near, guesses.created)[0]

    def by_event(self, meanings: dict[str, Any], default: Any) -> dict[str, Any]:
        """A value that the word for what happened tells."""
        assert self.event is not None
        return {"from": expression(self.event.path), "map": meanings, "default": default}


def look_around(samples: Samples) -> Found | None:
    """None when no place could be the ticket's id."""
    event, _ = best(samples.places, guesses.event)
    ticket, _ = best((p for p in samples.places if p != event and not (p.path == ("id",) and is_of_messages(event))), guesses.ticket)
    if ticket is None:
        return None
    happened, _ = best(samples.places, guesses.happened)
    return Found(samples, ticket, event, happened)


def event_words(event: Place | None) -> tuple[str, ...]:
    """The words the samples have for what happened, each once; none without such a place."""
    return tuple(dict.fromkeys(plain(value) for value in event.told)) if event is not None else ()


def is_of_messages(event: Place | None) -> bool:
    """Whether everything that happens in the samples is about a message: then an id at the top is the message's."""
    return event is not None and all(set(tokens(word)) & MESSAGES for word in event_words(event))
