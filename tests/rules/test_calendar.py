"""The calendar's promises, one sentence each, and the traps that other engines fell into."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.rules.calendar import ALWAYS, HORIZON, Calendar, CalendarSpec, Span, parse_hours
from app.rules.problems import InvalidHours, InvalidTarget, NoWorkingTime
from tests.rules.calendars import CHANGES, calendar, utc

HOUR = 3600
OFFICE = calendar("Europe/Berlin", workdays="09:00-17:00")
BREAKS = calendar("Europe/Berlin", workdays="09:00-12:00 13:00-17:00")
BERLIN_0_24 = calendar("Europe/Berlin", daily="00:00-24:00")


@pytest.mark.parametrize(
    ("start", "seconds", "due"),
    [
        pytest.param("2026-03-02T10:00+01:00", HOUR, "2026-03-02T11:00+01:00", id="inside the hours"),
        pytest.param("2026-03-02T16:00+01:00", HOUR, "2026-03-02T17:00+01:00", id="due exactly at closing, not at the next opening"),
        pytest.param("2026-03-02T16:30+01:00", HOUR, "2026-03-03T09:30+01:00", id="over the night"),
        pytest.param("2026-03-06T16:30+01:00", HOUR, "2026-03-09T09:30+01:00", id="over the weekend"),
        pytest.param("2026-03-02T18:00+01:00", HOUR, "2026-03-03T10:00+01:00", id="created outside hours, after closing"),
        pytest.param("2026-03-02T03:00+01:00", HOUR, "2026-03-02T10:00+01:00", id="created outside hours, before opening"),
        pytest.param("2026-03-07T12:00+01:00", HOUR, "2026-03-09T10:00+01:00", id="created on a Saturday"),
        pytest.param("2026-03-02T17:00+01:00", 1, "2026-03-03T09:00:01+01:00", id="created at the very closing"),
        pytest.param("2026-03-02T16:59:59.999999+01:00", 0.000001, "2026-03-02T17:00+01:00", id="one microsecond before closing"),
        pytest.param("2026-03-02T16:59:59.999999+01:00", 0.000002, "2026-03-03T09:00:00.000001+01:00", id="one microsecond over"),
        pytest.param("2026-03-02T09:00+01:00", 40 * HOUR, "2026-03-06T17:00+01:00", id="a whole week ends on Friday evening"),
        pytest.param("2026-03-07T12:00+01:00", 0, "2026-03-07T12:00+01:00", id="zero seconds from any instant is that instant"),
    ],
)
def test_open_time_is_added_over_the_closed_hours(start: str, seconds: float, due: str) -> None:
    assert utc(due) == OFFICE.add_open_time(utc(start), seconds)


@pytest.mark.parametrize(
    ("end", "seconds", "begin"),
    [
        pytest.param("2026-03-03T09:10+01:00", 1800, "2026-03-02T16:40+01:00", id="a warning 30 m before due crosses the night"),
        pytest.param("2026-03-09T09:10+01:00", 1800, "2026-03-06T16:40+01:00", id="and the weekend"),
        pytest.param("2026-03-03T09:30+01:00", 1800, "2026-03-03T09:00+01:00", id="begins at the opening, not at the closing before"),
        pytest.param("2026-03-02T17:00+01:00", 1800, "2026-03-02T16:30+01:00", id="from a closing it lies inside that day"),
        pytest.param("2026-03-02T20:00+01:00", 1800, "2026-03-02T16:30+01:00", id="from outside the hours too"),
        pytest.param("2026-03-07T20:00+01:00", 0, "2026-03-07T20:00+01:00", id="zero seconds is the end itself"),
    ],
)
def test_open_time_is_subtracted_over_the_closed_hours(end: str, seconds: float, begin: str) -> None:
    assert utc(begin) == OFFICE.subtract_open_time(utc(end), seconds)


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        pytest.param(BERLIN_0_24, "2026-03-29", 23.0, id="a spring-forward day has 23 h"),
        pytest.param(BERLIN_0_24, "2026-10-25", 25.0, id="a fall-back day has 25 h"),
        pytest.param(calendar("Australia/Lord_Howe", daily="00:00-24:00"), "2026-04-05", 24.5, id="Lord Howe moves by half an hour"),
        pytest.param(calendar("Antarctica/Troll", daily="00:00-24:00"), "2026-03-29", 22.0, id="Troll moves by two hours"),
        pytest.param(calendar("America/Sao_Paulo", daily="00:00-24:00"), "2018-11-04", 23.0, id="a day without midnight, Sao Paulo"),
        pytest.param(calendar("America/Sao_Paulo", daily="00:00-24:00"), "2018-02-17", 25.0, id="a day that ends twice, Sao Paulo"),
        pytest.param(calendar("Asia/Beirut", daily="00:00-24:00"), "2022-03-27", 23.0, id="a day without midnight, Beirut"),
        pytest.param(calendar("Africa/Cairo", daily="00:00-24:00"), "2024-04-26", 23.0, id="a day without midnight, Cairo"),
        pytest.param(calendar("Pacific/Apia", daily="00:00-24:00"), "2011-12-30", 0.0, id="Samoa never had this Friday"),
        pytest.param(calendar("Europe/Berlin", daily="02:30-06:00"), "2026-03-29", 3.0, id="an opening in the gap is at the jump"),
        pytest.param(calendar("Europe/Berlin", daily="00:00-02:30"), "2026-03-29", 2.0, id="a closing in the gap is at the jump"),
        pytest.param(calendar("Europe/Berlin", daily="02:10-02:50"), "2026-03-29", 0.0, id="hours inside the gap do not happen"),
        pytest.param(calendar("Europe/Berlin", daily="01:00-04:00"), "2026-10-25", 4.0, id="hours around the repeated hour have it twice"),
        pytest.param(calendar("Europe/Berlin", daily="00:00-02:00"), "2026-10-25", 2.0, id="closed before the repeated hour is closed"),
        pytest.param(calendar("Europe/Berlin", daily="02:30-06:00"), "2026-10-25", 4.0, id="an edge in the repeated hour is passed twice"),
        pytest.param(
            calendar("Europe/Berlin", daily="02:10-02:50"), "2026-10-25", 40 / 30, id="hours inside the repeated hour happen twice"
        ),
        pytest.param(calendar("UTC", daily="00:00-23:59"), "2026-05-05", 24 - 1 / 60, id="23:59 is not the end of the day"),
        pytest.param(calendar("Asia/Kolkata", daily="00:00-24:00"), "2026-05-05", 24.0, id="a zone at half an hour"),
        pytest.param(calendar("UTC", daily="00:00-24:00", tue=""), "2026-05-05", 0.0, id="a weekday may be empty"),
    ],
)
def test_a_local_day_has_as_many_hours_as_its_clocks_show(hours: Calendar, day: str, expected: float) -> None:
    local = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(hours.zone))
    start, end = local - timedelta(days=1), local + timedelta(days=2)
    spans = [span for span in hours.spans(start, end) if span.open]
    within = sum((_part_on(span, hours, local.date()) for span in spans), timedelta())

    assert timedelta(hours=expected) == within


def _part_on(span: Span, hours: Calendar, day: date) -> timedelta:
    """How much of an open span shows this local date, by whole minutes."""
    minutes = range(round((span.end - span.start) / timedelta(minutes=1)))
    shown = (span.start + timedelta(minutes=minute) for minute in minutes)
    return timedelta(minutes=sum(at.astimezone(ZoneInfo(hours.zone)).date() == day for at in shown))


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_open_around_the_clock_is_real_time_in_every_zone(zone: str) -> None:
    start = utc(f"{CHANGES[zone][0]}T00:00") - timedelta(days=2)
    around_the_clock = calendar(zone, daily="00:00-24:00")

    assert start + timedelta(days=400) == around_the_clock.add_open_time(start, 400 * 24 * HOUR)


@pytest.mark.parametrize(
    ("made", "start", "seconds", "due"),
    [
        pytest.param(
            calendar("Europe/Berlin", holidays={date(2026, 3, 7): "on a Saturday"}, workdays="09:00-17:00"),
            "2026-03-06T16:30+01:00", HOUR, "2026-03-09T09:30+01:00",
            id="a holiday on a weekend takes nothing away",
        ),
        pytest.param(
            calendar(holidays={date(2026, 7, 1) + timedelta(days=n): "works holiday" for n in range(30)}, daily="09:00-17:00"),
            "2026-06-30T16:00+00:00", 2 * HOUR, "2026-07-31T10:00+00:00",
            id="a closure of 30 days is waited out",
        ),
        pytest.param(
            calendar(mon="09:00-17:00", thu="09:00-17:00"),
            "2026-03-05T16:00+00:00", 10 * HOUR, "2026-03-12T10:00+00:00",
            id="a calendar with only Monday and Thursday",
        ),
        pytest.param(
            calendar(workdays="00:01-23:59"), "2026-03-02T23:30+00:00", 30 * 60, "2026-03-03T00:02+00:00",
            id="23:59 as the end of the day leaves two minutes out",
        ),
        pytest.param(
            calendar(holidays={date(2026, 12, 19): "a holiday"}, open_days={date(2026, 12, 19): "10:00-14:00"}, workdays="09:00-17:00"),
            "2026-12-18T16:00+00:00", 2 * HOUR, "2026-12-19T11:00+00:00",
            id="a special opening day beats the weekend and the holiday",
        ),
        pytest.param(
            calendar(open_days={date(2026, 3, 3): ""}, workdays="09:00-17:00"), "2026-03-02T16:30+00:00", HOUR, "2026-03-04T09:30+00:00",
            id="a special day without hours is closed",
        ),
        pytest.param(
            calendar(fri="22:00-24:00", sat="00:00-06:00"), "2026-03-06T23:00+00:00", 2 * HOUR, "2026-03-07T01:00+00:00",
            id="24:00 and 00:00 are one moment",
        ),
        pytest.param(
            BREAKS, "2026-03-02T11:30+01:00", HOUR, "2026-03-02T13:30+01:00", id="a break at noon",
        ),
        pytest.param(
            BREAKS, "2026-03-02T11:30+01:00", HOUR / 2, "2026-03-02T12:00+01:00", id="due at the beginning of a break",
        ),
        pytest.param(
            BERLIN_0_24, "2026-03-28T12:00+01:00", 24 * HOUR, "2026-03-29T13:00+02:00", id="24 h over the spring change",
        ),
        pytest.param(
            BERLIN_0_24, "2026-10-24T12:00+02:00", 24 * HOUR, "2026-10-25T11:00+01:00", id="24 h over the autumn change",
        ),
    ],
)  # fmt: skip
def test_the_traps_of_other_engines(made: Calendar, start: str, seconds: float, due: str) -> None:
    assert utc(due) == made.add_open_time(utc(start), seconds)


def test_a_yearly_holiday_closes_its_day_in_every_year() -> None:
    spec = CalendarSpec(name="x", hours=dict.fromkeys(range(7), ((0, 86400),)), yearly={(12, 25): "Christmas", (2, 29): "leap day"})
    closed = [at for year in range(2026, 2030) for at in (utc(f"{year}-12-25"), utc(f"{year}-03-01") - timedelta(days=1))]

    assert [not Calendar(spec).is_open(at) for at in closed] == [True, False, True, False, True, True, True, False]


def test_open_time_between_is_exact_to_the_microsecond_and_never_negative() -> None:
    start, end = utc("2026-03-02T16:59:59.999999+01:00"), utc("2026-03-03T09:00:00.000001+01:00")

    assert (
        OFFICE.open_microseconds_between(start, end),
        OFFICE.open_microseconds_between(end, start),
        OFFICE.open_microseconds_between(start, start),
    ) == (2, 0, 0)
    assert timedelta(microseconds=2) == OFFICE.open_time_between(start, end)


@pytest.mark.parametrize(
    ("at", "is_open", "next_open", "next_close"),
    [
        ("2026-03-02T09:00+01:00", True, "2026-03-02T09:00+01:00", "2026-03-02T12:00+01:00"),
        ("2026-03-02T12:00+01:00", False, "2026-03-02T13:00+01:00", "2026-03-02T17:00+01:00"),
        ("2026-03-06T17:00+01:00", False, "2026-03-09T09:00+01:00", "2026-03-09T12:00+01:00"),
        ("2026-03-08T23:59+01:00", False, "2026-03-09T09:00+01:00", "2026-03-09T12:00+01:00"),
    ],
)
def test_a_calendar_knows_whether_it_is_open_and_when_that_changes(at: str, is_open: bool, next_open: str, next_close: str) -> None:
    assert is_open is BREAKS.is_open(utc(at))
    assert (utc(next_open), utc(next_close)) == (BREAKS.next_open(utc(at)), BREAKS.next_close(utc(at)))


def test_spans_say_why_time_does_not_count() -> None:
    made = calendar("Europe/Berlin", holidays={date(2026, 5, 1): "Labour Day"}, workdays="09:00-12:00 13:00-17:00")
    spans = made.spans(utc("2026-04-30T11:00+02:00"), utc("2026-05-04T10:00+02:00"))

    assert [(span.start.astimezone(ZoneInfo("Europe/Berlin")).isoformat(timespec="minutes"), *_end_and_reason(span)) for span in spans] == [
        ("2026-04-30T11:00+02:00", "2026-04-30T12:00+02:00", True, "open"),
        ("2026-04-30T12:00+02:00", "2026-04-30T13:00+02:00", False, "closed"),
        ("2026-04-30T13:00+02:00", "2026-04-30T17:00+02:00", True, "open"),
        ("2026-04-30T17:00+02:00", "2026-05-01T00:00+02:00", False, "closed"),
        ("2026-05-01T00:00+02:00", "2026-05-02T00:00+02:00", False, "holiday Labour Day"),
        ("2026-05-02T00:00+02:00", "2026-05-04T09:00+02:00", False, "closed"),
        ("2026-05-04T09:00+02:00", "2026-05-04T10:00+02:00", True, "open"),
    ]


def _end_and_reason(span: Span) -> tuple[str, bool, str]:
    return span.end.astimezone(ZoneInfo("Europe/Berlin")).isoformat(timespec="minutes"), span.open, span.why


def test_no_span_lies_in_an_empty_stretch() -> None:
    at = utc("2026-03-02T09:00")

    assert [] == OFFICE.spans(at, at) == OFFICE.spans(at, at - timedelta(days=1))


@pytest.mark.parametrize(
    ("start", "days", "at_close", "due"),
    [
        pytest.param("2026-03-02T10:15+01:00", 2, False, "2026-03-04T10:15+01:00", id="the same local time two open days later"),
        pytest.param("2026-03-02T10:15:30.000001+01:00", 1, False, "2026-03-03T10:15:30.000001+01:00", id="to the microsecond"),
        pytest.param("2026-03-05T10:15+01:00", 2, False, "2026-03-09T10:15+01:00", id="the weekend does not count"),
        pytest.param("2026-03-07T10:15+01:00", 1, False, "2026-03-09T10:15+01:00", id="created on a Saturday: Monday is the first day"),
        pytest.param("2026-03-06T18:00+01:00", 1, False, "2026-03-09T17:00+01:00", id="after closing: at the last closing of the day"),
        pytest.param("2026-03-06T07:00+01:00", 1, False, "2026-03-09T09:00+01:00", id="before opening: at the opening of the day"),
        pytest.param("2026-03-06T12:30+01:00", 1, False, "2026-03-09T13:00+01:00", id="in the break: when the break ends"),
        pytest.param("2026-03-06T12:00+01:00", 1, False, "2026-03-09T12:00+01:00", id="at a closing: at that closing"),
        pytest.param("2026-03-06T10:15+01:00", 1, True, "2026-03-09T17:00+01:00", id="at the close of the day"),
        pytest.param("2026-03-27T10:15+01:00", 1, False, "2026-03-30T10:15+02:00", id="the same local time over a change of clocks"),
        pytest.param("2026-03-02T23:30+00:00", 1, False, "2026-03-04T09:00+01:00", id="the date is the local one"),
    ],
)
def test_business_days_keep_the_local_time_within_the_hours(start: str, days: int, at_close: bool, due: str) -> None:
    assert utc(due) == BREAKS.add_business_days(utc(start), days, at_close=at_close)


def test_a_business_day_of_a_calendar_that_is_always_open_is_a_date() -> None:
    start = utc("2026-03-07T10:15")

    assert utc("2026-03-09T10:15") == ALWAYS.add_business_days(start, 2)
    assert utc("2026-03-10T00:00") == ALWAYS.add_business_days(start, 2, at_close=True)


def test_hours_that_fall_into_the_gap_make_no_business_day() -> None:
    sundays = calendar("Europe/Berlin", sun="02:10-02:50")

    assert utc("2026-04-05T02:10+02:00") == sundays.add_business_days(utc("2026-03-27T02:10+01:00"), 1)


def test_the_built_in_calendar_is_real_time() -> None:
    start = utc("2026-03-28T12:00:00.000001")

    assert start + timedelta(hours=30) == ALWAYS.add_open_time(start, 30 * HOUR)
    assert start - timedelta(hours=30) == ALWAYS.subtract_open_time(start, 30 * HOUR)
    assert timedelta(hours=30) == ALWAYS.open_time_between(start, start + timedelta(hours=30))
    assert (True, start, None) == (ALWAYS.is_open(start), ALWAYS.next_open(start), ALWAYS.next_close(start))
    assert [Span(start, start + timedelta(hours=30), open=True, why="open")] == ALWAYS.spans(start, start + timedelta(hours=30))
    assert (ALWAYS.name, ALWAYS.zone) == ("always", "UTC")


def test_answers_are_in_utc_whatever_the_zone_of_the_question() -> None:
    at = datetime(2026, 3, 7, 10, tzinfo=ZoneInfo("Asia/Tokyo"))
    answers = [
        OFFICE.add_open_time(at, 0), OFFICE.add_open_time(at, 60), OFFICE.subtract_open_time(at, 60), OFFICE.add_business_days(at, 1),
        OFFICE.next_open(at), OFFICE.next_close(at), OFFICE.spans(at, at + timedelta(days=1))[0].start, ALWAYS.next_open(at),
    ]  # fmt: skip

    assert {UTC} == {answer.tzinfo for answer in answers if answer}


@pytest.mark.parametrize("ask", ["add_open_time", "subtract_open_time"])
@pytest.mark.parametrize("made", [ALWAYS, OFFICE, calendar()], ids=["always", "office", "never open"])
def test_negative_or_impossible_amounts_are_refused(made: Calendar, ask: str) -> None:
    at = utc("2026-03-02T09:00")
    for amount in (-1, -0.000001, float("nan"), float("inf")):
        with pytest.raises(InvalidTarget):
            getattr(made, ask)(at, amount)
    for amount in (10**30, HORIZON.total_seconds() + 1):
        with pytest.raises(NoWorkingTime):
            getattr(made, ask)(at, amount)


def test_a_calendar_that_never_opens_gives_no_time() -> None:
    never, at = calendar(), utc("2026-03-02T09:00")
    questions: list[Callable[[], object]] = [
        lambda: never.add_open_time(at, 1),
        lambda: never.subtract_open_time(at, 1),
        lambda: never.add_business_days(at, 1),
        lambda: never.next_open(at),
    ]
    for ask in questions:
        with pytest.raises(NoWorkingTime):
            ask()

    assert (timedelta(), False, None) == (never.open_time_between(at, at + HORIZON), never.is_open(at), never.next_close(at))


def test_a_deadline_beyond_five_years_is_refused_rather_than_promised() -> None:
    an_hour_a_week, at = calendar(mon="09:00-10:00"), utc("2026-03-02T09:00")

    assert utc("2031-02-24T10:00") == an_hour_a_week.add_open_time(at, 261 * HOUR)
    with pytest.raises(NoWorkingTime, match="five years"):
        an_hour_a_week.add_open_time(at, 263 * HOUR)
    with pytest.raises(NoWorkingTime, match="five years"):
        an_hour_a_week.subtract_open_time(at, 263 * HOUR)
    with pytest.raises(NoWorkingTime, match="five years"):
        an_hour_a_week.add_business_days(at, 263)


@pytest.mark.parametrize("year", [1, 1969, 2210, 9999])
def test_years_nobody_means_are_closed_but_no_crash(year: int) -> None:
    at, now = datetime(year, 6, 1, 12, tzinfo=UTC), utc("2026-03-02T09:00")
    with pytest.raises(NoWorkingTime):
        OFFICE.add_business_days(at, 1)

    assert (OFFICE.is_open(at), len(OFFICE.spans(at, at + timedelta(days=1)))) == (False, 1)
    assert (OFFICE.open_time_between(at, now) > timedelta()) is (at < now)


def test_the_ends_of_time_are_refused_not_crashed_into() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for made in (ALWAYS, OFFICE):
        with pytest.raises(NoWorkingTime):
            made.add_open_time(last, HOUR)
        with pytest.raises(NoWorkingTime):
            made.subtract_open_time(first, HOUR)


def test_a_naive_instant_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError):
        OFFICE.add_open_time(datetime(2026, 3, 2), 1)  # noqa: DTZ001


def test_calendars_are_equal_and_hashable_by_what_they_say() -> None:
    again = calendar("Europe/Berlin", workdays="09:00-17:00")
    again.is_open(utc("1999-01-01"))
    others = {ALWAYS, BREAKS, calendar("Europe/Paris", workdays="09:00-17:00")}

    assert (OFFICE, {OFFICE}, False) == (again, {again}, OFFICE in others)
    assert Calendar.always() == ALWAYS
    assert OFFICE not in [*others, "test", None]
    assert len(others) == len({hash(other) for other in others})


@pytest.mark.parametrize("text", ["09:00-17:00", " 9:00 - 17:00 ", "09:00–17:00"])
def test_hours_are_read_as_seconds_of_the_day(text: str) -> None:
    assert parse_hours(text) == (9 * HOUR, 17 * HOUR)


def test_a_day_may_end_at_24_00() -> None:
    assert parse_hours("00:00-24:00") == (0, 24 * HOUR)


@pytest.mark.parametrize(
    "text",
    ["", "09:00", "9-17", "09:00-", "09:00-25:00", "09:60-17:00", "24:00-24:00", "09:00-24:01", "17:00-09:00", "09:00-09:00", "0900-1700",
     "09:00-12:00,13:00-17:00", "-09:00-17:00", "٠٩:00-17:00", "nine to five", 540, None],
)  # fmt: skip
def test_hours_that_cannot_be_are_refused(text: object) -> None:
    with pytest.raises(InvalidHours):
        parse_hours(text)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (CalendarSpec("x", hours={0: ((0, 7200), (3600, 9000))}), "weekday 0: two intervals overlap at 01:00"),
        (CalendarSpec("x", hours={0: ((7200, 3600),)}), "does not close after it opens"),
        (CalendarSpec("x", hours={0: ((0, 90_000),)}), "leaves the day"),
        (CalendarSpec("x", hours={7: ((0, 3600),)}), "a weekday is a number from 0"),
        (CalendarSpec("x", open_days={date(2026, 1, 1): ((60, 60),)}), "2026-01-01: 00:01-00:01 does not close"),
        (CalendarSpec("x", zone="Europe/Berlim"), "did you mean Europe/Berlin?"),
        (CalendarSpec("x", zone=""), "no time zone"),
        (CalendarSpec("x", zone="../../etc/passwd"), "no time zone"),
        (CalendarSpec("x", zone="Europe"), "no time zone"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_with_a_sentence(spec: CalendarSpec, sentence: str) -> None:
    with pytest.raises(InvalidHours) as refused:
        Calendar(spec)

    assert sentence in str(refused.value)
    assert refused.value.code == "invalid_hours"


def test_touching_and_unsorted_intervals_are_one_opening() -> None:
    made = calendar(mon="12:00-15:00 09:00-12:00")

    assert utc("2026-03-02T15:00") == made.next_close(utc("2026-03-02T10:00"))
