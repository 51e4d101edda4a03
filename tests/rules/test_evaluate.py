"""The verdict: states, health, numbers, what comes next."""

import pytest

from app.rules.durations import parse_target
from app.rules.evaluate import evaluate, target_seconds, target_text
from app.rules.policy import Book, Tier
from app.rules.timeline import Timeline
from tests.rules.builders import OFFICE, PENDING, at, book, event, judged, policy, terms, timeline

WARNED = book(terms("resolution", "4h", warn=("50%", "80%"), pause=PENDING))


@pytest.mark.parametrize(
    ("told", "when", "state", "health"),
    [
        ([], "10:59", "running", "on_track"),
        ([], "11:00", "running", "at_risk"),
        ([], "13:00", "running", "overdue"),
        (["12:00 pending"], "18:00", "paused", "paused"),
        (["12:00 solved"], "18:00", "stopped", "met"),
        (["14:00 solved"], "18:00", "stopped", "missed"),
        (["12:00 deleted"], "18:00", "cancelled", "cancelled"),
        (["14:00 deleted"], "18:00", "cancelled", "missed"),
        (["14:00 pending"], "18:00", "paused", "paused"),
    ],
)
def test_state_and_health(told: list[str], when: str, state: str, health: str) -> None:
    clock = judged(timeline("09:00 created", *told), WARNED, when).last("resolution")

    assert (clock.state, clock.health) == (state, health)


def test_a_clock_is_broken_from_its_due_instant_on_and_not_before() -> None:
    line = timeline("09:00 created")

    before = judged(line, WARNED, at("13:00").replace(hour=12, minute=59, second=59, microsecond=999_999)).last("resolution")
    then = judged(line, WARNED, "13:00").last("resolution")

    assert (before.breached_at, then.breached_at) == (None, at("13:00"))


def test_a_breach_is_dated_by_its_deadline_whenever_it_is_seen() -> None:
    clock = judged(timeline("09:00 created"), WARNED, "fri 09:00").last("resolution")

    assert (clock.breached_at, clock.due_at, clock.cause) == (at("13:00"), at("13:00"), "elapsed")


def test_a_late_event_that_proves_the_promise_was_kept_takes_the_breach_back() -> None:
    line = timeline("09:00 created")

    seen = judged(line, WARNED, "14:00").last("resolution")
    learned = judged(line.extend([event("12:00 solved")]), WARNED, "14:00").last("resolution")

    assert (seen.breached_at, learned.breached_at) == (at("13:00"), None)
    assert seen.identity == learned.identity


def test_remaining_goes_below_zero() -> None:
    clock = judged(timeline("09:00 created"), WARNED, "13:30").last("resolution")

    assert (clock.consumed, clock.remaining) == (16_200_000_000, -1_800_000_000)


def test_remaining_of_a_target_in_days_is_open_time() -> None:
    in_days = book(terms("resolution", "1bd", on=OFFICE, pause=PENDING))
    told = ["10:00 created"]

    ahead = judged(timeline(*told), in_days, "16:00").last("resolution")
    over = judged(timeline(*told), in_days, "tue 11:00").last("resolution")
    paused = judged(timeline(*told, "11:00 pending"), in_days, "12:00").last("resolution")

    assert [clock.remaining for clock in (ahead, over, paused)] == [7_200_000_000, -3_600_000_000, None]


def test_a_target_in_days_has_its_milestones() -> None:
    by = book(terms("resolution", "1bd", on=OFFICE, warn=("50%", "1h before")))

    marks = judged(timeline("10:00 created"), by, "10:00").last("resolution").milestones

    assert [(mark.name, mark.at) for mark in marks] == [("50%", at("14:00")), ("1h before", at("17:00")), ("breach", at("tue 10:00"))]


def test_milestones_are_in_the_order_of_time_however_they_are_written() -> None:
    marks = judged(timeline("09:00 created"), book(terms("resolution", "4h", warn=("30m before", "50%"))), "09:00").last("resolution")

    assert [mark.name for mark in marks.milestones] == ["50%", "30m before", "breach"]


def test_the_next_check_is_the_first_milestone_that_has_not_fired() -> None:
    clock = judged(timeline("09:00 created"), WARNED, "09:00").last("resolution")

    assert clock.next_check_at([]) == at("11:00")
    assert clock.next_check_at(["50%"]) == at("12:12")
    assert clock.next_check_at(["50%", "80%"]) == at("13:00")
    assert clock.next_check_at(["50%", "80%", "breach"]) is None


def test_a_stopped_clock_has_passed_only_what_came_before_its_stop() -> None:
    clock = judged(timeline("09:00 created", "12:12 solved"), WARNED, "18:00").last("resolution")

    assert [mark.name for mark in clock.passed] == ["50%"]
    assert clock.next_check_at([]) is None


def test_a_cancelled_clock_is_due_at_no_time() -> None:
    clock = judged(timeline("09:00 created", "12:00 deleted"), WARNED, "18:00").last("resolution")

    assert (clock.due_at, [mark.name for mark in clock.milestones]) == (None, ["50%"])


def test_a_kept_promise_still_says_when_it_was_due() -> None:
    assert judged(timeline("09:00 created", "10:00 solved"), WARNED, "18:00").last("resolution").due_at == at("13:00")


def test_the_verdict_names_policy_and_tier_and_knows_the_ticket() -> None:
    verdict = evaluate(timeline("09:00 created and tier gold"), book(policy("gold", match={"tier": "gold"})), at("09:30"))

    assert (verdict.policy, verdict.tier, verdict.at, verdict.rejudge_at) == ("gold", "gold", at("09:30"), None)
    assert verdict.ticket is not None
    assert verdict.ticket.facts["tier"] == "gold"


def test_the_next_date_of_a_tier_lies_after_the_moment_of_asking() -> None:
    by = Book(1, (policy("p", resolution="1h"),), tiers=(Tier("gold", since=at("10:00"), until=at("11:00")),))
    asked = [evaluate(timeline("09:00 created"), by, at(when)).rejudge_at for when in ("09:59:59", "10:00", "11:00")]

    assert [at("10:00"), at("11:00"), None] == asked


def test_nothing_known_is_an_empty_verdict() -> None:
    verdict = evaluate(Timeline(), WARNED, at("09:00"))

    assert (verdict.ticket, verdict.policy, verdict.tier, verdict.clocks) == (None, None, None, ())


@pytest.mark.parametrize(
    ("target", "text", "seconds"),
    [("4h", "4h", 14_400), ("90m", "1h30m", 5_400), ("61s", "1m1s", 61), ("2bd", "2bd", None), ("1bd@close", "1bd@close", None)],
)
def test_a_target_is_written_as_one_would_write_it(target: str, text: str, seconds: int | None) -> None:
    assert (target_text(parse_target(target)), target_seconds(parse_target(target))) == (text, seconds)
