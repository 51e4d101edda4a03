"""Closed days from an iCalendar file (RFC 5545): its all-day events, also of several days, also yearly.

An event with a time of day is no closed day and is passed over; so is a cancelled one. Of repeating events only yearly ones are read
(`INTERVAL`, `COUNT`, `UNTIL`, `BYMONTH`, `BYMONTHDAY`, `BYDAY`, exceptions and extra dates): more than that is an error, not a guess.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final

from app.config.findings import shown

ICAL_MAX: Final = 1_048_576  # bytes of a file
EVENTS_MAX: Final = 5000
DAYS_MAX: Final = 366  # of one event

_PARSER_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, AssertionError)
_READ: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"})
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY: Final = re.compile(r"([-+]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class NoCalendar(Exception):
    """The file cannot be used; the message is half a sentence."""


def closed_days(text: str, first: date, last: date) -> Mapping[date, str]:
    """The dates from `first` to `last` (both included) that events of the file cover, with the event's name. Raises NoCalendar."""
    # Here, because few documents have such a file: eighty modules, and megabytes that would stay.
    from icalendar import Calendar

    try:
        events = Calendar.from_ical(text).walk("VEVENT")
    except _PARSER_ERRORS:
        raise NoCalendar("this is no iCalendar file") from None
    if len(events) > EVENTS_MAX:
        raise NoCalendar(f"the file has more than {EVENTS_MAX} events")
    try:
        all_day = [event for event in map(_event, events) if event is not None]
        days = {day: event.name for event in all_day for day in event.covered(first, last)}
    except _PARSER_ERRORS:
        raise NoCalendar("an event of the file cannot be read") from None
    if not all_day:
        raise NoCalendar("the file has no all-day event")
    return days


@dataclass(frozen=True, slots=True)
class _Event:
    """An all-day event: `days` (>= 1) dates from each of its beginnings on."""

    name: str
    start: date
    days: int
    rule: Mapping[str, Sequence[Any]] | None
    extra: frozenset[date]
    excepted: frozenset[date]

    def covered(self, first: date, last: date) -> Iterator[date]:
        for begin in {*self._beginnings(first - timedelta(days=self.days), last), *self.extra} - self.excepted:
            for day in range(self.days):
                if first <= (covered := begin + timedelta(days=day)) <= last:
                    yield covered

    def _beginnings(self, first: date, last: date) -> Iterator[date]:
        if self.rule is None:
            yield self.start
            return
        until, count = self.rule.get("UNTIL"), self.rule.get("COUNT")
        end = min(last, _day(until[0])) if until else last
        every = _numbers(self.rule.get("INTERVAL", [1]))[0]
        years = range(self.start.year, end.year + 1, every)
        if not count:  # nothing before `first` has to be counted
            years = years[max((first.year - self.start.year) // every, 0) :]
        found = (day for year in years for day in sorted(_days_of(self.rule, self.start, year)) if day >= self.start)
        until_end = takewhile(lambda day: day <= end, found)
        yield from islice(until_end, _numbers(count)[0]) if count else until_end


def _event(component: Any) -> _Event | None:
    """The event as a value; None when it closes no day."""
    start = component.decoded("DTSTART", None)
    if not isinstance(start, date) or isinstance(start, datetime) or str(component.get("STATUS", "")).upper() == "CANCELLED":
        return None
    name, end, duration = str(component.get("SUMMARY", "")), component.decoded("DTEND", None), component.decoded("DURATION", None)
    days = (_day(end) - start).days if end is not None else duration.days if duration is not None else 1
    if days > DAYS_MAX:
        raise NoCalendar(f"the event {shown(name)} lasts more than {DAYS_MAX} days")
    rule = component.get("RRULE")
    if rule is not None:
        _check_rule(rule, name)
    return _Event(name, start, max(days, 1), rule, _dates(component.get("RDATE")), _dates(component.get("EXDATE")))


def _check_rule(rule: Mapping[str, Sequence[Any]], name: str) -> None:
    plain = set(rule) <= _READ and [str(freq).upper() for freq in rule.get("FREQ", [])] == ["YEARLY"]
    bounded = all(min(_numbers(rule[key])) >= 1 for key in ("INTERVAL", "COUNT") if key in rule)
    days = all(_BYDAY.fullmatch(str(day).upper()) for day in rule.get("BYDAY", []))
    if not (plain and bounded and days):
        raise NoCalendar(f"the event {shown(name)} repeats in a way that is not read: only yearly events are")


def _days_of(rule: Mapping[str, Sequence[Any]], start: date, year: int) -> Iterator[date]:
    """The dates of one year that the rule names (RFC 5545, 3.3.10)."""
    months = _numbers(rule.get("BYMONTH", []))
    month_days = _numbers(rule.get("BYMONTHDAY", []))
    if "BYDAY" in rule:
        scopes = [_month(year, month) for month in months] or [_days(date(year, 1, 1), date(year, 12, 31))]
        for scope in scopes:
            yield from (day for day in _weekdays(rule["BYDAY"], scope) if not month_days or day.day in month_days)
        return
    for month in months or (range(1, 13) if month_days else [start.month]):
        days = _month(year, month)
        for number in month_days or [start.day]:
            if number and -len(days) <= number <= len(days):
                yield days[number - 1 if number > 0 else number]


def _weekdays(names: Sequence[Any], scope: Sequence[date]) -> Iterator[date]:
    """`4TH`: the fourth Thursday of the scope, `-1MO`: its last Monday, `SU`: all its Sundays."""
    for name in names:
        found = _BYDAY.fullmatch(str(name).upper())
        if found is not None:
            days = [day for day in scope if day.weekday() == _WEEKDAYS.index(found[2])]
            place = int(found[1] or 0)
            yield from days if not place else days[place - 1 :][:1] if place > 0 else days[place:][:1]


def _month(year: int, month: int) -> list[date]:
    return _days(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def _numbers(values: Sequence[Any]) -> list[int]:
    return [int(value) for value in values]


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _dates(value: Any) -> frozenset[date]:
    """The dates of `EXDATE` or `RDATE`, given once or several times."""
    given = value if isinstance(value, list) else [value] if value is not None else []
    return frozenset(_day(item.dt) for part in given for item in part.dts if isinstance(item.dt, date))
