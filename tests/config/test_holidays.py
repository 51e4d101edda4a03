"""Holidays of the five forms, in their short and long writing."""

from datetime import date

import pytest

from app.rules.hours import CalendarSpec
from tests.config.support import loaded, said


def spec_of(holidays: str) -> CalendarSpec:
    text = f"calendars: {{c: {{timezone: UTC, hours: {{mon-fri: 9:00-17:00}}, holidays: {holidays}}}}}\n"
    return loaded(text).calendars["c"].spec


@pytest.mark.parametrize(
    ("written", "dates"),
    [
        ("[2026-12-24]", {date(2026, 12, 24): ""}),
        ("['2026-12-24']", {date(2026, 12, 24): ""}),
        ("[{date: 2026-12-24, name: party}]", {date(2026, 12, 24): "party"}),
        ("[{from: 2026-12-31, to: 2027-01-01, name: move}]", {date(2026, 12, 31): "move", date(2027, 1, 1): "move"}),
        ("[{from: 2026-12-30, to: 2026-12-30}]", {date(2026, 12, 30): ""}),
    ],
)  # fmt: skip
def test_dates_are_read(written: str, dates: dict[date, str]) -> None:
    assert dates == spec_of(written).holidays


@pytest.mark.parametrize("written", ["[12-31]", "['12-31']", "[{every: 12-31}]", '[{every: "12-31"}]'])
def test_days_of_every_year_are_read_quoted_or_not(written: str) -> None:
    assert {(12, 31): ""} == spec_of(written).yearly


def test_the_last_day_of_february_may_be_a_holiday_of_leap_years() -> None:
    assert {(2, 29): "leap"} == spec_of("[{every: 02-29, name: leap}]").yearly


def test_a_country_is_told_by_its_code_in_any_case() -> None:
    assert spec_of("[{country: DE}]").holidays == spec_of("[{country: de}]").holidays
    assert "Christmas" in spec_of("[{country: NO}]").holidays[date(2026, 12, 25)]


def test_a_subdivision_has_holidays_of_its_own() -> None:
    berlin, germany = spec_of("[{country: DE, subdivision: be}]").holidays, spec_of("[{country: DE}]").holidays

    assert {date(year, 3, 8) for year in range(2021, 2039)} <= set(berlin) - set(germany)


def test_country_holidays_are_worked_out_from_five_years_back_to_twelve_ahead() -> None:
    years = {day.year for day in spec_of("[{country: DE}]").holidays}

    assert set(range(2021, 2039)) == years


def test_a_later_entry_names_the_day() -> None:
    assert "ours" == spec_of("[{country: DE}, {date: 2026-12-25, name: ours}]").holidays[date(2026, 12, 25)]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{from: 2026-01-02, to: 2026-01-01}", "bad-date"),
        ("{from: 2000-01-01, to: 2026-01-01}", "bad-date"),
        ("{from: 2026-01-01}", "missing-key"),
        ("{date: 24.12.2026}", "bad-date"),
        ("{date: 2026-12-24, until: 2026-12-26}", "unknown-key"),
        ("{datum: 2026-12-24}", "unknown-key"),
        ("20261224", "wrong-type"),
        ("{every: 2026-12-31}", "bad-date"),
        ("{country: DEE}", "unknown-country"),
        ("christmas", "bad-date"),
    ],
)
def test_what_is_no_holiday_is_refused(written: str, code: str) -> None:
    text = f"calendars:\n  c:\n    timezone: UTC\n    hours: {{mon: 9:00-17:00}}\n    holidays:\n      - {written}\n"
    (found,) = said(text)

    assert code == found.split()[1]
    assert found.startswith("6:")
