"""What attempts say of an endpoint: the breaker, the warnings, the end."""

from datetime import timedelta

import pytest

from app.delivery.breaker import DISABLE_AFTER, NOT_ITS_FAULT, OPENS_AFTER, PROBE, TRANSPORT, Step, Tried, after, disabled, enabled, is_news
from app.store.endpoints import Endpoint
from tests.support.clock import START

UP = Endpoint("up")


def failed(hours: float = 0, error_class: str = "timeout") -> Tried:
    return Tried(START + timedelta(hours=hours), error_class, "it did not work")


def accepted(hours: float = 0) -> Tried:
    return Tried(START + timedelta(hours=hours), "ok")


def steps(*tries: Tried, endpoint: Endpoint = UP) -> list[Step]:
    return [step for step, _ in after(endpoint, tries)[1]]


@pytest.mark.parametrize("error_class", sorted(TRANSPORT))
def test_ten_attempts_in_a_row_without_an_answer_open_the_breaker_for_a_minute(error_class: str) -> None:
    nine, _ = after(UP, [failed(error_class=error_class)] * (OPENS_AFTER - 1))
    ten, _ = after(nine, [failed(error_class=error_class)])

    assert (nine.open_until, ten.open_until) == (None, START + PROBE)


@pytest.mark.parametrize("error_class", ["http_5xx", "http_4xx", "http_429", "redirect"])
def test_an_answer_of_any_kind_closes_the_breaker_but_the_endpoint_still_fails(error_class: str) -> None:
    endpoint, _ = after(UP, [*[failed()] * 12, failed(1, error_class)])

    assert (endpoint.open_until, endpoint.transport_failures, endpoint.failures) == (None, 0, 13)
    assert endpoint.failing_since == START


def test_an_accepted_message_wipes_the_slate_clean() -> None:
    endpoint, _ = after(UP, [*[failed()] * 12, accepted(1)])

    assert endpoint == Endpoint("up", delivered_at=START + timedelta(hours=1))


@pytest.mark.parametrize("error_class", sorted(NOT_ITS_FAULT))
def test_what_is_not_its_fault_is_not_held_against_it(error_class: str) -> None:
    assert after(UP, [failed(hours, error_class) for hours in range(200)]) == (UP, [])
    assert not is_news(UP, [failed(error_class=error_class)])


def test_it_is_warned_of_after_six_hours_and_after_three_days_once_each() -> None:
    assert steps(*map(failed, range(6))) == []
    assert steps(*map(failed, range(72))) == ["failing"]
    assert steps(*map(failed, range(100))) == ["failing", "failing"]


def test_two_warnings_that_fall_due_together_are_one() -> None:
    assert steps(failed(), failed(80)) == ["failing"]


def test_after_five_days_and_ten_failures_it_is_disabled() -> None:
    days = DISABLE_AFTER / timedelta(hours=1)
    short, _ = after(UP, [*[failed()] * 9, failed(days - 0.1)])
    long, _ = after(UP, [*[failed()] * 9, failed(days)])
    seldom, _ = after(UP, [*[failed()] * 8, failed(days)])

    assert (short.disabled_at, long.disabled_at, seldom.disabled_at) == (None, START + DISABLE_AFTER, None)
    assert long.disabled_by is None
    assert steps(*[failed()] * 9, failed(days)) == ["disabled"]


def test_an_endpoint_that_says_it_is_gone_is_disabled_at_once() -> None:
    endpoint, said = after(UP, [Tried(START, "http_410", "gone", gone=True), failed(1)])

    assert endpoint.disabled_at == START
    assert [step for step, _ in said] == ["disabled"]


def test_one_that_was_warned_of_and_accepts_again_has_recovered() -> None:
    [_, (step, former)] = after(UP, [failed(), failed(7), accepted(8)])[1]

    assert steps(failed(), accepted(1)) == []
    assert (step, former.failures, former.failing_since) == ("recovered", 2, START)


def test_a_message_accepted_late_does_not_enable_what_was_disabled() -> None:
    endpoint, said = after(disabled(UP, START, "jo"), [accepted(1), failed(2)])

    assert (endpoint.disabled_at, endpoint.disabled_by, said) == (START, "jo", [])
    assert enabled(endpoint).disabled_at is None


def test_an_endpoint_that_does_well_is_written_once_a_minute() -> None:
    well = Endpoint("up", delivered_at=START)

    assert is_news(None, [accepted()])
    assert not is_news(well, [accepted(59 / 3600)])
    assert is_news(well, [accepted(60 / 3600)])
    assert is_news(well, [failed()])
    assert not is_news(well, [])
