"""Weekdays and hours as people write them."""

import pytest

from app.config.times import weekdays
from app.rules.hours import Intervals
from tests.config.support import loaded


@pytest.mark.parametrize(
    ("key", "days"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)), ("sat", (5,)), ("mon,wed", (0, 2)), ("mon, wed-fri", (0, 2, 3, 4)), ("daily", (0, 1, 2, 3, 4, 5, 6)),
        ("Sat-Mon", (5, 6, 0)), ("monday", (0,)), ("TUE", (1,)), ("sun-sun", (6,)),
    ],
)  # fmt: skip
def test_a_key_names_its_weekdays(key: str, days: tuple[int, ...]) -> None:
    assert days == weekdays(key)


@pytest.mark.parametrize("key", ["", "mo", "mon-", "-fri", "mon..fri", "mon-fri-sun", "weekdays", "mon,,tue"])
def test_anything_else_is_no_weekday(key: str) -> None:
    with pytest.raises(ValueError, match="is no weekday"):
        weekdays(key)


@pytest.mark.parametrize(
    ("hours", "intervals"),
    [
        ("9:00-17:00", ((32_400, 61_200),)),
        ("'09:00-17:00'", ((32_400, 61_200),)),
        ("[09:00-12:00, '13:00-17:00']", ((32_400, 43_200), (46_800, 61_200))),
        ("[13:00-17:00, 09:00-12:00]", ((32_400, 43_200), (46_800, 61_200))),
        ("00:00-24:00", ((0, 86_400),)),
        ("22:30-24:00", ((81_000, 86_400),)),
    ],
)
def test_hours_are_read_quoted_or_not(hours: str, intervals: Intervals) -> None:
    calendar = loaded(f"calendars: {{c: {{timezone: UTC, hours: {{mon: {hours}}}}}}}\n").calendars["c"]

    assert {0: intervals} == calendar.spec.hours
