"""What is wanted for one ticket, and how that lies in the outbox: the body of a notice of the type `ticket.write_back`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import orjson

from app.schemas.events_out import rfc3339

TYPE: Final = "ticket.write_back"
PREFIX: Final = "source:"
"""Before a source's name: what its write-backs are called among the channels of deliveries."""

Action = Literal["tags", "priority", "note", "group", "assignee"]
ACTIONS: Final[tuple[Action, ...]] = ("tags", "priority", "note", "group", "assignee")

_TEXTS: Final = ("ticket", "marker", "priority", "note", "group", "assignee", "known_priority")


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted for one ticket. None, or no tag: that part is left alone."""

    ticket: str
    """The helpdesk's own name of it."""
    at: datetime
    """When it was ordered (UTC)."""
    marker: str
    """What our note on this clock contains, and no other text: so that it is found again."""
    tags: tuple[str, ...] = ()
    priority: str | None = None
    """Canonical."""
    note: str | None = None
    """Plain text, the marker in it."""
    group: str | None = None
    assignee: str | None = None
    known_priority: str | None = None
    """The ticket's priority as we know it, for helpdesks that cannot be asked."""
    was_solved: bool = False
    """Whether the ticket was solved already when this was ordered: then that it is solved is no reason to leave it alone."""
    is_repeat: bool = False
    """An earlier attempt may have been taken although we have no answer: look before writing what must not stand there twice."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is wanted, by name."""
        return tuple(name for name in ACTIONS if getattr(self, name))


def dump(order: Order) -> bytes:
    """The order as JSON; no secret is in it."""
    data = {name: value for name in _TEXTS if (value := getattr(order, name)) is not None}
    data |= {"tags": list(order.tags)} if order.tags else {}
    data |= {"was_solved": True} if order.was_solved else {}
    return orjson.dumps({"type": TYPE, "timestamp": rfc3339(order.at), "data": data})


def load_order(event: Mapping[str, Any], *, is_repeat: bool) -> Order:
    """The order of a parsed body."""
    data = event["data"]
    return Order(
        at=datetime.fromisoformat(event["timestamp"]),
        tags=tuple(data.get("tags", ())),
        was_solved=bool(data.get("was_solved")),
        is_repeat=is_repeat,
        **{name: data.get(name) for name in _TEXTS},
    )
