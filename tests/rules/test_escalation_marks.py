"""The parts of a target that are rungs of a ladder."""

from datetime import datetime

import pytest

from app.rules.cycle import Cycle
from app.rules.escalation import After, AtBreach, AtPercent
from app.rules.escalation_marks import marks, opens_at, percent_of, percents
from tests.rules.builders import OFFICE, PENDING, at, book, judged, terms, timeline
from tests.rules.ladders import ladder

LADDER = ladder(AtPercent(80), AtPercent(50), AtBreach(), After(60), AtPercent(150), AtPercent(12.5))
OFFERED = book(terms("resolution", "60m", pause=PENDING, warn=("25%", "80%", "30m before")))


def cycle(*told: str, when: str = "10:30") -> Cycle:
    """The only one, as it stands at an instant."""
    return judged(timeline("09:00 created", *told), OFFERED, when).last("resolution").cycle


def test_the_parts_of_the_target_are_told_in_the_order_of_the_ladder() -> None:
    assert (80, 50, 150, 12.5) == percents(LADDER)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), {80: at("09:48"), 50: at("09:30"), 150: at("10:30"), 12.5: at("09:07:30")}),
        (("09:35 pending", "09:55 open"), {80: at("10:08"), 50: at("09:30"), 150: at("10:50"), 12.5: at("09:07:30")}),
        (("09:35 pending",), {80: None, 50: at("09:30"), 150: None, 12.5: at("09:07:30")}),
    ],
)
def test_each_part_is_reached_when_so_much_of_the_target_is_used_up(told: tuple[str, ...], expected: dict[float, datetime | None]) -> None:
    assert expected == marks(cycle(*told), LADDER)


def test_a_target_in_business_days_has_parts_too() -> None:
    in_days = judged(timeline("15:00 created"), book(terms("resolution", "2bd", on=OFFICE)), "15:00").last("resolution").cycle

    assert {50: at("tue 15:00")} == marks(in_days, ladder(AtPercent(50)))


def test_a_ladder_that_names_no_part_has_no_marks() -> None:
    assert {} == marks(cycle(), ladder(AtBreach(), After(60)))


@pytest.mark.parametrize(("milestone", "percent"), [("25%", 25), ("80%", 80), ("30m before", None), ("50%", None), ("breach", None)])
def test_a_warning_stands_at_a_part_of_the_target_or_is_told_otherwise(milestone: str, percent: float | None) -> None:
    assert percent == percent_of(cycle(), milestone)


@pytest.mark.parametrize(("percent", "expected"), [(80, True), (50, True), (150, True), (60, False), (100, False)])
def test_a_warning_opens_a_run_where_the_ladder_has_a_rung_for_it(percent: float, expected: bool) -> None:
    assert expected is opens_at(LADDER, percent)


def test_the_rungs_of_the_breach_are_told_in_order() -> None:
    of = ladder(AtPercent(80), AtBreach(), After(60), AtBreach())

    assert (of.steps[1], of.steps[3]) == of.breach_steps()
