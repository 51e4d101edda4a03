"""When a promise is due, how much is consumed, which milestones lie on the way."""

from datetime import datetime, timedelta

import pytest

from app.rules.calendar import ALWAYS, Calendar
from app.rules.deadline import Milestone, consumed, due_at, each_reached, reached, runs, warnings
from app.rules.durations import parse_target, parse_warning
from app.rules.openings import MICROSECOND
from app.rules.policy import OpenTime, way_to
from app.rules.stretches import Stretches
from tests.rules.builders import OFFICE, at
from tests.rules.calendars import calendar
from tests.rules.test_stretches import made

HOUR = timedelta(hours=1)
LUNCH = calendar(workdays="09:00-12:00 13:00-17:00")


def due(target: str, stretches: Stretches, on: Calendar = ALWAYS) -> object:
    return due_at(on, stretches[0].start, parse_target(target), stretches, runs(on, stretches))


def marks(target: str, stretches: Stretches, *told: str, on: Calendar = ALWAYS) -> list[tuple[str, datetime]]:
    warned = [parse_warning(text) for text in told]
    return list(warnings(on, stretches[0].start, parse_target(target), warned, runs(on, stretches)))


def test_only_open_time_within_running_stretches_is_consumed() -> None:
    stretches = made("08:00-11:00 running", "11:00-14:00 paused", "14:00- running")

    assert consumed(runs(LUNCH, stretches), at("15:00")) == 3 * HOUR
    assert consumed(runs(LUNCH, stretches), at("10:00")) == 1 * HOUR
    assert consumed(runs(LUNCH, stretches), at("07:00")) == timedelta()


def test_what_ends_exactly_at_closing_is_due_at_closing() -> None:
    assert due("8h", made("09:00- running"), OFFICE) == at("17:00")
    assert due("3h", made("09:00- running"), LUNCH) == at("12:00")


def test_what_ends_exactly_at_a_pause_is_due_at_the_pause() -> None:
    assert due("1h", made("09:00-10:00 running", "10:00- paused")) == at("10:00")
    assert due("1h", made("09:00-10:00 running", "10:00-11:00 paused", "11:00- running")) == at("10:00")


def test_a_pause_before_due_leaves_no_due_instant() -> None:
    assert due("2h", made("09:00-10:00 running", "10:00- paused")) is None


def test_a_pause_that_ended_moves_the_due_instant_by_its_open_time() -> None:
    assert due("2h", made("09:00-10:00 running", "10:00-16:00 paused", "16:00- running"), OFFICE) == at("17:00")
    assert due("2h", made("09:00-10:00 running", "10:00-20:00 paused", "20:00- running"), OFFICE) == at("tue 10:00")


def test_what_was_used_up_between_two_pauses_was_due_there() -> None:
    stretches = made("09:00-10:00 running", "10:00-11:00 paused", "11:00-12:00 running", "12:00-13:00 paused", "13:00- running")

    assert due("90m", stretches) == at("11:30")


def test_a_finished_clock_was_due_as_if_it_had_gone_on() -> None:
    assert due("2h", made("09:00-10:00 running")) == at("11:00")
    assert due("2h", made("09:00-09:00 running")) == at("11:00")
    assert due("2h", made("09:00-10:00 running", "10:00-11:00 paused")) is None


def test_an_amount_is_reached_at_the_first_instant_that_has_it() -> None:
    stretches = made("09:00-12:30 running", "12:30- paused")

    assert reached(runs(LUNCH, stretches), 3 * HOUR) == at("12:00")
    assert reached(runs(LUNCH, stretches), 3 * HOUR + MICROSECOND) is None


def test_a_calendar_that_never_opens_is_never_due() -> None:
    never = calendar()

    assert due("1h", made("09:00- running"), never) is None
    assert due("2bd", made("09:00- running"), never) is None
    assert marks("2bd", made("09:00- running"), "50%", on=never) == []


