"""Where a calendar's answers end: years that nobody has asked about yet, and the horizon to the day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.rules.calendar import ALWAYS, HORIZON, Calendar, CalendarSpec, Span, parse_hours
from app.rules.problems import InvalidHours, InvalidTarget, NoWorkingTime
from tests.rules.calendars import calendar, utc

HOUR = 3600
DAY = date(2026, 3, 2)
ONE_DAY = {DAY: "09:00-17:00"}


def test_a_calendar_may_be_asked_backwards_first() -> None:
    assert utc("2026-02-27T16:00") == calendar(workdays="09:00-17:00").subtract_open_time(utc("2026-03-02T10:00"), 2 * HOUR)
    assert utc("2026-03-02T16:00") == calendar(open_days=ONE_DAY).subtract_open_time(utc("2030-03-01T10:00"), HOUR)


def test_the_very_first_opening_can_be_used_up_and_no_more() -> None:
    closing = utc("2026-03-02T17:00")

    assert utc("2026-03-02T09:00") == calendar(open_days=ONE_DAY).subtract_open_time(closing, 8 * HOUR)
    with pytest.raises(NoWorkingTime):
        calendar(open_days=ONE_DAY).subtract_open_time(closing, 8 * HOUR + 1)


def test_an_open_day_is_looked_for_up_to_the_horizon() -> None:
    reached = utc("2026-03-02T10:00") - HORIZON

    assert utc("2026-03-02T10:00") == calendar(open_days=ONE_DAY).add_business_days(reached, 1)
    with pytest.raises(NoWorkingTime):
        calendar(open_days=ONE_DAY).add_business_days(reached - timedelta(days=1), 1)


@pytest.mark.parametrize("made", [calendar("Europe/Berlin", workdays="09:00-12:00 13:00-17:00"), calendar(), ALWAYS])
@pytest.mark.parametrize("start", ["1965-06-01T10:00", "2026-03-27T16:30", "2026-03-28T03:00", "2207-05-04T09:00", "2300-01-01T00:00"])
@pytest.mark.parametrize("hours", [0.5, 1, 30, 1000])
def test_what_is_asked_from_one_place_is_what_is_asked_singly(made: Calendar, start: str, hours: float) -> None:
    spans = [timedelta(hours=hours), timedelta(hours=hours + 1), HORIZON + timedelta(days=1)]
    for zone in (UTC, ZoneInfo("Asia/Kolkata")):
        place = made.place(utc(start).astimezone(zone))

        assert place.each_after(spans) == [_after(made, utc(start), span) for span in spans]
        assert place.each_after(spans) == [place.after(span) for span in spans]
        for end in (utc(start) + span for span in (*spans, -spans[0])):
            assert place.open_until(end) == made.open_time_between(utc(start), end) == place.open_until(end.astimezone(zone))


def _after(made: Calendar, start: datetime, span: timedelta) -> datetime | None:
    try:
        return made.add_open_time(start, span.total_seconds())
    except NoWorkingTime:
        return None


def test_what_a_calendar_cannot_give_is_refused_with_its_name() -> None:
    rare, at = calendar(mon="09:00-10:00"), utc("2026-03-02T09:00")
    too_much = HORIZON.total_seconds() + 1
    questions: list[Callable[[], object]] = [
        lambda: rare.add_open_time(at, 263 * HOUR),
        lambda: rare.add_open_time(at, 264 * HOUR),
        lambda: rare.add_open_time(at, too_much),
        lambda: rare.subtract_open_time(at, 263 * HOUR),
        lambda: rare.add_business_days(at, 263),
        lambda: rare.add_business_days(utc("1969-12-31T23:59:59"), 1),
        lambda: Calendar(CalendarSpec("test", always=True)).add_open_time(datetime.max.replace(tzinfo=UTC), 60),
        lambda: calendar().next_open(at),
    ]

    assert {"the calendar test has not that much open time within five years"} == {refusal(ask) for ask in questions}
    assert "an amount of open time cannot be negative" == refusal(lambda: rare.add_open_time(at, -1))
    assert "a number of business days is 1 or more, not 0" == refusal(lambda: rare.add_business_days(at, 0))


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises((InvalidTarget, NoWorkingTime)) as refused:
        ask()
    return str(refused.value)


def test_the_horizon_itself_can_be_reached() -> None:
    at, around_the_clock = utc("2026-03-02T09:00"), calendar(daily="00:00-24:00")
    answers = [made.add_open_time(at, int(HORIZON.total_seconds())) for made in (ALWAYS, around_the_clock, around_the_clock)]

    assert [at + HORIZON] * 3 == answers


def test_the_first_instant_there_is_can_be_asked_about() -> None:
    assert utc("1970-01-02T00:00") == calendar(daily="00:00-24:00").add_business_days(utc("1970-01-01T00:00"), 1)


@pytest.mark.parametrize("hours", [1, 2, 3, 10, 100])
@pytest.mark.parametrize(("start", "first"), [("08:00", 2), ("09:00", 2), ("10:00", 3), ("11:00", 3)])
def test_many_short_openings_add_up_also_when_one_asks_again(start: str, first: int, hours: int) -> None:
    made, at = calendar(daily="09:00-10:00"), utc(f"2026-03-02T{start}")
    due = utc(f"2026-03-0{first}T10:00") + timedelta(days=hours - 1)

    assert [due, due] == [made.add_open_time(at, hours * HOUR) for _ in range(2)]
    assert due + timedelta(hours=23, microseconds=1) == made.add_open_time(at, hours * HOUR + 0.000001)
    assert due - timedelta(minutes=30) == made.add_open_time(at, hours * HOUR - 1800)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        pytest.param("2026-03-28T01:30+01:00", "2026-03-29T01:30+01:00", id="before the clocks go forward"),
        pytest.param("2026-03-28T02:00+01:00", "2026-03-29T03:00+02:00", id="the first time that is skipped: the jump"),
        pytest.param("2026-03-28T02:59+01:00", "2026-03-29T03:00+02:00", id="the last time that is skipped: the jump"),
        pytest.param("2026-03-28T03:00+01:00", "2026-03-29T03:00+02:00", id="the first time after the jump"),
        pytest.param("2026-10-24T01:59+02:00", "2026-10-25T01:59+02:00", id="before the clocks go back"),
        pytest.param("2026-10-24T02:00+02:00", "2026-10-25T02:00+02:00", id="a time that is shown twice: the first"),
        pytest.param("2026-10-24T03:00+02:00", "2026-10-25T03:00+01:00", id="the first time after the repeated hour"),
    ],
)
def test_a_business_day_later_on_a_day_of_changing_clocks(start: str, due: str) -> None:
    assert utc(due) == calendar("Europe/Berlin", daily="00:00-24:00").add_business_days(utc(start), 1)


@pytest.mark.parametrize("before", [timedelta(), timedelta(microseconds=1), timedelta(seconds=1), timedelta(seconds=2), timedelta(days=1)])
def test_clocks_change_at_the_very_second_wherever_one_begins_to_look(before: timedelta) -> None:
    change = utc("2026-03-29T01:00")
    last = calendar("Europe/Berlin", sun="03:00-04:00").spans(change - before, change + timedelta(hours=1))[-1]

    assert (change, change + timedelta(hours=1), True) == (last.start, last.end, last.open)


@pytest.mark.parametrize("over", [0, 1, 2])
def test_a_stretch_over_midnight_is_told_to_the_last_microsecond(over: int) -> None:
    start, midnight = utc("2026-03-02T23:00"), utc("2026-03-03")
    end = midnight + timedelta(microseconds=over)
    told = calendar(tue="00:00-24:00").spans(start, end)

    assert [(start, midnight, "closed"), (midnight, end, "open")][: 1 + bool(over)] == [(span.start, span.end, span.why) for span in told]


@pytest.mark.parametrize("edge", ["1970-01-01", "2210-01-01"])
def test_outside_the_years_there_are_it_is_closed_like_at_night(edge: str) -> None:
    start, end = utc(edge) - timedelta(hours=1), utc(edge) + timedelta(hours=1)

    assert [Span(start, end, open=False, why="closed")] == calendar(daily="09:00-17:00").spans(start, end)


def test_the_first_second_that_one_looks_at_is_read_by_the_clock_of_the_zone() -> None:
    opening = utc("2026-03-02T09:00+01:00")

    assert ["open"] == [span.why for span in calendar("Europe/Berlin", workdays="09:00-17:00").spans(opening, opening + timedelta(hours=1))]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("09:00", "'09:00' is no opening time; write it as 09:00-17:00"),
        ("09:60-17:00", "'09:60-17:00' names a time that does not exist; a day goes from 00:00 to 24:00"),
        ("25:00-26:00", "'25:00-26:00' names a time that does not exist; a day goes from 00:00 to 24:00"),
        ("09:00-25:00", "'09:00-25:00' names a time that does not exist; a day goes from 00:00 to 24:00"),
        ("09:00-24:01", "09:00-24:01: 09:00-24:01 leaves the day; a day goes from 00:00 to 24:00"),
        (
            "22:00-06:00",
            "22:00-06:00: 22:00-06:00 does not close after it opens; write a night as two intervals, until 24:00 and from 00:00",
        ),
    ],
)
def test_hours_that_cannot_be_are_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidHours) as refused:
        parse_hours(text)

    assert str(refused.value) == sentence
