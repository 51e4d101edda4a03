"""ServiceNow's states and priorities: numbers whose meaning depends on the table, and the labels of its forms."""

from collections.abc import Mapping
from typing import Final

from app.helpdesks import SourceConfig
from app.helpdesks._words import STATUS_WORDS, Words, fold

LABELS: Final[Mapping[str, str]] = {
    "in progress": "open", "work in progress": "open", "assigned": "open", "active": "open", "on hold": "on_hold",
    "on hold/awaiting caller": "pending", "awaiting caller": "pending", "awaiting user info": "pending", "awaiting info": "pending",
    "awaiting problem": "on_hold", "awaiting evidence": "on_hold", "awaiting vendor": "on_hold", "awaiting change": "on_hold",
    "resolved": "solved", "closed": "closed", "closed complete": "closed", "closed incomplete": "closed", "closed skipped": "closed",
    "canceled": "closed", "cancelled": "closed",
}  # fmt: skip

_INCIDENT: Final = {
    "1": "new", "2": "open", "3": "on_hold", "3/1": "pending", "4": "pending", "5": "on_hold", "6": "solved", "7": "closed", "8": "closed",
}  # fmt: skip
_CASE: Final = {"1": "new", "10": "open", "18": "pending", "6": "solved", "3": "closed", "7": "closed"}
_TASK: Final = {"-5": "on_hold", "1": "open", "2": "open", "3": "closed", "4": "closed", "7": "closed"}
_TABLES: Final[Mapping[str, Mapping[str, str]]] = {"incident": _INCIDENT, "sn_customerservice_case": _CASE}
_PREFIXES: Final = (
    ("INC", "incident"),
    ("CS", "sn_customerservice_case"),
    ("RITM", "sc_req_item"),
    ("SCTASK", "sc_task"),
    ("REQ", "sc_request"),
)

PRIORITIES: Final[Mapping[str, str]] = {
    "1": "urgent", "2": "high", "3": "normal", "4": "low", "5": "low",
    "1 - critical": "urgent", "2 - high": "high", "3 - moderate": "normal", "4 - low": "low", "5 - planning": "low",
    "critical": "urgent", "moderate": "normal", "planning": "low",
}  # fmt: skip


def table_of(told: str | None, number: str | None) -> str | None:
    """The table a record is of: as told, else by the prefix of its number; None when neither says."""
    return told or next((table for prefix, table in _PREFIXES if number and number.upper().startswith(prefix)), None)


def status_words(table: str | None, config: SourceConfig) -> Words:
    """The words for states of a table (None: incident); a table that is not known here has those of ServiceNow's base table `task`."""
    return Words.build("status_map", STATUS_WORDS, LABELS, _TABLES.get(table or "incident", _TASK), config.status_map)


def best_word(told: list[str], words: Words, config: SourceConfig) -> str | None:
    """Of several words for one state (with hold reason, without; number, label) the first that `status_map` names, else the first that is
    known, else the last; None without any.
    """
    named = {fold(word) for word in config.status_map}
    known = [word for word in told if words.get(word) is not None] or told[-1:]
    return next((word for word in told if fold(word) in named), known[0] if known else None)
