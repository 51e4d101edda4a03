"""The budget of a source: a bucket that may be overdrawn by what is under way, and moments for those who have to wait."""

from datetime import datetime, timedelta

from app.delivery.budget import Budget
from tests.support.clock import START


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_full_bucket_lets_go_and_an_empty_one_makes_wait_until_a_request_has_flowed_in() -> None:
    budget = Budget.full(60, START)
    assert budget.wait_until(START) is None
    budget.spend(10, START)

    assert after(1) == budget.wait_until(START)
    assert budget.wait_until(after(1.1)) is None


def test_a_slow_source_may_still_make_the_requests_of_one_write_back_at_once() -> None:
    budget = Budget.full(6, START)
    budget.spend(3, START)

    assert budget.wait_until(START) is None


def test_what_was_overdrawn_is_waited_for() -> None:
    budget = Budget.full(60, START)
    budget.spend(15, START)

    assert after(6) == budget.wait_until(START)


def test_those_who_wait_come_back_one_after_another_at_the_pace_of_the_source() -> None:
    budget = Budget.full(60, START)
    budget.spend(10, START)
    moments = [budget.wait_until(START) for _ in range(3)]

    assert [after(1), after(4), after(7)] == moments


def test_the_pace_follows_what_a_write_back_really_takes() -> None:
    budget = Budget.full(60, START)
    for _ in range(40):
        budget.made(1)
    budget.spend(10, START)
    first, second = budget.wait_until(START), budget.wait_until(START)

    assert first is not None
    assert second is not None
    assert 1.0 <= (second - first).total_seconds() < 1.01


def test_a_helpdesk_that_asks_for_patience_is_not_asked_before() -> None:
    budget = Budget.full(60, START)
    budget.close(after(90))
    budget.close(after(30))

    assert after(90) == budget.wait_until(after(1))
    assert budget.wait_until(after(90)) is None


def test_a_bucket_never_holds_more_than_flows_in_within_ten_seconds() -> None:
    budget = Budget.full(60, START)
    later = START + timedelta(days=1)
    budget.spend(10, later)

    assert budget.wait_until(later) is not None


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    budget = Budget.full(60, START)
    budget.spend(9, after(10))

    assert budget.wait_until(START) is None
