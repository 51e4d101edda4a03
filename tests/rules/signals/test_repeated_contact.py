"""Repeated contact."""

from app.rules.signals import Contacts, SignalRule
from tests.rules.builders import at, event, timeline
from tests.rules.signals.watching import instants, raised


def rule(more_than: int, within: int | None = None, *, after_answer: bool = False) -> SignalRule:
    return SignalRule("repeated_contact", Contacts(more_than, within, after_answer))


def test_the_message_after_those_that_are_tolerated_raises_it_and_an_answer_ends_it() -> None:
    line = timeline(
        "09:00 created and customer asks", "09:10 customer asks", "09:20 customer asks", "09:30 customer asks", "10:00 agent replies"
    )
    (one,) = raised(line, rule(2), "11:00")

    assert (at("09:30"), at("10:00")) == (one.raised_at, one.ended_at)
    assert ("09:10 customer asks", "09:20 customer asks", "09:30 customer asks") == one.evidence.keys


def test_a_note_and_a_bot_answer_nothing_but_an_agent_does() -> None:
    told = ("09:00 created", "09:10 customer asks", "09:20 agent notes", "09:30 bot replies", "09:40 customer asks")

    assert [at("09:40")] == instants(timeline(*told), rule(1), "10:00")
    assert [] == instants(timeline(*told, "09:35 agent replies"), rule(1), "10:00")


def test_the_same_message_told_twice_is_one() -> None:
    line = timeline("09:00 created", event("09:10 customer asks", message="m"), event("09:11 customer asks", message="m"))

    assert [] == instants(line, rule(1), "10:00")


def test_a_requester_who_is_staff_is_a_customer_here() -> None:
    line = timeline(
        "09:00 created and requester anna", event("09:10 agent replies", actor="anna"), event("09:20 agent replies", actor="Anna")
    )

    assert [at("09:20")] == instants(line, rule(1), "10:00")


def test_thanks_after_the_solution_is_no_alarm() -> None:
    line = timeline("09:00 created", "09:05 agent replies", "09:10 solved", "09:20 customer asks", "09:30 customer asks")

    assert [] == instants(line, rule(1), "10:00")
    assert [at("09:40")] == instants(line.extend(timeline("09:40 reopened").events), rule(1), "10:00")


def test_contacts_after_the_first_answer_are_counted_through_later_answers() -> None:
    line = timeline(
        "09:00 created", "09:01 customer asks", "09:05 agent replies", "09:10 customer asks", "09:15 agent replies", "09:20 customer asks"
    )

    assert ([at("09:20")], []) == (instants(line, rule(1, after_answer=True), "10:00"), instants(line, rule(1), "10:00"))
