"""What each arrival teaches about the rhythm of a source."""

import pytest

from app.rules.rhythm import Rhythm
from tests.rules.builders import at


def heard(*instants: str) -> Rhythm:
    return Rhythm().hear(map(at, instants))


def test_nothing_heard_is_nothing_known() -> None:
    assert Rhythm().hear([]) == Rhythm()


def test_the_first_gap_is_the_usual_one_and_the_longest() -> None:
    twice = heard("09:00", "09:10")

    assert (twice.first_at, twice.last_at, twice.gaps, twice.usual, twice.longest) == (at("09:00"), at("09:10"), 1, 600.0, 600.0)


def test_a_new_gap_weighs_a_fiftieth() -> None:
    assert heard("09:00", "09:10", "09:25").usual == pytest.approx(600 + 300 / 50)


def test_what_lies_before_or_at_the_last_arrival_is_counted_but_no_gap() -> None:
    late = heard("09:00", "09:10").hear([at("09:05"), at("09:10")])

    assert (late.gaps, late.usual, late.first_at, late.last_at) == (1, 600.0, at("09:00"), at("09:10"))
    assert late.count(at("08:00")) == 4


def test_steps_are_kept_for_a_day() -> None:
    assert heard("08:55", "09:00", "tue 09:00").steps == tuple((int(at(step).timestamp()), 1) for step in ("09:00", "tue 09:00"))
