"""Words of helpdesks and what they mean to us: lookups that do not mind case, and sentences for words nobody knows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from app.rules.events import Priority, Status

DELETED: Final = "deleted"
"""Not a status: a word that maps to it says that the ticket is gone (the fact `deleted`)."""

_SHOWN_MAX = 60  # characters of a payload's word that a sentence repeats

_NOT_A_STATUS: Final = {
    "hold": "on_hold", "waiting": "pending", "snoozed": "pending",
    "assigned": "open", "in_progress": "open", "active": "open",
    "resolved": "solved", "done": "solved", "fixed": "solved", "complete": "solved", "completed": "solved", "finished": "solved",
    "cancelled": "closed", "canceled": "closed", "archived": "closed", "merged": "closed",
    "spam": "deleted", "trash": "deleted", "removed": "deleted",
}  # fmt: skip


@lru_cache(maxsize=2048)
def fold(word: str) -> str:
    """How words are compared: case does not matter, and blanks, hyphens and underscores are one thing."""
    return re.sub(r"[\s_-]+", " ", word).strip().casefold() or word.strip().casefold()


def shown(word: str) -> str:
    """A word of a payload as a sentence may repeat it: quoted, cut."""
    return repr(word if len(word) <= _SHOWN_MAX else word[:_SHOWN_MAX] + "…")


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.5) -> str | None:
    """The known word most like this one; None when none is."""
    by_fold = {fold(k): k for k in known}
    found = get_close_matches(fold(word), by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None


def unknown_word(word: str, map_name: str, known: Iterable[str]) -> str:
    """The sentence that names a word, the map that lacks it and the nearest word the map knows."""
    close = nearest(word, known, cutoff=0.0)
    hint = f"; the nearest known word is {shown(close)}" if close else ""
    return f"the word {shown(word)} is not in {map_name}{hint}"


@dataclass(frozen=True, slots=True)
class Words:
    """One map of words. `name` is what the user calls it (`status_map`); keys of `table` are folded."""

    name: str
    table: Mapping[str, str]

    @classmethod
    def build(cls, name: str, *layers: Mapping[str, str]) -> "Words":
        """Later layers win: canonical words, the helpdesk's own, the source's overrides."""
        return cls(name, {fold(word): meaning for layer in layers for word, meaning in layer.items()})

    def get(self, word: str) -> str | None:
        """What the word means; None when the map does not know it."""
        return self.table.get(fold(word))

    def unknown(self, word: str) -> str:
        return unknown_word(word, f"`{self.name}`", self.table)


STATUS_WORDS: Final = {status.value: status.value for status in Status}
PRIORITY_WORDS: Final = {priority.value: priority.value for priority in Priority}


def status_word(value: str) -> str:
    """A status as the document may name it: canonical, `deleted`, or a word of the helpdesk's own.

    ValueError for a word that looks like a canonical one but is not: it would silently neither solve nor pause.
    """
    snake = fold(value).replace(" ", "_")
    if snake in STATUS_WORDS or snake == DELETED:
        return snake
    meant = _NOT_A_STATUS.get(snake) or nearest(snake, [*STATUS_WORDS, DELETED], cutoff=0.8)
    if meant or not snake:
        raise ValueError(f"{shown(value)} is no status of ours; did you mean '{(meant or 'open').replace(' ', '_')}'?")
    return value.strip()


def priority_word(value: str) -> str:
    """A priority as the document may name it. ValueError unless it is low, normal, high or urgent."""
    if (word := fold(value)) in PRIORITY_WORDS:
        return word
    close = {"critical": "urgent", "highest": "urgent", "medium": "normal", "major": "high", "minor": "low"}.get(word)
    close = close or nearest(word, PRIORITY_WORDS)
    raise ValueError(f"{shown(value)} is no priority of ours" + (f"; did you mean '{close}'?" if close else " (low, normal, high, urgent)"))
