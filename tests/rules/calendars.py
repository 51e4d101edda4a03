"""Calendars for tests: short to write, and random ones around the days on which clocks change."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from app.rules.calendar import Calendar, CalendarSpec, parse_hours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CHANGES = {
    "UTC": ["2026-03-01"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "Europe/Dublin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "America/Havana": ["2026-03-08", "2026-11-01"],
    "America/St_Johns": ["2010-03-14", "2010-11-07"],
    "America/Sao_Paulo": ["2018-02-18", "2018-11-04"],
    "America/Santiago": ["2026-04-05", "2026-09-06"],
    "Atlantic/Azores": ["2026-03-29", "2026-10-25"],
    "Africa/Cairo": ["2024-04-26", "2024-11-01"],
    "Africa/Casablanca": ["2026-02-15", "2026-03-22"],
    "Antarctica/Troll": ["2026-03-29", "2026-10-25"],
    "Asia/Amman": ["2021-03-26", "2021-10-29"],
    "Asia/Beirut": ["2022-03-27", "2022-10-30"],
    "Asia/Gaza": ["2026-03-28", "2026-10-24"],
    "Asia/Kathmandu": ["2026-05-01"],
    "Asia/Kolkata": ["2026-05-01"],
    "Asia/Pyongyang": ["2015-08-15", "2018-05-05"],
    "Asia/Tehran": ["2016-03-22", "2016-09-21"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "Pacific/Apia": ["2011-09-24", "2011-12-30"],
    "Pacific/Chatham": ["2026-04-05", "2026-09-27"],
}
"""Zones and the local dates of changes: half hours, quarter hours, two hours, at midnight, across midnight, a date skipped."""

_MARKS = [0, 1, 30, 60, 61, 90, 120, 150, 180, 240, 540, 720, 1020, 1380, 1381, 1410, 1439, 1440]


def calendar(
    zone: str = "UTC", *, holidays: Mapping[date, str] | None = None, open_days: Mapping[date, str] | None = None, **week: str
) -> Calendar:
    """`calendar("Europe/Berlin", mon="09:00-12:00 13:00-17:00")`; `daily=` and `workdays=` stand for several days."""
    shorthand = {"daily": WEEKDAYS, "workdays": WEEKDAYS[:5]}
    hours = {WEEKDAYS.index(day): intervals(text) for names, text in week.items() for day in shorthand.get(names, (names,))}
    special = {day: intervals(text) for day, text in (open_days or {}).items()}
    return Calendar(CalendarSpec(name="test", zone=zone, hours=hours, holidays=holidays or {}, open_days=special))


def intervals(text: str) -> tuple[tuple[int, int], ...]:
    """`09:00-12:00 13:00-17:00` as intervals."""
    return tuple(parse_hours(part) for part in text.split())


def utc(text: str) -> datetime:
    """An ISO instant; UTC where it names no offset."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@st.composite
def days_of_hours(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """The intervals of one day, on whole minutes."""
    marks = draw(st.lists(st.sampled_from(_MARKS) | st.integers(0, 1440), max_size=6, unique=True).map(sorted))
    return tuple((start * 60, end * 60) for start, end in zip(marks[::2], marks[1::2], strict=False))


@st.composite
def specs_and_days(draw: st.DrawFn) -> tuple[CalendarSpec, datetime]:
    """A random calendar, and midnight (UTC) some days before its zone's clocks change."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    first = date.fromisoformat(draw(st.sampled_from(CHANGES[zone]))) - timedelta(days=draw(st.integers(0, 4)))
    near = st.integers(0, 7).map(lambda days: first + timedelta(days=days))
    spec = CalendarSpec(
        name="random",
        zone=zone,
        hours=draw(st.dictionaries(st.integers(0, 6), days_of_hours(), min_size=3)),
        holidays=draw(st.dictionaries(near, st.just("a holiday"), max_size=2)),
        yearly={(day.month, day.day): "every year" for day in draw(st.lists(near, max_size=1))},
        open_days=draw(st.dictionaries(near, days_of_hours(), max_size=2)),
    )
    return spec, datetime(first.year, first.month, first.day, tzinfo=UTC)
