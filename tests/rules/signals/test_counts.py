"""Reopened, repeat ticket, missed promise."""

from datetime import timedelta

import pytest

from app.rules.signals import Count, Related, SignalRule
from tests.rules.builders import MONDAY, at, book, event, timeline
from tests.rules.signals.watching import instants, raised, watched

DAY = timedelta(days=1)
WEEK = 7 * 86_400


def earlier(days: float, number: str = "9") -> Related:
    return Related(f"tkt_{number}", number, at("09:00") - days * DAY, "requester")


def test_a_reopening_counts_once_it_had_been_solved_and_was_not_our_own_doing() -> None:
    line = timeline("09:00 created", "09:10 solved", "09:20 closed", "09:30 reopened", "09:40 solved", "09:50 reopened !")
    (one,) = raised(line, SignalRule("reopened", Count(0)), "10:00")

    assert (at("09:30"), ("09:30 reopened",)) == (one.raised_at, one.evidence.keys)
    assert "Reopened once after it had been solved." == one.evidence.sentences[0]


def test_the_second_reopening_within_the_window() -> None:
    line = timeline("09:00 created", "09:10 solved", "09:30 reopened", "09:40 solved", "12:00 reopened")

    assert [] == instants(line, SignalRule("reopened", Count(1, 3600)), "13:00")
    assert [at("12:00")] == instants(line, SignalRule("reopened", Count(1)), "13:00")


@pytest.mark.parametrize(("days", "expected"), [(6.9, 1), (7, 0), (8, 0), (-1, 0)])
def test_a_second_ticket_within_a_week_is_a_repeat_and_later_it_is_none(days: float, expected: int) -> None:
    line = timeline("09:00 created")

    assert expected == len(raised(line, SignalRule("repeat_ticket", Count(0, WEEK)), "10:00", related=[earlier(days)]))


def test_a_repeat_names_the_earlier_tickets() -> None:
    line = timeline("09:00 created")
    rule = SignalRule("repeat_ticket", Count(1, WEEK))
    (one,) = raised(line, rule, "10:00", related=[earlier(1, "41"), earlier(2, "40")])

    assert at("09:00") == one.raised_at
    assert (
        "2 earlier tickets of the same kind within 7d.",
        "2026-02-28 09:00 UTC: 40 (same requester).",
        "2026-03-01 09:00 UTC: 41 (same requester).",
    ) == one.evidence.sentences
    assert [] == raised(line, rule, "10:00", related=[earlier(1, "41")])


def test_broken_promises_count_when_they_were_due() -> None:
    line = timeline("09:00 created", "12:00 customer asks")
    rule = SignalRule("missed_promise", Count(1))

    assert [at("11:00")] == instants(line, rule, "13:00", by=book(first_response="1h", resolution="2h"))
    assert [] == instants(line, rule, "13:00", by=book(first_response="1h", resolution="9h"))


def test_a_promised_update_that_does_not_come_is_missed_at_that_instant() -> None:
    promise = event("09:00 agent replies", promised_update_at=MONDAY + timedelta(hours=11))
    rule = SignalRule("missed_promise", Count(0))
    line = timeline("08:00 created", promise)

    assert ((), at("11:00")) == watched(line, rule, "10:00")
    assert [at("11:00")] == instants(line, rule, "12:00")
    assert [] == instants(line.extend(timeline("10:59 agent replies").events), rule, "12:00")
    assert [] == instants(line.extend(timeline("10:59 solved").events), rule, "12:00")


def test_a_promise_that_was_moved_in_time_is_missed_only_at_the_new_time() -> None:
    line = timeline(
        event("08:00 created", promised_update_at="2026-03-02T11:00:00Z"),
        event("10:00 agent notes", promised_update_at="2026-03-02T15:00:00+00:00"),
    )

    assert [at("15:00")] == instants(line, SignalRule("missed_promise", Count(0)), "16:00")