def test_a_target_in_days_is_the_same_time_so_many_open_days_later() -> None:
    assert due("2bd", made("10:00- running"), OFFICE) == at("wed 10:00")
    assert due("2bd@close", made("10:00- running"), OFFICE) == at("wed 17:00")


def test_a_target_in_days_moves_by_the_open_time_that_did_not_count() -> None:
    once = made("10:00-11:00 running", "11:00-12:00 paused", "12:00- running")
    longer = made("10:00-11:00 running", "11:00-13:00 paused", "13:00- running")

    twice = made("10:00-11:00 running", "11:00-12:00 paused", "12:00-13:00 running", "13:00-14:00 paused", "14:00- running")

    assert due("1bd", once, OFFICE) == at("tue 11:00")
    assert due("1bd", longer, OFFICE) == at("tue 12:00")
    assert due("1bd", twice, OFFICE) == at("tue 12:00")


def test_a_target_in_days_that_was_reached_before_a_pause_stays() -> None:
    line = (*made("10:00- running"),)
    late = (line[0]._replace(end=at("tue 12:00")), line[0]._replace(start=at("tue 12:00"), kind="paused"))

    at_once = (late[0]._replace(end=at("tue 10:00")), late[1]._replace(start=at("tue 10:00")))

    assert due("1bd", late, OFFICE) == at("tue 10:00")
    assert due("1bd", at_once, OFFICE) == at("tue 10:00")
    assert due("2bd", late, OFFICE) is None


@pytest.mark.parametrize(
    ("warning", "instant"),
    [("50%", "11:00"), ("80%", "12:12"), ("30m before", "12:30"), ("1h before", "12:00"), ("99.9%", "12:59:45.6")],
)
def test_a_warning_fires_when_so_much_is_consumed_or_so_little_is_left(warning: str, instant: str) -> None:
    whole, _, fraction = instant.partition(".")
    found = marks("4h", made("09:00- running"), warning)
    expected = at(whole).replace(microsecond=int(fraction or 0) * 100_000)

    assert found == [Milestone(warning, expected)]


def test_a_negative_offset_crosses_a_night() -> None:
    found = marks("4h", made("15:00- running"), "3h before", on=OFFICE)

    assert found == [Milestone("3h before", at("16:00"))]


def test_a_warning_further_ahead_than_the_target_never_fires() -> None:
    assert marks("15m", made("09:00- running"), "30m before", "15m before") == []


def test_a_warning_in_a_pause_is_not_known_but_one_before_it_is() -> None:
    assert marks("1h", made("09:00-09:40 running", "09:40- paused"), "50%", "80%") == [Milestone("50%", at("09:30"))]


def test_a_target_in_days_is_warned_of_by_open_time() -> None:
    found = marks("2bd", made("09:00- running"), "50%", "1h before", on=OFFICE)

    assert found == [Milestone("50%", at("17:00")), Milestone("1h before", at("tue 16:00"))]
    assert marks("1bd@close", made("10:00- running"), "50%", on=OFFICE) == [Milestone("50%", at("tue 09:30"))]


@pytest.mark.parametrize("on", [LUNCH, ALWAYS])
def test_several_amounts_are_reached_when_each_of_them_is(on: Calendar) -> None:
    ran = runs(on, made("09:00-11:00 running"))
    amounts = way_to(4 * HOUR, [parse_warning("80%"), parse_warning("50%")]).amounts

    assert each_reached(ran, amounts) == [at("11:00"), reached(ran, amounts[1]), reached(ran, 4 * HOUR)]


@pytest.mark.parametrize("on", [LUNCH, ALWAYS, calendar()])
def test_a_target_of_centuries_is_never_reached_but_may_be_warned_of(on: Calendar) -> None:
    ran = runs(on, made("09:00- running"))
    way = way_to(OpenTime(10**15).whole, [parse_warning("50%"), parse_warning("80%")])

    assert each_reached(ran, way.amounts) == [None, None, None]
