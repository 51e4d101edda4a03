"""Open time with pauses cut out. A pause is `[from, to)`; `to` None: it has not ended. Pauses may overlap and come in any order."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.rules.calendar import Calendar
from app.rules.hours import SECOND, microseconds

Pause = tuple[datetime, datetime | None]


def merge(pauses: Sequence[Pause]) -> list[Pause]:
    """The same paused instants as sorted spans that neither overlap nor touch; empty ones left out."""
    merged: list[Pause] = []
    for since, until in sorted(pauses, key=lambda pause: pause[0]):
        if until is not None and until <= since:
            continue
        if not merged or (merged[-1][1] is not None and merged[-1][1] < since):
            merged.append((since, until))
        elif merged[-1][1] is not None and (until is None or until > merged[-1][1]):
            merged[-1] = (merged[-1][0], until)
    return merged


def due_after(calendar: Calendar, start: datetime, seconds: float, pauses: Sequence[Pause]) -> datetime | None:
    """The first instant at which `seconds` of open time outside the pauses have passed since `start`, in UTC.

    None when a pause that has not ended stands before it. The horizon counts anew from the end of each pause. Raises as
    `Calendar.add_open_time` does.
    """
    left = microseconds(seconds)
    for since, until in merge(pauses):
        span = calendar.open_microseconds_between(start, since)
        if left <= span:
            break
        left -= span
        if until is None:
            return None
        start = max(start, until)
    return calendar.add_open_time(start, left / SECOND)


def open_microseconds(calendar: Calendar, start: datetime, end: datetime, pauses: Sequence[Pause]) -> int:
    """The open time in `[start, end)` outside the pauses, in microseconds; 0 when `end` is not after `start`."""
    paused = sum(calendar.open_microseconds_between(since, until) for since, until in _within(start, end, pauses))
    return calendar.open_microseconds_between(start, end) - paused


def _within(start: datetime, end: datetime, pauses: Sequence[Pause]) -> Iterator[tuple[datetime, datetime]]:
    for since, until in merge(pauses):
        yield max(since, start), end if until is None else min(until, end)
