"""Silences: when nobody is to be told of tickets that match, and what that means for ladders, which stand still meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.rules.calendar import Calendar
from app.rules.conditions import Condition, holds
from app.rules.events import Facts

Stretch = tuple[datetime, datetime | None]
"""`[start, end)`; None: it lasts."""


@dataclass(frozen=True)
class Silence:
    """One silence. Instants in UTC; it may hold in `[starts_at, ends_at)`."""

    id: str
    match: Condition
    starts_at: datetime
    ends_at: datetime
    channels: frozenset[str] = frozenset()
    """The only channels it is for; empty: all that people read."""
    weekly: Calendar | None = None
    """It holds while this is open; None: all the time."""
    author: str = ""
    reason: str = ""

    def holds_at(self, at: datetime) -> bool:
        """Whether it is quiet at this instant."""
        return self.starts_at <= at < self.ends_at and (self.weekly is None or self.weekly.is_open(at))

    def is_about(self, facts: Facts) -> bool:
        """Whether a ticket with these facts is one of those nobody is to hear of."""
        return holds(self.match, facts)

    def quiet_until(self, at: datetime) -> datetime | None:
        """When the window that holds `at` ends; None: it is not quiet at `at`."""
        if not self.holds_at(at):
            return None
        closes = self.weekly.next_close(at) if self.weekly is not None else None
        return self.ends_at if closes is None else min(closes, self.ends_at)

    def next_end(self, after: datetime) -> datetime | None:
        """When the first of its windows that end later than `after` ends; None: none does any more."""
        if after >= self.ends_at:
            return None
        if self.weekly is None:
            return self.ends_at
        closes = (span.end for span in self.weekly.spans(self.starts_at, self.ends_at) if span.open and span.end > after)
        return next(closes, None)

    def windows(self, since: datetime, at: datetime) -> list[Stretch]:
        """When it was quiet from `since` up to `at`, in order. The window that holds `at` has no end yet."""
        start, end = max(since, self.starts_at), min(at, self.ends_at)
        if self.weekly is None:
            found: list[Stretch] = [(start, end)] if start < end else []
        else:
            found = [(span.start, span.end) for span in self.weekly.spans(start, end) if span.open]
        if not self.holds_at(at) or at < since:
            return found
        return [*found[:-1], (found[-1][0], None)] if found and found[-1][1] == at else [*found, (at, None)]


class Pace(NamedTuple):
    """A stretch `[start, end)` in which a ladder's time runs, or stands still; `end` None: the last one."""

    start: datetime
    end: datetime | None
    still: bool


def paces(since: datetime, stills: Iterable[Stretch]) -> list[Pace]:
    """How a ladder's time went from `since` on, without gaps: it stood still wherever one of `stills` is (in any order)."""
    found: list[Pace] = []
    begin = since
    for start, end in _joined(stills):
        if end is not None and end <= begin:
            continue
        if start > begin:
            found.append(Pace(begin, start, still=False))
        found.append(Pace(max(start, begin), end, still=True))
        if end is None:
            return found
        begin = end
    return [*found, Pace(begin, None, still=False)]


def _joined(stills: Iterable[Stretch]) -> Sequence[Stretch]:
    """In order, each apart from the next."""
    found: list[Stretch] = []
    for start, end in sorted(stills, key=lambda each: each[0]):
        if end is not None and end <= start:
            continue
        last = found[-1][1] if found else start
        if not found or (last is not None and last < start):
            found.append((start, end))
        elif last is not None:
            found[-1] = (found[-1][0], None if end is None else max(last, end))
    return found
