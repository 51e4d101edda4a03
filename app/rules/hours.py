"""Opening hours as the document states them: local wall time of one zone, checked on the way in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from app.rules.problems import InvalidHours, InvalidTarget

DAY_SECONDS = 86_400
"""Seconds from 00:00 to 24:00 on the wall, whatever the clocks do that day."""

Intervals = tuple[tuple[int, int], ...]
"""Local opening intervals of one day, `[open, close)` in seconds of the day, 0..86400, in order, without overlap."""

Piece = tuple[int, int, str]
"""A stretch `[from, to)` in microseconds and what it is: `open`, `closed`, `holiday NAME`. Of a local day, or of real time."""

SECOND = 1_000_000
DAY = DAY_SECONDS * SECOND
"""Microseconds."""

_HOURS = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\s*")


@dataclass(frozen=True)
class CalendarSpec:
    """What one calendar says. The mappings belong to the spec from then on: do not change them.

    `zone` is an IANA name. `hours`: weekday (0 = Monday) -> intervals; a weekday that is absent is closed. `holidays` (date -> name)
    and `yearly` ((month, day) -> name) close the whole local day. `open_days` (date -> intervals) beat both holidays and weekly
    hours. `always`: open around the clock; of the rest only the zone counts, for the days of `2bd`.
    """

    name: str
    zone: str = "UTC"
    hours: Mapping[int, Intervals] = field(default_factory=dict)
    holidays: Mapping[date, str] = field(default_factory=dict)
    yearly: Mapping[tuple[int, int], str] = field(default_factory=dict)
    open_days: Mapping[date, Intervals] = field(default_factory=dict)
    always: bool = False

    def __hash__(self) -> int:
        dated = (frozenset(part.items()) for part in (self.hours, self.holidays, self.yearly, self.open_days))
        return hash((self.name, self.zone, self.always, *dated))


def parse_hours(text: object) -> tuple[int, int]:
    """`09:00-12:00` as (32400, 43200), seconds of the local day; `24:00` is the end of the day.

    Raises InvalidHours for anything else: other forms, times that do not exist, a close that is not after its open.
    """
    if not isinstance(text, str) or (found := _HOURS.fullmatch(text)) is None:
        raise InvalidHours(f"{text!r} is no opening time; write it as 09:00-17:00")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    if minute > 59 or to_minute > 59 or hour > 24 or to_hour > 24:
        raise InvalidHours(f"{text!r} names a time that does not exist; a day goes from 00:00 to 24:00")
    interval = (hour * 3600 + minute * 60, to_hour * 3600 + to_minute * 60)
    checked_intervals([interval], text)
    return interval


def checked_intervals(intervals: Iterable[tuple[int, int]], where: str) -> Intervals:
    """The intervals in order. Raises InvalidHours, naming `where`, when one is backwards, outside the day or overlaps another."""
    ordered = tuple(sorted((start, end) for start, end in intervals))
    for start, end in ordered:
        if not 0 <= start <= DAY_SECONDS or not 0 <= end <= DAY_SECONDS:
            raise InvalidHours(f"{where}: {_shown(start, end)} leaves the day; a day goes from 00:00 to 24:00")
        if start >= end:
            raise InvalidHours(
                f"{where}: {_shown(start, end)} does not close after it opens; write a night as two intervals, until 24:00 and from 00:00"
            )
    for (_, end), (start, _) in pairwise(ordered):
        if start < end:
            raise InvalidHours(f"{where}: two intervals overlap at {_clock(start)}")
    return ordered


def checked_spec(spec: CalendarSpec) -> CalendarSpec:
    """The same spec with every list of intervals in order and the mappings copied. Raises InvalidHours for what cannot be."""
    if any(weekday not in range(7) for weekday in spec.hours):
        raise InvalidHours(f"{spec.name}: a weekday is a number from 0 (Monday) to 6 (Sunday)")
    return CalendarSpec(
        name=spec.name,
        zone=spec.zone,
        hours={day: checked_intervals(spec.hours[day], f"{spec.name}, weekday {day}") for day in sorted(spec.hours)},
        holidays=dict(spec.holidays),
        yearly=dict(spec.yearly),
        open_days={day: checked_intervals(hours, f"{spec.name}, {day}") for day, hours in spec.open_days.items()},
        always=spec.always,
    )


class LocalDays:
    """What each local date looks like on the wall, whatever the clocks do. Pieces are in microseconds of the day, in order."""

    __slots__ = ("_open_days", "_spec", "_weekly")

    def __init__(self, spec: CalendarSpec) -> None:
        """`spec` is a checked one."""
        self._spec = spec
        hours = dict.fromkeys(range(7), ((0, DAY_SECONDS),)) if spec.always else spec.hours
        self._weekly = tuple(_pieces(hours.get(weekday, ())) for weekday in range(7))
        self._open_days = {} if spec.always else {day: _pieces(intervals) for day, intervals in spec.open_days.items()}

    def open_pieces(self, day: date) -> tuple[Piece, ...]:
        """When it is open on that date; empty: not at all."""
        special = self._open_days.get(day)
        if special is not None:
            return special
        return () if self._holiday_on(day) is not None else self._weekly[day.weekday()]

    def all_pieces(self, day: date) -> Iterator[Piece]:
        """The whole date, open or not; some pieces may be empty."""
        holiday = self._holiday_on(day)
        idle = "closed" if holiday is None else f"holiday {holiday}".rstrip()
        done = 0
        for piece in self.open_pieces(day):
            yield done, piece[0], idle
            yield piece
            done = piece[1]
        yield done, DAY, idle

    def _holiday_on(self, day: date) -> str | None:
        """The name of the holiday that closes the date; None when none does (a special opening day is no holiday)."""
        if self._spec.always or day in self._open_days:
            return None
        if day in self._spec.holidays:
            return self._spec.holidays[day]
        return self._spec.yearly.get((day.month, day.day))


def load_zone(name: str) -> ZoneInfo:
    """The zone of this IANA name. Raises InvalidHours with the nearest names when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError) as error:
        near = get_close_matches(str(name), sorted(available_timezones()), n=1)
        raise InvalidHours(f"there is no time zone {name!r}" + (f"; did you mean {near[0]}?" if near else "")) from error


def microseconds(seconds: float) -> int:
    """The seconds in whole microseconds. Raises InvalidTarget for what is no amount (infinite, not a number)."""
    try:
        return round(seconds * SECOND)
    except (OverflowError, ValueError) as error:
        raise InvalidTarget(f"{seconds} is no number of seconds") from error


def _pieces(intervals: Intervals) -> tuple[Piece, ...]:
    return tuple((opens * SECOND, closes * SECOND, "open") for opens, closes in intervals)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"


def _shown(start: int, end: int) -> str:
    return f"{_clock(start)}-{_clock(end)}"
