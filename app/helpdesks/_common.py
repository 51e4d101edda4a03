"""What every adapter needs when it turns a payload into events."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from app.helpdesks._words import DELETED, Words
from app.rules.events import ActorKind, EventKind, FactValue, Message

_WINDOW_SECONDS: Final = 600
"""Deliveries without id and without a time of their own are taken for one delivery told twice within such a window."""

SOMEWHERE: Final = "unknown"
"""The surviving ticket of a merge when the helpdesk does not name it: the merged one goes quiet all the same."""


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


def priority_facts(word: str, words: Words, remarks: list[str]) -> dict[str, FactValue]:
    """As `status_facts`: an unknown priority is kept, so the policy's default target applies."""
    meaning = words.get(word)
    if meaning is None:
        remarks.append(f"{words.unknown(word)}; it is kept as it is")
    return {"priority": meaning or word}


def remark(remarks: Iterable[str]) -> str | None:
    """The remarks as one text, each once; None without any."""
    return "; ".join(dict.fromkeys(remarks)) or None
