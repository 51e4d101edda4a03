"""First response: from the creation to the first public reply by a human agent."""

import pytest

from app.rules.metrics import first_response
from app.rules.ticket import walk
from tests.rules.builders import at, book, judged, terms, timeline

PLAIN = book(first_response="1h")
PROMISE = terms("first_response", "1h")


def health(*told: str) -> str:
    return judged(timeline("09:00 created", *told), PLAIN, "09:50").last("first_response").health


def test_the_anchor_is_the_creation_until_somebody_has_replied() -> None:
    asked, replied = walk(timeline("09:05 open and created at 09:00", "09:30 agent replies"))

    assert (first_response.anchor(asked, PROMISE, None), first_response.anchor(replied, PROMISE, None)) == (at("09:00"), None)


@pytest.mark.parametrize(
    "told", ["agent notes", "bot replies", "system writes", "somebody writes", "customer asks", "open", "pending", "assigned anna"]
)
def test_only_a_public_reply_of_a_human_agent_is_a_reply(told: str) -> None:
    assert health(f"09:30 {told}") == "on_track"


def test_a_reply_keeps_the_promise() -> None:
    assert health("09:30 agent replies") == "met"


def test_the_second_reply_changes_nothing() -> None:
    line = timeline("09:00 created", "09:30 agent replies", "10:30 agent replies")

    assert judged(line, PLAIN, "11:00").last("first_response").cycle.stopped_at == at("09:30")


def test_a_ticket_created_by_an_agent_owes_none_unless_it_should() -> None:
    line = timeline("09:00 created by agent and customer asks")

    assert judged(line, PLAIN, "09:30").of("first_response") == []
    assert judged(line, book(terms("first_response", "1h", on_behalf=True)), "09:30").last("first_response").due_at == at("10:00")


def test_a_reply_and_a_solve_in_one_event_keep_the_promise() -> None:
    assert health("09:30 agent replies and solved") == "met"


def test_solved_without_a_reply_lapses_and_is_owed_again_after_a_reopening() -> None:
    line = timeline("09:00 created", "09:20 solved", "12:00 reopened", "12:10 agent replies")

    clocks = judged(line, PLAIN, "13:00").of("first_response")

    assert [(clock.health, clock.due_at) for clock in clocks] == [("met", at("12:40"))]


def test_a_reply_after_the_solve_revives_nothing() -> None:
    assert health("09:20 solved", "09:30 agent replies") == "cancelled"


def test_an_answer_that_is_older_than_what_we_know_is_not_judged() -> None:
    line = timeline("12:00 agent replies and created at 09:00")

    assert judged(line, PLAIN, "12:30").of("first_response") == []
