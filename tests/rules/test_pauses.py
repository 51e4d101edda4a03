"""Paused time is not consumed."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.calendar import ALWAYS
from app.rules.pauses import Pause, due_after, merge, open_microseconds
from app.rules.problems import InvalidTarget, NoWorkingTime
from tests.rules.calendars import calendar, utc

OFFICE = calendar(workdays="09:00-17:00")
HOUR = 3600


def pauses(*spans: str) -> list[Pause]:
    """`10:00-10:30` of 2 March 2026; `10:00-` has not ended."""
    ends = [span.split("-") for span in spans]
    return [(utc(f"2026-03-02T{since}"), utc(f"2026-03-02T{until}") if until else None) for since, until in ends]


def at(clock: str) -> datetime:
    return utc(f"2026-03-02T{clock}")


@pytest.mark.parametrize(
    ("spans", "due"),
    [
        pytest.param([], "11:00", id="without a pause"),
        pytest.param(["10:15-10:45"], "11:30", id="one pause"),
        pytest.param(["10:15-10:45", "10:50-10:51"], "11:31", id="several short pauses add up"),
        pytest.param(["10:15:10-10:15:20", "10:15:30-10:15:40"], "11:00:20", id="two pauses in one minute"),
        pytest.param(["10:20-10:40", "10:15-10:30"], "11:25", id="overlapping pauses count once"),
        pytest.param(["10:15-10:30", "10:30-10:45"], "11:30", id="touching pauses are one"),
        pytest.param(["09:00-09:30"], "11:00", id="a pause before the start changes nothing"),
        pytest.param(["09:30-10:15"], "11:15", id="a pause that began before the start"),
        pytest.param(["11:00-12:00"], "11:00", id="a pause that begins at due comes too late"),
        pytest.param(["10:59:59-12:00"], "12:00:01", id="a pause that begins just before due"),
        pytest.param(["10:30-10:30", "10:45-10:40"], "11:00", id="an empty pause is none"),
        pytest.param(["10:20-10:20", "10:30-10:45"], "11:15", id="and hides none that follows"),
        pytest.param(["11:30-"], "11:00", id="a pause that has not ended, after due"),
        pytest.param(["10:00-10:30"], "11:30", id="paused from the start"),
    ],
)
def test_a_pause_moves_the_due_instant_by_its_open_time(spans: list[str], due: str) -> None:
    assert at(due) == due_after(OFFICE, at("10:00"), HOUR, pauses(*spans))


def test_a_pause_outside_the_hours_moves_nothing() -> None:
    assert utc("2026-03-03T10:00") == due_after(OFFICE, at("16:00"), 2 * HOUR, pauses("18:00-23:00"))


@pytest.mark.parametrize("spans", [["10:30-"], ["10:30-10:45", "10:40-"], ["10:30-", "10:30-10:45"], ["09:00-"]])
def test_a_pause_that_has_not_ended_leaves_nothing_due(spans: list[str]) -> None:
    assert due_after(OFFICE, at("10:00"), HOUR, pauses(*spans)) is None


def test_the_horizon_counts_from_the_end_of_a_pause() -> None:
    years_long: list[Pause] = [(at("10:30"), utc("2036-03-03T09:00"))]

    assert utc("2036-03-03T09:30") == due_after(OFFICE, at("10:00"), HOUR, years_long)


def test_amounts_are_refused_as_by_the_calendar() -> None:
    with pytest.raises(InvalidTarget):
        due_after(OFFICE, at("10:00"), -1, pauses("10:30-10:45"))
    with pytest.raises(NoWorkingTime):
        due_after(calendar(), at("10:00"), 1, pauses("10:30-10:45"))


@pytest.mark.parametrize(
    ("spans", "minutes"),
    [
        ([], 60), (["10:15-10:30"], 45), (["10:15-10:30", "10:20-10:40"], 35), (["09:00-10:10"], 50), (["10:50-"], 50),
        (["09:00-12:00"], 0), (["11:00-12:00"], 60),
    ],
)  # fmt: skip
def test_paused_time_does_not_count_as_elapsed(spans: list[str], minutes: int) -> None:
    assert minutes * 60 * 10**6 == open_microseconds(OFFICE, at("10:00"), at("11:00"), pauses(*spans))


def test_nothing_elapses_backwards() -> None:
    assert open_microseconds(OFFICE, at("11:00"), at("10:00"), pauses("10:15-10:30", "10:40-")) == 0


def test_pauses_that_touch_or_overlap_are_one() -> None:
    assert pauses("10:00-10:30") == merge(pauses("10:15-10:30", "10:00-10:15"))
    assert pauses("10:00-10:30", "10:31-") == merge(pauses("10:31-", "10:00-10:30", "10:10-10:20", "10:40-10:50"))


instants = st.integers(0, 10_000).map(lambda minutes: utc("2026-03-02") + timedelta(minutes=minutes))
some_pauses = st.lists(st.tuples(instants, instants), max_size=6)


@given(some_pauses)
def test_merged_pauses_are_sorted_and_apart(spans: list[Pause]) -> None:
    flat = [instant for span in merge(spans) for instant in span if instant is not None]

    assert flat == sorted(set(flat))


@settings(max_examples=60)
@given(st.sampled_from([OFFICE, ALWAYS]), instants, st.integers(1, 400_000), some_pauses)
def test_exactly_the_amount_has_passed_at_the_due_instant(made: object, start: datetime, seconds: int, spans: list[Pause]) -> None:
    chosen = OFFICE if made is OFFICE else ALWAYS
    due = due_after(chosen, start, seconds, spans)

    assert due is not None
    assert seconds * 10**6 == open_microseconds(chosen, start, due, spans)
    assert seconds * 10**6 - 1 == open_microseconds(chosen, start, due - timedelta(microseconds=1), spans)
