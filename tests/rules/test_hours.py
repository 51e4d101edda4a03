"""Opening hours as they are written: the last minute that exists, the sentences of refusals, and days on the wall."""

from datetime import date

import pytest

from app.rules.calendar import Calendar, CalendarSpec, parse_hours
from app.rules.problems import InvalidHours, InvalidTarget
from tests.rules.calendars import calendar, intervals, utc

HOUR = 3600
DAY = date(2026, 3, 4)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23:59-24:00", (86_340, 86_400)),
        ("08:30-17:45", (30_600, 63_900)),
        ("00:00-23:59", (0, 86_340)),
        ("00:59-08:59", (3540, 32_340)),
    ],
)
def test_every_minute_of_the_day_can_be_written(text: str, hours: tuple[int, int]) -> None:
    assert hours == parse_hours(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("09:00-16:60", "names a time that does not exist"),
        ("25:00-09:00", "names a time that does not exist"),
        ("24:00-24:00", "24:00-24:00 does not close after it opens"),
        ("00:00-00:00", "00:00-00:00 does not close after it opens"),
        ("24:00-09:00", "24:00-09:00 does not close after it opens"),
    ],
)
def test_what_is_wrong_with_an_opening_time_is_said(text: str, sentence: str) -> None:
    with pytest.raises(InvalidHours, match=sentence):
        parse_hours(text)


def test_a_zone_that_resembles_no_other_is_refused_without_a_guess() -> None:
    with pytest.raises(InvalidHours) as refused:
        Calendar(CalendarSpec("x", zone="0123456789"))

    assert str(refused.value) == "there is no time zone '0123456789'"


def test_an_amount_that_is_no_number_is_named() -> None:
    with pytest.raises(InvalidTarget) as refused:
        calendar(daily="09:00-17:00").add_open_time(utc("2026-03-02"), float("nan"))

    assert str(refused.value) == "nan is no number of seconds"


def test_calendars_that_say_something_else_have_another_hash() -> None:
    specs = [
        CalendarSpec("x"),
        CalendarSpec("y"),
        CalendarSpec("x", zone="Europe/Berlin"),
        CalendarSpec("x", hours={0: ((0, HOUR),)}),
        CalendarSpec("x", holidays={DAY: "a"}),
        CalendarSpec("x", yearly={(3, 4): "a"}),
        CalendarSpec("x", open_days={DAY: ((0, HOUR),)}),
        CalendarSpec("x", always=True),
    ]

    assert len(specs) == len({hash(spec) for spec in specs})


def test_of_a_calendar_that_is_always_open_only_the_zone_counts() -> None:
    special = {date(2026, 3, 6): intervals("10:00-11:00")}
    berlin = Calendar(CalendarSpec("x", "Europe/Berlin", holidays={DAY: "a"}, yearly={(3, 5): "b"}, open_days=special, always=True))
    midnight = utc("2026-03-03T00:00+01:00")
    days = [berlin.add_business_days(midnight, days) for days in (1, 2, 3, 4)]

    assert [utc(f"2026-03-0{day}T00:00+01:00") for day in (4, 5, 6, 7)] == days
    assert utc("2026-03-07T00:00+01:00") == berlin.add_business_days(midnight, 3, at_close=True)


def test_a_special_opening_day_is_no_holiday_outside_its_hours_either() -> None:
    made = calendar(holidays={DAY: "a holiday"}, open_days={DAY: "10:00-11:00"}, workdays="09:00-17:00")

    assert ["closed", "open", "closed"] == [span.why for span in made.spans(utc("2026-03-04T00:00"), utc("2026-03-05T00:00"))]


def test_a_holiday_without_a_name_is_called_a_holiday() -> None:
    [span] = calendar(holidays={DAY: ""}, workdays="09:00-17:00").spans(utc("2026-03-04T00:00"), utc("2026-03-05T00:00"))

    assert span.why == "holiday"
