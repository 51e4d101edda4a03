"""What every adapter needs when it turns a payload into events."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from app.helpdesks import _json
from app.helpdesks._json import Node
from app.helpdesks._words import DELETED, Words
from app.rules.events import ActorKind, EventKind, FactValue, Message

_WINDOW_SECONDS: Final = 600
"""Deliveries without id and without a time of their own are taken for one delivery told twice within such a window."""

ONE_ACTION: Final = timedelta(seconds=2)
"""How far a message and the ticket it was written on may lie apart and still be one action: both are saved in one request."""

LASTING: Final = frozenset({"created_at", "subject", "number", "channel", "requester", "organization", "repository", "url"})
"""Facts that a ticket has from its creation on."""

SOMEWHERE: Final = "unknown"
"""The surviving ticket of a merge when the helpdesk does not name it: the merged one goes quiet all the same."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; expected a name such as 'Europe/Berlin'") from None
    return name


ZoneName = Annotated[str, AfterValidator(_zone)]
"""The IANA name of a time zone."""


def digest(*parts: str | bytes) -> str:
    """A stable key of these parts: 32 hex digits of SHA-256, parts kept apart."""
    state = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "big") + raw)
    return state.hexdigest()[:32]


def window(received_at: datetime) -> str:
    """The stretch of ten minutes a delivery came in: a retry is the same delivery, the same words an hour later are not."""
    return str(int(received_at.astimezone(UTC).timestamp()) // _WINDOW_SECONDS)


def message_kind(message: Message) -> EventKind:
    """A public message of an unknown author is shown as an agent's; the engine reads the author, not this name."""
    if not message.public:
        return EventKind.MESSAGE_PRIVATE_NOTE
    if message.author is ActorKind.CUSTOMER:
        return EventKind.MESSAGE_CUSTOMER
    if message.author in (ActorKind.BOT, ActorKind.SYSTEM):
        return EventKind.MESSAGE_BOT
    return EventKind.MESSAGE_AGENT_PUBLIC


def status_facts(word: str, words: Words, remarks: list[str]) -> dict[str, FactValue]:
    """The facts a status word asserts: `status`, or `deleted`.

    A word nobody knows is kept as it is and remarked: such a status neither solves nor pauses, so the clocks run and somebody looks.
    """
    meaning = words.get(word)
    if meaning == DELETED:
        return {"deleted": True}
    if meaning is None:
        remarks.append(f"{words.unknown(word)}; it is kept as it is")
    return {"status": meaning or word}


def status_and_presence(word: str, words: Words, remarks: list[str]) -> dict[str, FactValue]:
    """As `status_facts`, for helpdesks that tell deletion by a status: where the map knows `deleted`, every other word says that the ticket
    is there (again).
    """
    facts = status_facts(word, words, remarks)
    return facts if "deleted" in facts or DELETED not in words.table.values() else {**facts, "deleted": False}


def priority_facts(word: str, words: Words, remarks: list[str]) -> dict[str, FactValue]:
    """As `status_facts`: an unknown priority is kept, so the policy's default target applies."""
    meaning = words.get(word)
    if meaning is None:
        remarks.append(f"{words.unknown(word)}; it is kept as it is")
    return {"priority": meaning or word}


def as_of(said_at: datetime | None, updated_at: datetime | None, facts: dict[str, FactValue]) -> dict[str, FactValue]:
    """What a snapshot that comes with a message says of the ticket when the message was written: everything, if the ticket was not changed
    more than ONE_ACTION later (times that are not told count as the same); else only what a ticket keeps, since the later change is told
    by its own webhook.
    """
    if said_at is None or updated_at is None or updated_at - said_at <= ONE_ACTION:
        return facts
    return {name: fact for name, fact in facts.items() if name in LASTING}


def remark(remarks: Iterable[str]) -> str | None:
    """The remarks as one text, each once; None without any."""
    return "; ".join(dict.fromkeys(remarks)) or None


def each(place: Node) -> list[Node]:
    """The elements of a list, at most WORDS_MAX of them; none when it is blank. Unreadable when it is no list."""
    if place.is_blank:
        return []
    if not isinstance(place.value, list):
        place.refuse("is not a list")
    return [Node(value, f"{place.pointer}/{i}") for i, value in enumerate(place.value[: _json.WORDS_MAX])]


def names(place: Node, *keys: str) -> tuple[str, ...]:
    """What the elements of a list are called: each is a word, or an object with its name under the first of `keys` that is told."""
    return tuple(word for item in each(place) if (word := name_of(item, *keys)) is not None)


def name_of(place: Node, *keys: str) -> str | None:
    """What a related record is called: it may be an object, its name alone, or nothing."""
    if not isinstance(place.value, dict):
        return place.word()
    return next((word for key in keys if (word := place.at(key).word()) is not None), None)


def field_facts(place: Node) -> dict[str, FactValue]:
    """Custom fields as the facts `field_<name>`, at most 100; whatever is no scalar, or has a name no fact can have, is left out."""
    if not isinstance(place.value, dict):
        return {}
    told = [(f"field_{name}", value) for name, value in place.value.items() if _FIELD.fullmatch(name)][:100]
    return {fact: _json.plain(value)[: _json.TEXT_MAX] for fact, value in told if isinstance(value, str | bool | int | float)}


_FIELD: Final = re.compile(r"[A-Za-z0-9_.-]{1,58}")
