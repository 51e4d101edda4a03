"""Follow-up: after a missed promise, solved is not the last word."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.rules.conditions import parse_condition
from app.rules.policy import Book, CustomMetric, Tier
from tests.rules.builders import at, book, judged, policy, timeline

PLAIN = book(first_response="1h", resolution="4h", follow_up="24h")
LONG_AGO = Tier("nobody", parse_condition({"nothing": "at all"}), since=datetime(2020, 1, 1, tzinfo=UTC))
"""With it a document is not steady: every metric is asked at every step."""
LATE = ["09:00 created", "10:30 agent replies", "11:00 solved"]


@pytest.mark.parametrize("tiers", [(), (LONG_AGO,)])
def test_a_ticket_whose_promises_were_kept_needs_none(tiers: tuple[Tier, ...]) -> None:
    line = timeline("09:00 created", "09:30 agent replies", "11:00 solved", "12:00 closed")

    assert judged(line, replace(PLAIN, tiers=tiers), "13:00").of("follow_up") == []


@pytest.mark.parametrize("tiers", [(), (LONG_AGO,)])
def test_a_promise_that_was_missed_before_the_solve_stays_missed(tiers: tuple[Tier, ...]) -> None:
    clocks = judged(timeline(*LATE, "12:00 closed", "12:10 tagged vip"), replace(PLAIN, tiers=tiers), "13:00").of("follow_up")

    assert [(clock.state, clock.cycle.anchor) for clock in clocks] == [("running", at("11:00"))]


@pytest.mark.parametrize("tiers", [(), (LONG_AGO,)])
def test_a_promise_that_is_missed_after_the_solve_does_not_count(tiers: tuple[Tier, ...]) -> None:
    definition = CustomMetric("care", parse_condition({"tags": "vip"}))
    by = Book(1, (policy("everyone", care="4h", follow_up="24h"),), tiers=tiers, metrics={"care": definition})

    result = judged(timeline("09:00 created and tagged vip", "11:00 solved", "14:00 closed"), by, "15:00")

    assert (result.last("care").health, result.of("follow_up")) == ("overdue", [])


def test_after_a_missed_promise_it_runs_from_the_solve() -> None:
    clock = judged(timeline(*LATE), PLAIN, "12:00").last("follow_up")

    assert (clock.health, clock.cycle.anchor, clock.remaining) == ("on_track", at("11:00"), 23 * 3600 * 1_000_000)


def test_a_public_message_of_an_agent_keeps_it_and_nothing_more_is_owed() -> None:
    clocks = judged(timeline(*LATE, "12:00 agent replies", "13:00 agent replies"), PLAIN, "14:00").of("follow_up")

    assert [(clock.health, clock.cycle.stopped_at) for clock in clocks] == [("met", at("12:00"))]


def test_the_reply_that_solves_is_no_follow_up() -> None:
    line = timeline("09:00 created", "10:30 #1 agent replies", "10:30 #2 solved")

    assert judged(line, PLAIN, "12:00").last("follow_up").health == "on_track"


def test_a_customers_thanks_or_a_note_is_none() -> None:
    line = timeline(*LATE, "11:30 customer asks", "11:40 agent notes")

    assert judged(line, PLAIN, "12:00").last("follow_up").health == "on_track"


def test_a_promise_missed_at_the_very_solve_counts() -> None:
    line = timeline("09:00 created", "09:30 agent replies", "13:30 solved")

    assert judged(line, PLAIN, "14:00").last("follow_up").cycle.anchor == at("13:30")


def test_reopening_lets_it_lapse_and_the_next_solve_owes_one_again() -> None:
    clocks = judged(timeline(*LATE, "12:00 reopened", "13:00 solved"), PLAIN, "14:00").of("follow_up")

    assert [(clock.health, clock.cycle.anchor) for clock in clocks] == [("cancelled", at("11:00")), ("on_track", at("13:00"))]


def test_closing_what_is_solved_changes_nothing() -> None:
    assert judged(timeline(*LATE, "12:00 closed"), PLAIN, "13:00").last("follow_up").cycle.anchor == at("11:00")


def test_deleting_lets_it_lapse() -> None:
    assert judged(timeline(*LATE, "12:00 deleted"), PLAIN, "13:00").last("follow_up").health == "cancelled"
