"""Events as people see them in a preview."""

from datetime import datetime
from typing import Any

from app.rules.events import FactValue, TicketEvent
from app.schemas.events_out import rfc3339


def event_as_json(event: TicketEvent) -> dict[str, Any]:
    """`{kind, ticket, key, at, actor: {kind, id}, set: {...}, message: {author, public, id} | None}`; instants are RFC 3339 UTC with
    `Z` and milliseconds, tuples are lists.
    """
    message = event.message
    return {
        "kind": str(event.kind),
        "ticket": event.ticket,
        "key": event.key,
        "at": rfc3339(event.at),
        "actor": {"kind": str(event.actor.kind), "id": event.actor.id},
        "set": {name: _plain(value) for name, value in event.set.items()},
        "message": None if message is None else {"author": str(message.author), "public": message.public, "id": message.id},
    }


def _plain(value: FactValue) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
