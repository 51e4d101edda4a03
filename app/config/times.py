"""Dates, instants, zones and opening hours of the document as types. Quoted or not, they are texts, and both read alike."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from app.config.fields import Faults, listed, refuse
from app.config.findings import shown
from app.config.words import hint
from app.rules.hours import Intervals, checked_intervals, load_zone, parse_hours
from app.rules.problems import InvalidHours


def _read_date(value: Any) -> date:
    text = value.strip() if isinstance(value, str) else shown(value)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise refuse("bad-date", f"{shown(text)} is no date; write it as 2026-12-24")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refuse("bad-date", f"{text} is a date that does not exist: {error}") from None


def _read_month_day(value: Any) -> tuple[int, int]:
    text = value.strip() if isinstance(value, str) else shown(value)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{2}-[0-9]{2}", text):
        raise refuse("bad-date", f'{shown(text)} is no day of every year; write it as "12-31" (month, day)')
    try:
        day = date.fromisoformat(f"2000-{text}")
    except ValueError as error:
        raise refuse("bad-date", f"{text} is a day that does not exist: {error}") from None
    return day.month, day.day


def _read_moment(value: Any, *, end: bool) -> datetime:
    """A date (its midnight in UTC; as an `end` the midnight after it) or an instant with its offset, in UTC."""
    if isinstance(value, str) and "T" in value:
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise refuse("bad-date", f"{shown(value)} is no instant: {error}") from None
        if moment.tzinfo is None:
            raise refuse("bad-date", f"{shown(value)} needs its offset, as in 2026-12-24T09:00:00Z")
        return _in_range(lambda: moment.astimezone(UTC))
    day = _read_date(value)
    return _in_range(lambda: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=end))


def _in_range(moment: Callable[[], datetime]) -> datetime:
    try:
        return moment()
    except OverflowError:
        raise refuse("bad-date", "this is beyond the end of the calendar") from None


_DATE_TEXT = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}", examples=["2026-12-24"])]
Date = Annotated[date, PlainValidator(_read_date, json_schema_input_type=_DATE_TEXT)]
MonthDay = Annotated[
    tuple[int, int], PlainValidator(_read_month_day, json_schema_input_type=Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$")])
]
Since = Annotated[datetime, PlainValidator(lambda value: _read_moment(value, end=False), json_schema_input_type=_DATE_TEXT)]
Until = Annotated[datetime, PlainValidator(lambda value: _read_moment(value, end=True), json_schema_input_type=_DATE_TEXT)]


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _alike(name: str) -> list[str]:
    """The zones that may be meant, few enough to compare: the same city, or the same initial and about as long."""
    fold = name.casefold().replace(" ", "_")
    zones = _zones()
    city = [zone for zone in zones if zone.casefold().rpartition("/")[2] == fold.rpartition("/")[2]]
    return city or [zone for zone in zones if zone[0].casefold() == fold[:1] and abs(len(zone) - len(fold)) <= 3]


def _read_zone(name: str) -> str:
    try:
        return load_zone(name).key
    except InvalidHours:
        raise refuse("unknown-zone", f"there is no time zone {shown(name)}{hint(name, _alike(name))}") from None


Zone = Annotated[str, AfterValidator(_read_zone)]


def _read_intervals(value: Any) -> Intervals:
    """`"09:00-12:00"`, a list of such, or `closed`."""
    if value == "closed":
        return ()
    faults = Faults()
    intervals = [interval for interval in (_interval(item, index, faults) for index, item in enumerate(listed(value))) if interval]
    faults.check()
    try:
        return checked_intervals(intervals, "these hours")
    except InvalidHours as error:
        raise refuse("bad-hours", str(error)) from None


def _interval(value: Any, index: int, faults: Faults) -> tuple[int, int] | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 86_400:
        guess = f"{value // 60:02d}:{value % 60:02d}"
        faults.add("yaml-trap", f'{value} is what an old reader of YAML makes of {guess}; write "09:00-17:00", with its end', index)
        return None
    try:
        return parse_hours(value)
    except InvalidHours as error:
        faults.add("bad-hours", f"{error}" if isinstance(value, str) else 'hours are texts such as "09:00-17:00", or closed', index)
        return None


HOURS_TEXT = Annotated[str, Field(pattern=r"^\s*[0-9]{1,2}:[0-9]{2}\s*[-–]\s*[0-9]{1,2}:[0-9]{2}\s*$|^closed$", examples=["09:00-17:00"])]
Hours = Annotated[Intervals, PlainValidator(_read_intervals, json_schema_input_type=HOURS_TEXT | list[HOURS_TEXT])]
"""Opening intervals of a day; an empty list or `closed`: none."""

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def weekdays(key: str) -> tuple[int, ...]:
    """The weekdays (0 = Monday) of `mon-fri`, `sat`, `mon,wed` or `daily`; a range may run over the end of the week. Raises ValueError."""
    if key.strip().casefold() == "daily":
        return tuple(range(7))
    found: list[int] = []
    for part in key.split(","):
        first, dash, last = part.partition("-")
        begin = _weekday(first)
        end = _weekday(last) if dash else begin
        found += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
    return tuple(found)


def _weekday(word: str) -> int:
    name = word.strip().casefold()
    index = next((index for index, day in enumerate(_DAYS) if name in (day, day[:3])), None)
    if index is None:
        raise ValueError(f"{shown(word.strip())} is no weekday; write mon, tue, wed, thu, fri, sat, sun, ranges (mon-fri) or daily")
    return index


def _read_week(value: Any) -> Mapping[int, Intervals]:
    """Weekday (0 = Monday) -> intervals."""
    if not isinstance(value, dict):
        raise refuse("bad-hours", 'hours are a map of weekdays, as in `mon-fri: "09:00-17:00"`')
    faults, week, said = Faults(), dict[int, Intervals](), dict[int, str]()
    for key, hours in value.items():
        try:
            days, intervals = weekdays(key), _read_intervals(hours)
        except ValidationError as error:
            for inner in error.errors(include_input=False, include_url=False):
                faults.add(inner["type"], inner["msg"], key, *inner["loc"])
            continue
        except PydanticCustomError as error:
            faults.add(error.type, error.message(), key)
            continue
        except ValueError as error:
            faults.add("bad-hours", str(error), key, "[key]")
            continue
        for day in days:
            if day in said:
                faults.add("bad-hours", f"{_DAYS[day]} is said twice: here and in {shown(said[day])}", key, "[key]")
            week[day], said[day] = intervals, key
    faults.check()
    return week


Week = Annotated[Mapping[int, Intervals], PlainValidator(_read_week, json_schema_input_type=dict[str, HOURS_TEXT | list[HOURS_TEXT]])]
