"""Update cadence: the customer hears from us again within so long."""

from app.rules.metrics import update_cadence
from app.rules.ticket import walk
from tests.rules.builders import at, book, judged, terms, timeline

PLAIN = book(update_cadence="1h")


def test_the_anchor_is_the_last_public_agent_message() -> None:
    steps = walk(timeline("09:00 created", "09:10 agent replies", "09:20 agent notes", "09:30 agent replies", "09:40 solved"))
    anchors = [update_cadence.anchor(step, terms("update_cadence", "1h"), None) for step in steps]

    assert anchors == [None, at("09:10"), at("09:10"), at("09:30"), None]


def test_each_reply_keeps_one_promise_and_makes_the_next() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "10:00 agent replies", "11:30 agent replies")

    clocks = judged(line, PLAIN, "11:40").of("update_cadence")

    assert [(clock.health, clock.due_at) for clock in clocks] == [("met", at("10:10")), ("missed", at("11:00")), ("on_track", at("12:30"))]


def test_what_the_customer_writes_changes_nothing() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:30 customer asks")

    assert judged(line, PLAIN, "09:40").last("update_cadence").due_at == at("10:10")


def test_solving_keeps_the_promise() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:30 solved")

    assert judged(line, PLAIN, "12:00").last("update_cadence").health == "met"


def test_a_reopened_ticket_resumes_the_promise() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:30 solved", "12:00 reopened")

    assert judged(line, PLAIN, "12:10").last("update_cadence").due_at == at("12:40")


def test_a_ticket_that_began_with_our_message_promises_the_next_one() -> None:
    line = timeline("09:00 created by agent and agent replies")

    assert judged(line, PLAIN, "09:30").last("update_cadence").due_at == at("10:00")
