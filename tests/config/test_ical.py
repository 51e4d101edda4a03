"""Closed days from iCalendar files."""

from datetime import date
from pathlib import Path

import pytest

from app.config.ical import EVENTS_MAX, NoCalendar, closed_days
from tests.config.support import EXAMPLE, loaded, said

FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)


def calendar_of(*events: str) -> str:
    inner = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{inner}END:VCALENDAR\n".replace("\n", "\r\n")


def days_of(*events: str) -> list[str]:
    return [str(day) for day in sorted(closed_days(calendar_of(*events), FIRST, LAST))]


def test_an_all_day_event_closes_its_day_under_its_name() -> None:
    text = calendar_of("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261225\nSUMMARY:Christmas\\, ours")

    assert {date(2026, 12, 24): "Christmas, ours"} == closed_days(text, FIRST, LAST)


@pytest.mark.parametrize("length", ["DTEND;VALUE=DATE:20261227", "DURATION:P3D"])
def test_the_end_of_an_event_of_several_days_is_not_in_it(length: str) -> None:
    assert ["2026-12-24", "2026-12-25", "2026-12-26"] == days_of(f"DTSTART;VALUE=DATE:20261224\n{length}")


@pytest.mark.parametrize("length", ["", "DTEND;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261201"])
def test_an_event_without_a_length_is_one_day(length: str) -> None:
    assert ["2026-12-24"] == days_of(f"DTSTART;VALUE=DATE:20261224\n{length}")


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=YEARLY", ["2024-09-14", "2025-09-14", "2026-09-14", "2027-09-14", "2028-09-14"]),
        ("FREQ=YEARLY;INTERVAL=3", ["2026-09-14"]),
        ("FREQ=YEARLY;COUNT=6", ["2024-09-14", "2025-09-14"]),
        ("FREQ=YEARLY;UNTIL=20250914", ["2024-09-14", "2025-09-14"]),
        ("FREQ=YEARLY;UNTIL=20250914T220000Z", ["2024-09-14", "2025-09-14"]),
        ("FREQ=YEARLY;UNTIL=20250913", ["2024-09-14"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20261231", ["2024-11-28", "2025-11-27", "2026-11-26"]),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20251231", ["2024-05-27", "2025-05-26"]),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,-1;UNTIL=20241231", ["2024-12-24", "2024-12-31"]),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=TU;UNTIL=20241231", ["2024-11-05"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2024-02-29", "2028-02-29"]),
        ("FREQ=YEARLY;BYDAY=1MO;UNTIL=20251231", ["2024-01-01", "2025-01-06"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", []),
    ],
)
def test_yearly_events_come_again(rule: str, days: list[str]) -> None:
    assert days == days_of(f"DTSTART;VALUE=DATE:20200914\nRRULE:{rule}")


def test_a_rule_counts_from_its_beginning() -> None:
    assert ["2024-12-24", "2025-12-24"] == days_of("DTSTART;VALUE=DATE:20241101\nRRULE:FREQ=YEARLY;BYMONTH=10,12;BYMONTHDAY=24;COUNT=3")[
        ::2
    ]


def test_exceptions_and_extra_dates_are_heeded() -> None:
    event = "DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY;UNTIL=20271231\nEXDATE;VALUE=DATE:20250501,20260501\nRDATE;VALUE=DATE:20250502"

    assert ["2024-05-01", "2025-05-02", "2027-05-01"] == days_of(event)


def test_days_that_reach_into_the_years_asked_about_count() -> None:
    assert ["2024-01-01"] == days_of("DTSTART;VALUE=DATE:20231231\nDTEND;VALUE=DATE:20240102")


def test_meetings_and_cancelled_events_close_nothing() -> None:
    meeting = "DTSTART:20261224T100000Z\nDTEND:20261224T110000Z"
    cancelled = "DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED"

    assert ["2026-05-01"] == days_of(meeting, cancelled, "DTSTART;VALUE=DATE:20260501")


@pytest.mark.parametrize(
    "text",
    [
        "", "no calendar", "BEGIN:VCALENDAR\r\n", "\x00", calendar_of(), calendar_of("DTSTART:20261224T100000Z"),
        calendar_of("DTSTART;VALUE=DATE:20261x"), calendar_of("SUMMARY:when?"),
        calendar_of("DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20280101"),
        calendar_of("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY"),
        calendar_of("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;INTERVAL=0"),
        calendar_of("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYWEEKNO=20"),
        calendar_of("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYMONTH=13"),
        calendar_of(*["DTSTART;VALUE=DATE:20260101"] * (EVENTS_MAX + 1)),
    ],
)  # fmt: skip
def test_a_file_of_no_use_is_refused_with_half_a_sentence(text: str) -> None:
    with pytest.raises(NoCalendar, match=r"^(this is no|the file|an event of|the event) "):
        closed_days(text, FIRST, LAST)


def test_the_file_is_found_beside_the_document() -> None:
    text = "calendars: {c: {timezone: UTC, hours: {daily: 9:00-17:00}, holidays: [{ical: holidays.ics}]}}\n"
    days = loaded(text, base=EXAMPLE.parent).calendars["c"].spec.holidays

    assert ("Summer party", "Summer party") == (days[date(2026, 7, 3)], days[date(2026, 7, 4)])
    assert {date(year, 9, 14) for year in range(2021, 2039)} <= set(days)


def test_a_file_that_cannot_be_used_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "weekly.ics").write_text(calendar_of("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY"), encoding="utf-8")
    (tmp_path / "binary.ics").write_bytes(b"\xff\xfe\x00")
    head = "calendars:\n  c:\n    timezone: UTC\n    hours: {mon: 9:00-17:00}\n"
    text = head + "    holidays:\n      - ical: weekly.ics\n      - ical: binary.ics\n"

    assert ["6:9 bad-ical", "7:9 bad-ical"] == said(text, base=tmp_path)
