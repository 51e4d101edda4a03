"""When a silence holds, and how the time of a ladder goes around it."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.calendar import Calendar, CalendarSpec
from app.rules.conditions import parse_condition
from app.rules.silences import Pace, Silence, Stretch, paces
from tests.support.clock import START

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def after(hours: float) -> datetime:
    return START + hours * HOUR


def silence(weekly: Calendar | None = None) -> Silence:
    """For tickets of the tier gold, a week from Monday 09:00 UTC."""
    return Silence("sil_1", parse_condition({"tier": "gold"}), START, START + 7 * DAY, weekly=weekly)


NIGHTS = Calendar(CalendarSpec("nights", "Europe/Berlin", dict.fromkeys(range(7), ((0, 6 * 3600), (22 * 3600, 86_400)))))
"""22:00 to 06:00 in Berlin: 21:00 to 05:00 UTC in March."""


def test_it_holds_from_its_start_until_just_before_its_end() -> None:
    quiet = silence()

    assert [quiet.holds_at(at) for at in (START - HOUR, START, after(167), after(168))] == [False, True, True, False]
    assert (quiet.quiet_until(START), quiet.quiet_until(after(168))) == (after(168), None)


def test_it_is_about_the_tickets_that_match() -> None:
    assert silence().is_about({"tier": "Gold"})
    assert not silence().is_about({"tier": "silver"})


def test_a_weekly_one_holds_in_its_windows_by_the_clock_on_the_wall() -> None:
    nightly = silence(NIGHTS)

    assert not nightly.holds_at(after(11.99))
    assert nightly.quiet_until(after(12)) == after(20)
    assert nightly.quiet_until(after(20)) is None
    assert nightly.windows(START, after(21)) == [(after(12), after(20))]
    assert nightly.windows(START, after(13)) == [(after(12), None)]
    assert nightly.windows(after(14), after(37)) == [(after(14), after(20)), (after(36), None)]


def test_the_ends_of_its_windows_follow_each_other_and_come_to_an_end() -> None:
    nightly, at, ends = silence(NIGHTS), START, list[datetime]()
    while (end := nightly.next_end(at)) is not None:
        ends.append(end)
        at = end

    assert ends == [after(20 + 24 * day) for day in range(7)]
    assert silence().next_end(START) == after(168)
    assert silence().next_end(after(168)) is None


def test_without_hours_it_has_one_window() -> None:
    quiet = silence()

    assert [[(START, None)], [(START, None)], [(after(3), None)], [(after(3), None)]] == [
        quiet.windows(since, at) for since, at in [(START - HOUR, after(5)), (START, START), (after(3), after(5)), (after(3), after(3))]
    ]
    assert [(START, after(168))] == quiet.windows(START - HOUR, after(200))
    assert [] == quiet.windows(after(168), after(200)) == quiet.windows(after(170), after(200)) == quiet.windows(START - DAY, START - HOUR)
    assert [] == quiet.windows(after(5), after(4))


def test_a_window_that_begins_at_this_moment_has_begun() -> None:
    assert silence().windows(START - HOUR, START) == [(START, None)]


def test_a_ladder_moves_between_what_makes_it_stand_still() -> None:
    stills: list[Stretch] = [(after(5), None), (after(1), after(3)), (after(2), after(4))]

    assert paces(START, stills) == [
        Pace(START, after(1), still=False),
        Pace(after(1), after(4), still=True),
        Pace(after(4), after(5), still=False),
        Pace(after(5), None, still=True),
    ]
    assert paces(after(2), [(after(1), after(3))]) == [Pace(after(2), after(3), still=True), Pace(after(3), None, still=False)]
    assert paces(START, []) == [Pace(START, None, still=False)]


@pytest.mark.parametrize(
    ("stills", "expected"),
    [
        pytest.param([(1, 1)], [(0, None, False)], id="an empty one is none"),
        pytest.param([(1, 1), (2, 3)], [(0, 2, False), (2, 3, True), (3, None, False)], id="and hides none that follows"),
        pytest.param([(1, 2), (2, 3)], [(0, 1, False), (1, 3, True), (3, None, False)], id="two that touch are one"),
        pytest.param([(1, None), (1, 2)], [(0, 1, False), (1, None, True)], id="one that lasts holds the others in it"),
        pytest.param([(1, None), (3, 4)], [(0, 1, False), (1, None, True)], id="and those that begin later"),
        pytest.param([(0, 1)], [(0, 1, True), (1, None, False)], id="one that holds from the first instant"),
        pytest.param([(-1, 0)], [(0, None, False)], id="one that ends at the first instant"),
    ],
)
def test_what_makes_it_stand_still_is_told_once(stills: list[tuple[int, int | None]], expected: list[tuple[int, int | None, bool]]) -> None:
    found = paces(START, [(after(start), None if end is None else after(end)) for start, end in stills])

    assert [Pace(after(start), None if end is None else after(end), still) for start, end, still in expected] == found


HOURS = st.integers(-5, 20)


@given(st.lists(st.tuples(HOURS, st.none() | HOURS), max_size=6), HOURS)
def test_it_stands_still_exactly_where_something_makes_it(stills: list[tuple[int, int | None]], since: int) -> None:
    found = paces(after(since), [(after(start), None if end is None else after(end)) for start, end in stills])

    assert found[0].start == after(since)
    assert found[-1].end is None
    assert all(first.end == second.start and first.still is not second.still for first, second in pairwise(found))
    for hour in range(since, 25):
        at = after(hour + 0.5)
        expected = any(start <= hour and (end is None or hour < end) for start, end in stills)
        assert expected is next(pace.still for pace in reversed(found) if pace.start <= at)
