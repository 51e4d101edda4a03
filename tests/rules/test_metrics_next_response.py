"""Next response: from the oldest unanswered customer message to the next public agent reply."""

from app.rules.events import ActorKind
from app.rules.metrics import next_response
from app.rules.ticket import walk
from tests.rules.builders import at, book, judged, terms, timeline

PLAIN = book(next_response="1h")
PROMISE = terms("next_response", "1h")


def told(*events: str) -> list[tuple[str, str, str | None]]:
    """Health, start and end of each clock at 12:00."""
    clocks = judged(timeline("09:00 created", *events), PLAIN, "12:00").of("next_response")
    return [
        (clock.health, f"{clock.cycle.anchor:%H:%M}", f"{clock.cycle.stopped_at:%H:%M}" if clock.cycle.stopped_at else None)
        for clock in clocks
    ]


def test_asking_twice_is_one_wait() -> None:
    steps = walk(timeline("09:00 created", "09:05 agent replies", "10:00 customer asks", "10:05 customer asks"))

    assert [next_response.anchor(step, PROMISE, None) for step in steps] == [None, None, at("10:00"), at("10:00")]


def test_it_begins_after_the_first_response() -> None:
    assert told("09:10 customer asks") == []
    assert told("09:10 customer asks", "09:20 agent replies", "11:30 customer asks") == [("on_track", "11:30", None)]


def test_each_exchange_is_a_clock_of_its_own() -> None:
    exchanges = told("09:10 agent replies", "09:20 customer asks", "09:30 agent replies", "10:00 customer asks", "11:30 agent replies")

    assert exchanges == [("met", "09:20", "09:30"), ("missed", "10:00", "11:30")]


def test_a_note_does_not_end_the_wait() -> None:
    assert told("09:10 agent replies", "11:30 customer asks", "11:40 agent notes") == [("on_track", "11:30", None)]


def test_a_status_change_does_not_end_the_wait() -> None:
    assert told("09:10 agent replies", "11:30 customer asks", "11:40 pending") == [("on_track", "11:30", None)]


def test_solving_ends_the_wait_without_an_answer() -> None:
    assert told("09:10 agent replies", "11:30 customer asks", "11:40 solved") == [("cancelled", "11:30", "11:40")]


def test_a_reply_that_solves_is_an_answer() -> None:
    assert told("09:10 agent replies", "11:30 customer asks", "11:40 agent replies and solved") == [("met", "11:30", "11:40")]


def test_solving_may_count_as_an_answer() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "11:30 customer asks", "11:40 solved")

    assert judged(line, book(terms("next_response", "1h", on_solve="fulfil")), "12:00").last("next_response").health == "met"


def test_a_message_that_reopens_waits_from_itself() -> None:
    assert told("09:10 agent replies and solved", "11:30 customer asks and reopened") == [("on_track", "11:30", None)]


def test_a_ticket_created_by_an_agent_waits_from_the_customers_first_own_message() -> None:
    line = timeline("09:00 created by agent and customer asks", "10:00 customer asks")

    assert [clock.cycle.anchor for clock in judged(line, PLAIN, "10:30").of("next_response")] == [at("10:00")]
    assert judged(line, book(terms("next_response", "1h", on_behalf=True)), "10:30").of("next_response") == []


def test_a_bot_answers_where_bots_count() -> None:
    both = book(terms("next_response", "1h", reply_by=frozenset({ActorKind.AGENT, ActorKind.BOT})))
    line = timeline("09:00 created", "09:10 agent replies", "11:30 customer asks", "11:31 bot replies")

    assert judged(line, both, "12:00").last("next_response").health == "met"
