"""Whether two documents promise the same: then no ticket has to be judged anew when one takes the place of the other."""

from collections.abc import Mapping
from typing import Any, Final

from app.config.document import parse

_ELSEWHERE: Final = frozenset({"channels", "delivery", "guidance", "retention", "sources"})
"""Sections that decide what is read, sent, said and kept, but neither when a clock is due nor when a rung or a signal comes."""


def promise_the_same(former: str, text: str) -> bool:
    """Whether these two documents, which have no errors, come to the same verdicts. False where that cannot be told from their texts: when
    a calendar has holidays in a file, which may have changed meanwhile."""
    promises = _promises(text)
    return promises is not None and promises == _promises(former)


def _promises(text: str) -> Mapping[str, Any] | None:
    tree, _ = parse(text)
    if tree is None:
        return None
    data = {name: value for name, value in tree.data.items() if name not in _ELSEWHERE}
    return None if any(_reads_a_file(calendar) for calendar in (data.get("calendars") or {}).values()) else data


def _reads_a_file(calendar: Any) -> bool:
    holidays = calendar.get("holidays") if isinstance(calendar, Mapping) else None
    return any(isinstance(entry, Mapping) and "ical" in entry for entry in holidays or ())
