"""The compact timeline as a ticket row carries it: a JSON list per event, without what the row says already."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.timeline import Timeline
from app.store.types import from_microseconds, to_microseconds

_NOTHING = Timeline()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {kind.value: kind for kind in EventKind}
_AUTHORS = {kind.value: kind for kind in ActorKind}


def dump(timeline: Timeline, stored: bytes = b"", base: Timeline = _NOTHING) -> bytes:
    """`[[key, at, order, kind, set, message, actor, echo], ...]`, the events oldest first, as JSON.

    `stored`: the dump of `base`, which this timeline extends. Where nothing came late, only what is new is written behind it.
    """
    known = len(base.events)
    if not known or timeline.events[known - 1] is not base.events[-1]:
        return orjson.dumps(_rows(timeline.events))
    if len(timeline.events) == known:
        return stored
    return b"%b,%b" % (stored[:-1], orjson.dumps(_rows(timeline.events[known:]))[1:])


def load(stored: bytes, source: str, ticket: str) -> Timeline:
    """The timeline of `dump`."""
    return Timeline(tuple([_event(source, ticket, *row) for row in orjson.loads(stored)]))


def _rows(events: Iterable[TicketEvent]) -> list[list[Any]]:
    return [[event.key, to_microseconds(event.at), event.order, event.kind.value, *body(event).values()] for event in events]


def body(event: TicketEvent) -> dict[str, Any]:
    """The JSON of what an event says: set, message, actor, echo."""
    message = event.message
    return {
        "set": {name: _plain(value) for name, value in event.set.items()},
        "message": None if message is None else [message.author.value, message.public, message.id],
        "actor": [event.actor.kind.value, event.actor.id],
        "echo": event.echo,
    }


def from_body(*, source: str, ticket: str, key: str, at: datetime, order: int | None, kind: str, body: dict[str, Any]) -> TicketEvent:
    """The event of a row of the events table."""
    return _event(source, ticket, key, to_microseconds(at), order, kind, body["set"], body["message"], body["actor"], body["echo"])


def _event(
    source: str, ticket: str, key: str, at: int, order: int | None, kind: str, facts: dict[str, Any], message: list[Any] | None,
    actor: list[Any], echo: bool,
) -> TicketEvent:  # fmt: skip
    return TicketEvent(
        source=source,
        ticket=ticket,
        key=key,
        at=_EPOCH + timedelta(microseconds=at),
        order=order,
        kind=_KINDS[kind],
        set={name: _rich(value) if isinstance(value, (dict, list)) else value for name, value in facts.items()} if facts else {},
        message=None if message is None else Message(_AUTHORS[message[0]], message[1], message[2]),
        actor=_actor(*actor),
        echo=echo,
    )


@lru_cache(maxsize=4096)
def _actor(kind: str, name: str | None) -> Actor:
    """The same few people act again and again."""
    return Actor(_AUTHORS[kind], name)


def _plain(value: FactValue) -> Any:
    if isinstance(value, datetime):
        return {"at": to_microseconds(value)}
    return list(value) if isinstance(value, tuple) else value


def _rich(value: Any) -> FactValue:
    if isinstance(value, dict):
        return from_microseconds(value["at"])
    return tuple(value) if isinstance(value, list) else value
