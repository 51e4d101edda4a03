"""Running, paused and stopped stretches of a clock."""

from datetime import datetime

from app.rules.stretches import Kind, Stretch, Stretches, closed, cut_before, paused_too, running_from, turned, unpaused_before
from tests.rules.builders import at


def made(*parts: str) -> Stretches:
    """`made("09:00-10:00 running", "10:00- paused")`."""
    return tuple(_one(part) for part in parts)


def _one(part: str) -> Stretch:
    times, kind = part.split(" ")
    start, end = times.split("-")
    kinds: dict[str, Kind] = {"running": "running", "paused": "paused", "stopped": "stopped"}
    return Stretch(at(start), _end(end), kinds[kind])


def _end(text: str) -> datetime | None:
    return at(text) if text else None


def test_a_clock_runs_from_its_start() -> None:
    assert running_from(at("09:00")) == made("09:00- running")


def test_a_turn_ends_the_last_stretch() -> None:
    assert turned(made("09:00- running"), at("10:00"), "paused", None) == made("09:00-10:00 running", "10:00- paused")


def test_a_turn_to_the_same_changes_nothing() -> None:
    running = made("09:00- running")

    assert turned(running, at("10:00"), "running", None) is running


def test_a_pause_for_another_reason_is_another_stretch() -> None:
    pending = turned(made("09:00- running"), at("10:00"), "paused", "status pending")

    assert [s.why for s in turned(pending, at("11:00"), "paused", "status on_hold")] == [None, "status pending", "status on_hold"]


def test_a_turn_and_back_at_one_instant_leaves_no_trace() -> None:
    there = turned(made("09:00- running"), at("10:00"), "paused", None)

    assert turned(there, at("10:00"), "running", None) == made("09:00- running")


def test_a_turn_before_the_start_happens_at_the_start() -> None:
    assert turned(made("09:00- running"), at("08:00"), "paused", None) == made("09:00- paused")


def test_a_closed_clock_ends_there_and_keeps_at_least_one_stretch() -> None:
    assert closed(made("09:00- running"), at("10:00")) == made("09:00-10:00 running")
    assert closed(made("09:00- running"), at("09:00")) == made("09:00-09:00 running")
    assert closed(made("09:00-10:00 running", "10:00- paused"), at("10:00")) == made("09:00-10:00 running")


def test_a_clock_goes_on_after_a_stop() -> None:
    stopped = turned(made("09:00-10:00 running"), at("10:00"), "stopped", None)

    assert turned(stopped, at("11:00"), "running", None) == made("09:00-10:00 running", "10:00-11:00 stopped", "11:00- running")


def test_a_stop_and_a_restart_at_one_instant_leave_no_trace() -> None:
    before = made("08:00-09:00 running", "09:00-09:30 paused")
    stopped = turned((*before, *made("09:30-10:00 running")), at("10:00"), "stopped", None)

    assert turned(stopped, at("10:00"), "running", None) == (*before, *made("09:30- running"))


def test_a_clock_that_was_stopped_as_it_started_remembers_that_it_ran() -> None:
    assert turned(made("09:00-09:00 running"), at("09:00"), "stopped", None) == made("09:00-09:00 running", "09:00- stopped")


def test_only_what_lies_later_is_left_of_a_cut() -> None:
    stretches = made("09:00-10:00 running", "10:00-11:00 paused", "11:00- running")

    assert cut_before(stretches, at("10:30")) == made("10:30-11:00 paused", "11:00- running")
    assert cut_before(stretches, at("10:00")) == made("10:00-11:00 paused", "11:00- running")
    assert cut_before(stretches, at("12:00")) == made("12:00- running")


def test_pauses_before_an_instant_may_count_as_running() -> None:
    stretches = made("09:00-10:00 paused", "10:00-11:00 running", "11:00- paused")

    assert unpaused_before(stretches, at("12:00")) == made(
        "09:00-10:00 running", "10:00-11:00 running", "11:00-12:00 running", "12:00- paused"
    )
    assert unpaused_before(stretches, at("10:00")) == made("09:00-10:00 running", "10:00-11:00 running", "11:00- paused")
    assert unpaused_before(stretches, at("11:00")) == made("09:00-10:00 running", "10:00-11:00 running", "11:00- paused")


def test_what_ran_during_a_pause_stands_still_too() -> None:
    stretches = made("09:00-11:00 running", "11:00-12:00 stopped", "12:00- running")
    pauses = made("08:00-08:30 paused", "09:30-10:00 paused", "10:30-11:30 paused", "13:00- paused")

    assert paused_too(stretches, pauses) == made(
        "09:00-09:30 running",
        "09:30-10:00 paused",
        "10:00-10:30 running",
        "10:30-11:00 paused",
        "11:00-12:00 stopped",
        "12:00-13:00 running",
        "13:00- paused",
    )


def test_a_pause_from_the_start_leaves_no_empty_stretch_and_says_why() -> None:
    pauses = (Stretch(at("09:00"), at("09:30"), "paused", "status pending"), *made("09:30-10:00 paused"))

    assert paused_too(made("09:00-10:00 running"), pauses) == pauses


def test_pauses_elsewhere_change_nothing() -> None:
    stretches = made("09:00-10:00 running", "10:00- paused")

    assert paused_too(stretches, made("08:00-09:00 paused", "09:15-09:45 running")) == stretches


def test_a_stretch_that_began_at_the_very_end_is_left_out() -> None:
    before = made("09:00-10:00 running", "10:00-11:00 paused", "11:00- running")

    assert closed(before, at("11:00")) == made("09:00-10:00 running", "10:00-11:00 paused")
