"""The calendar against a walk over every minute, around the days on which clocks change, in 22 zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.rules.calendar import Calendar, CalendarSpec
from app.rules.problems import NoWorkingTime
from tests.rules.calendars import specs_and_days
from tests.rules.oracle import MINUTE, Walk, is_open

LENGTH = 8 * 1440
MICROSECOND = timedelta(microseconds=1)

quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
walks = specs_and_days().map(lambda drawn: (Calendar(drawn[0]), Walk(*drawn, LENGTH)))
indexes = st.integers(0, LENGTH)


@quick
@given(walks, st.lists(st.tuples(indexes, st.integers(1, 6000)), min_size=10, max_size=30))
def test_adding_and_subtracting_agree_with_a_walk_over_every_minute(made: tuple[Calendar, Walk], asked: list[tuple[int, int]]) -> None:
    calendar, walk = made
    added = [(walk.add(index, minutes), walk.start + MINUTE * index, minutes) for index, minutes in asked]
    taken = [(walk.subtract(index, minutes), walk.start + MINUTE * index, minutes) for index, minutes in asked]

    assert [due for due, _, _ in added if due] == [calendar.add_open_time(at, n * 60) for due, at, n in added if due]
    assert [begin for begin, _, _ in taken if begin] == [calendar.subtract_open_time(at, n * 60) for begin, at, n in taken if begin]


@quick
@given(walks, st.lists(st.tuples(indexes, indexes), min_size=10, max_size=30))
def test_the_open_time_between_agrees_with_a_walk_over_every_minute(made: tuple[Calendar, Walk], asked: list[tuple[int, int]]) -> None:
    calendar, walk = made
    expected = [max(0, walk.open_before[end] - walk.open_before[start]) * MINUTE for start, end in asked]

    assert expected == [calendar.open_time_between(walk.start + MINUTE * start, walk.start + MINUTE * end) for start, end in asked]


@quick
@given(walks)
def test_every_minute_is_open_or_closed_as_the_clock_on_the_wall_says(made: tuple[Calendar, Walk]) -> None:
    calendar, walk = made

    assert walk.open == [calendar.is_open(at) for at in walk.instants(LENGTH)]


@quick
@given(walks, st.lists(indexes, min_size=10, max_size=30))
def test_the_next_opening_and_closing_agree_with_a_walk_over_every_minute(made: tuple[Calendar, Walk], asked: list[int]) -> None:
    calendar, walk = made
    for index in asked:
        at = walk.start + MINUTE * index
        opening = walk.next(index, state=True)
        if opening is not None:
            closing = walk.next(round((opening - walk.start) / MINUTE), state=False)

            assert opening == calendar.next_open(at)
            assert closing is None or closing == calendar.next_close(at)


@quick
@given(walks)
def test_spans_cover_everything_once_and_say_what_the_wall_says(made: tuple[Calendar, Walk]) -> None:
    calendar, walk = made
    end = walk.start + MINUTE * LENGTH
    spans = calendar.spans(walk.start, end)
    minutes = [span.open for span in spans for _ in range(round((span.end - span.start) / MINUTE))]

    assert walk.open == minutes
    assert (walk.start, end) == (spans[0].start, spans[-1].end)
    assert all(left.end == right.start and left.why != right.why for left, right in pairwise(spans))


@quick
@given(specs_and_days(), st.integers(0, 1439), st.integers(1, 4), st.booleans())
def test_business_days_agree_with_a_walk_over_every_minute(
    drawn: tuple[CalendarSpec, datetime], minute: int, days: int, at_close: bool
) -> None:
    spec, day = drawn
    start = day + MINUTE * minute
    expected = Walk(spec, start, LENGTH).business_days(days, at_close=at_close)
    assume(expected is not None)

    assert expected == Calendar(spec).add_business_days(start, days, at_close=at_close)


@settings(max_examples=30, deadline=None)
@given(specs_and_days(), st.integers(-(10**12), 10**12), st.integers(1, 10**12))
def test_adding_and_measuring_agree_to_the_microsecond(drawn: tuple[CalendarSpec, datetime], offset: int, amount: int) -> None:
    calendar, start, wanted = Calendar(drawn[0]), drawn[1] + MICROSECOND * offset, MICROSECOND * amount
    try:
        due, begin = calendar.add_open_time(start, amount / 10**6), calendar.subtract_open_time(start, amount / 10**6)
    except NoWorkingTime:
        assume(condition=False)

    assert wanted == calendar.open_time_between(start, due) == calendar.open_time_between(begin, start)
    assert (
        wanted - MICROSECOND
        == calendar.open_time_between(start, due - MICROSECOND)
        == calendar.open_time_between(begin + MICROSECOND, start)
    )


@settings(max_examples=12, deadline=None)
@given(specs_and_days(), st.datetimes(datetime(1973, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_any_year_can_be_asked_about_on_demand(drawn: tuple[CalendarSpec, datetime], at: datetime) -> None:
    calendar = Calendar(drawn[0])
    calendar.is_open(drawn[1])

    assert is_open(drawn[0], at) is calendar.is_open(at)
