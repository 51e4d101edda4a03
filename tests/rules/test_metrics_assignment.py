"""Assignment: from the creation until a human is assigned."""

import pytest

from tests.rules.builders import at, book, judged, terms, timeline

PLAIN = book(assignment="1h")


@pytest.mark.parametrize(
    ("told", "health"),
    [
        ("assigned anna", "met"),
        ("given to bot helper", "on_track"),
        ("group support", "on_track"),
        ("unassigned", "on_track"),
        ("agent replies", "on_track"),
        ("solved", "cancelled"),
        ("assigned anna and solved", "met"),
        ("deleted", "cancelled"),
    ],
)
def test_only_a_human_assignee_keeps_the_promise(told: str, health: str) -> None:
    assert judged(timeline("09:00 created", f"09:30 {told}"), PLAIN, "09:50").last("assignment").health == health


def test_a_bot_that_hands_over_to_a_human_keeps_the_promise() -> None:
    line = timeline("09:00 created", "09:01 given to bot helper", "09:40 assigned anna")

    assert judged(line, PLAIN, "12:00").last("assignment").cycle.stopped_at == at("09:40")


def test_another_human_changes_nothing() -> None:
    line = timeline("09:00 created", "09:10 assigned anna", "10:30 assigned bert")

    assert [clock.health for clock in judged(line, PLAIN, "12:00").of("assignment")] == ["met"]


def test_a_ticket_that_loses_its_assignee_goes_on_waiting() -> None:
    line = timeline("09:00 created", "09:10 assigned anna", "10:00 unassigned")

    assert judged(line, PLAIN, "10:10").last("assignment").due_at == at("10:50")


def test_solving_may_count_as_owning() -> None:
    line = timeline("09:00 created", "09:30 solved")

    assert judged(line, book(terms("assignment", "1h", on_solve="fulfil")), "12:00").last("assignment").health == "met"


def test_assigned_in_the_second_of_the_creation_is_kept_in_no_time() -> None:
    clock = judged(timeline("09:00 created", "09:00 assigned anna"), PLAIN, "12:00").last("assignment")

    assert (clock.health, clock.consumed, clock.due_at) == ("met", 0, at("10:00"))
