"""What words of a sample probably mean: statuses, priorities, roles, and who can see a message."""

import re
from collections.abc import Iterable
from typing import Any, Final

from app.helpdesks._json import plain
from app.helpdesks._words import PRIORITY_WORDS, STATUS_WORDS, fold

_STATUSES: Final = {
    "created": "new", "unassigned": "new", "submitted": "new", "received": "new", "unread": "new", "untriaged": "new", "triage": "new",
    "to do": "new", "todo": "new", "backlog": "new",
    "opened": "open", "reopened": "open", "assigned": "open", "in progress": "open", "active": "open", "working": "open", "started": "open",
    "work in progress": "open", "escalated": "open", "accepted": "open", "processing": "open",
    "waiting": "pending", "waiting for customer": "pending", "waiting on customer": "pending", "waiting on client": "pending",
    "awaiting customer": "pending", "awaiting reply": "pending", "awaiting response": "pending", "answered": "pending",
    "snoozed": "pending",
    "pending customer": "pending", "customer reply needed": "pending", "replied": "pending",
    "hold": "on_hold",
    "stalled": "on_hold", "blocked": "on_hold", "postponed": "on_hold", "paused": "on_hold",
    "waiting for vendor": "on_hold",
    "waiting for third party": "on_hold", "waiting on third party": "on_hold", "suspended": "on_hold",
    "resolved": "solved", "done": "solved", "fixed": "solved", "complete": "solved", "completed": "solved", "finished": "solved",
    "archived": "closed", "cancelled": "closed", "canceled": "closed", "rejected": "closed", "merged": "closed", "declined": "closed",
    "deleted": "deleted", "spam": "deleted", "trash": "deleted", "trashed": "deleted", "removed": "deleted",
}  # fmt: skip

_PRIORITIES: Final = {
    "sev0": "urgent", "sev1": "urgent", "sev2": "high", "sev3": "normal", "sev4": "low",
    "p0": "urgent", "p1": "urgent", "critical": "urgent", "highest": "urgent", "blocker": "urgent", "emergency": "urgent",
    "immediate": "urgent",
    "p2": "high", "major": "high", "important": "high", "p3": "normal", "medium": "normal", "moderate": "normal", "standard": "normal",
    "default": "normal", "none": "normal", "p4": "low", "p5": "low", "lowest": "low", "minor": "low", "trivial": "low", "planning": "low",
}  # fmt: skip

ROLES: Final = {
    "staff": "agent", "admin": "agent", "administrator": "agent", "operator": "agent", "employee": "agent", "support": "agent",
    "technician": "agent", "teammate": "agent", "member": "agent", "outbound": "agent", "outgoing": "agent", "out": "agent",
    "user": "customer", "end user": "customer", "enduser": "customer", "contact": "customer", "client": "customer", "requester": "customer",
    "visitor": "customer", "lead": "customer", "reporter": "customer", "inbound": "customer", "incoming": "customer", "in": "customer",
    "robot": "bot", "automation": "bot", "auto": "bot", "ai": "bot", "trigger": "system", "rule": "system", "api": "system",
    "integration": "system", "workflow": "system",
}  # fmt: skip
_ROLE_WORDS: Final = {"customer": "customer", "agent": "agent", "bot": "bot", "system": "system", "unknown": "unknown"}

_VISIBILITIES: Final = {
    "public": True, "external": True, "everyone": True, "customer": True, "all": True, "reply": True, "message": True, "comment": True,
    "email": True, "answer": True, "correspond": True, "response": True, "inbound": True, "outbound": True, "incoming": True,
    "outgoing": True, "visible": True,
    "private": False, "internal": False, "note": False, "agents": False, "staff": False, "team": False, "hidden": False,
    "internal note": False, "private note": False, "work note": False, "work notes": False,
}  # fmt: skip

Meanings = tuple[dict[str, Any], list[str]]
"""A map for the words that need one, and the words nobody could guess."""


def statuses(values: Iterable[Any]) -> Meanings:
    """Words that are not ours, with their probable meaning; what cannot be guessed is taken for open."""
    return _meanings(values, STATUS_WORDS, _STATUSES, "open")


def priorities(values: Iterable[Any]) -> Meanings:
    """As `statuses`; what cannot be guessed is taken for normal."""
    return _meanings(values, PRIORITY_WORDS, _PRIORITIES, "normal")


def roles(values: Iterable[Any]) -> Meanings:
    """As `statuses`; what cannot be guessed is unknown. True and false are not words here: only their name tells what they mean."""
    return _meanings((v for v in values if not isinstance(v, bool)), _ROLE_WORDS, ROLES, "unknown")


def visibilities(values: Iterable[Any]) -> Meanings:
    """Words that say who can see a message; what cannot be guessed is taken for private."""
    return _meanings(values, {}, _VISIBILITIES, False)


def knows_visibility(value: Any) -> bool:
    """Whether a word says who can see a message."""
    return fold(plain(value)) in _VISIBILITIES


def knows_role(value: Any) -> bool:
    """Whether a word says on which side somebody is."""
    return fold(plain(value)) in {**ROLES, **_ROLE_WORDS}


def _meanings(values: Iterable[Any], ours: Iterable[str], known: dict[str, Any], otherwise: Any) -> Meanings:
    own = {fold(word): word for word in ours}
    meant = {**known, **own}
    found: dict[str, Any] = {}
    unsure: list[str] = []
    for value in values:
        word = plain(value)
        if fold(word) in own or word in found:
            continue
        core = re.sub(r"^\d+\W+", "", fold(word))  # `2 normal`, `1 - Critical`
        if core not in meant:
            unsure.append(word)
        found[word] = meant.get(core, otherwise)
    return found, unsure
