"""Saying it: who hears an event, and the rows of the outbox that carry it to them."""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from app.ids import MESSAGE, new_id
from app.services.bodies import BODY_MAX, body, escalation_body, signal_body
from app.services.configuration import Current
from app.services.context import Backdrop
from app.services.sayings import Raising, Saying, Telling
from app.store import outbox

__all__ = ["BODY_MAX", "Saying", "Telling", "audience", "effect", "notice", "subscribers"]

Rows = tuple[dict[str, Any], list[dict[str, Any]]]


def subscribers(type_: str, current: Current) -> list[str]:
    """The channels that hear events of this type by themselves."""
    return [name for name, channel in current.loaded.channels.items() if any(fnmatchcase(type_, pattern) for pattern in channel.events)]


def audience(saying: Saying | Telling | Raising, current: Current) -> list[str]:
    """The channels that hear it: those that subscribe to its type and those that a ladder names for that moment."""
    named = [name for name in saying.channels if name in current.loaded.channels]
    return list(dict.fromkeys([*subscribers(saying.type, current), *named]))


def notice(
    saying: Saying | Telling | Raising,
    current: Current,
    channels: Iterable[str],
    at: datetime,
    backdrop: Backdrop,
    link_key: bytes | None = None,
) -> Rows:
    """The row of the notice and one row per delivery. `link_key` signs the link to acknowledge; None: there is none."""
    notice_id = saying.notice_id or new_id(MESSAGE)
    if isinstance(saying, Saying):
        raw = body(saying, current, at, notice_id=notice_id, link_key=link_key, backdrop=backdrop)
        clock_id, breach_id, escalation_id = saying.clock_id, saying.breach_id, saying.escalation_id
        expires_at, named = saying.expires_at, frozenset(saying.channels)
    elif isinstance(saying, Raising):
        raw = signal_body(saying, current, at, notice_id=notice_id, backdrop=backdrop)
        clock_id, breach_id, escalation_id, expires_at, named = None, None, None, None, None
    else:
        raw = escalation_body(saying, current, at, notice_id=notice_id, link_key=link_key, backdrop=backdrop)
        clock_id, breach_id, escalation_id = saying.row["clock_id"], saying.row["breach_id"], saying.row["id"]
        expires_at, named = None, None
    shared = {"ticket_id": saying.ticket.id, "clock_id": clock_id, "breach_id": breach_id}
    row = {
        "id": notice_id,
        "type": saying.type,
        "milestone": saying.milestone,
        "body": raw,
        "expires_at": expires_at,
        "escalation_id": escalation_id,
        "created_at": at,
        **shared,
    }
    return row, [
        outbox.fresh(
            notice_id, saying.type, channel, effect(saying, channel), at, expires_at=expires_at,
            escalation_id=escalation_id if named is None or channel in named else None,
            immediate=saying.immediate and channel in saying.channels, **shared,
        )
        for channel in channels
    ]  # fmt: skip


def effect(saying: Saying | Telling | Raising, channel: str) -> str:
    """What makes saying it twice the same saying."""
    if isinstance(saying, Saying):
        return f"{saying.clock_id}:{saying.milestone}:{channel}:{saying.generation}"
    return f"{saying.row['id']}:{saying.milestone}:{channel}"
