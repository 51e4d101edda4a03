"""What is known of a ticket, folded from its timeline."""

import pytest

from app.rules.events import ActorKind
from app.rules.ticket import Conversation, TicketAt, walk
from app.rules.timeline import Timeline
from tests.rules.builders import at, event, timeline


def after(*events: str) -> TicketAt:
    return walk(timeline(*events))[-1]


def talk(*events: str) -> tuple[str | None, str | None, str | None]:
    """First reply, last reply, waiting since, as wall times."""
    known = after("09:00 created", *events).by_agent
    first, last, waiting = (None if when is None else f"{when:%H:%M}" for when in known)
    return first, last, waiting


def test_nothing_known_is_no_step() -> None:
    assert walk(Timeline(), [at("09:00")]) == []


def test_absent_is_not_null() -> None:
    known = after("09:00 priority high and assigned anna", "09:10 open", "09:20 unassigned")

    assert known.facts == {"created_at": at("09:00"), "priority": "high", "assignee": None, "status": "open"}


def test_a_null_that_is_the_first_thing_told_of_a_fact_is_a_fact() -> None:
    assert after("09:00 created", "09:10 unassigned").facts == {"created_at": at("09:00"), "assignee": None}


def test_nothing_new_keeps_the_very_same_facts() -> None:
    first, second = walk(timeline("09:00 priority high", "09:10 priority high"))

    assert second.facts is first.facts
    assert second.changed == set()


def test_the_time_of_creation_is_a_fact_that_never_changes() -> None:
    known = after("09:10 open and created at 09:00", "09:20 created at 08:00")

    assert (known.created_at, known.facts["created_at"]) == (at("09:00"), at("09:00"))


@pytest.mark.parametrize(("words", "solved"), [("open", False), ("solved", True), ("closed", True), ("status done", False)])
def test_solved_and_closed_are_solved_and_no_other_word_is(words: str, solved: bool) -> None:
    assert after("09:00 created", f"09:10 {words}").is_solved is solved


@pytest.mark.parametrize(
    ("told", "gone"), [("deleted", True), ("undeleted", False), ("merged into 2", True), ("unmerged", False), ("open", False)]
)
def test_deleted_and_merged_tickets_are_gone(told: str, gone: bool) -> None:
    assert after("09:00 created", f"09:10 {told}").is_gone is gone


@pytest.mark.parametrize("order", ["", "#1 "])
def test_since_when_it_is_gone_is_remembered_until_it_is_back(order: str) -> None:
    told = [f"09:00 {order}created", f"09:10 {order}deleted", f"09:20 {order}priority high", f"09:30 {order}undeleted"]
    more = [f"{time} #2 agent replies" for time in ("09:10", "09:20", "09:30")] if order else []

    assert [step.gone_since for step in walk(timeline(*told, *more))] == [None, at("09:10"), at("09:10"), None]


def test_who_created_it_is_whoever_acted_at_the_creation() -> None:
    assert after("09:00 created by agent", "09:10 customer asks").created_by is ActorKind.AGENT
    assert after("09:00 open", "09:10 created by agent").created_by is ActorKind.AGENT
    assert after("09:00 agent replies").created_by is ActorKind.UNKNOWN


def test_a_group_owns_it_since_it_got_it() -> None:
    told = ["09:00 group a", "09:10 group a", "09:20 group b", "09:30 open"]

    assert after(*told[:2]).group_since == at("09:00")
    assert after(*told).group_since == at("09:20")
    assert walk(timeline(*told, event("09:40 open", group=None)))[-1].group_since is None


def test_a_new_assignee_is_human_unless_told_otherwise() -> None:
    assert after("09:00 given to bot b", "09:10 assigned anna").facts["assignee_is_bot"] is None
    assert after("09:00 given to bot b", "09:10 assigned b").facts["assignee_is_bot"] is True
    assert after("09:00 given to bot b", "09:10 given to bot c").facts["assignee_is_bot"] is True


def test_the_first_and_the_last_reply_are_remembered() -> None:
    assert talk("09:10 agent replies", "09:20 agent notes", "09:30 agent replies") == ("09:10", "09:30", None)


def test_waiting_begins_with_the_oldest_unanswered_message() -> None:
    assert talk("09:10 customer asks", "09:20 customer asks") == (None, None, "09:10")
    assert talk("09:10 customer asks", "09:20 agent replies", "09:30 customer asks") == ("09:20", "09:20", "09:30")


def test_gone_twice_over_in_one_instant_is_gone_since_the_first_time() -> None:
    told = ("09:00 created", "09:10 deleted", "09:20 #1 undeleted", "09:20 #2 deleted")

    assert [step.gone_since for step in walk(timeline(*told))] == [None, at("09:10"), at("09:10")]


def test_what_an_agent_wrote_down_at_the_creation_waits_for_nothing_however_it_is_told() -> None:
    assert after("09:00 #1 created by agent", "09:00 #2 customer asks", "09:00 #3 open").by_agent.waiting_since is None


def test_whoever_speaks_in_one_instant_is_heard_and_a_reply_answers_what_was_there() -> None:
    for first, second in [("customer asks", "agent replies"), ("agent replies", "customer asks")]:
        assert talk(f"09:10 =a {first}", f"09:10 =b {second}") == ("09:10", "09:10", None)


def test_solving_ends_the_wait() -> None:
    assert talk("09:10 customer asks", "09:20 solved") == (None, None, None)
    assert talk("09:10 customer asks and solved") == (None, None, None)


def test_a_message_on_a_solved_ticket_waits_from_the_reopening_on() -> None:
    assert talk("09:10 solved", "09:20 customer asks", "09:30 reopened") == (None, None, "09:30")
    assert talk("09:10 solved", "09:20 customer asks and reopened") == (None, None, "09:20")
    assert talk("09:10 solved", "09:20 customer asks", "09:25 agent replies", "09:30 reopened") == ("09:25", "09:25", None)


@pytest.mark.parametrize("text", ["agent notes", "bot replies", "somebody writes", "system writes", "agent replies !", "customer asks !"])
def test_notes_bots_strangers_and_echoes_are_neither_replies_nor_contacts(text: str) -> None:
    assert talk(f"09:10 {text}") == (None, None, None)


def test_bots_reply_only_to_those_who_count_them() -> None:
    known = after("09:00 customer asks", "09:01 bot replies", "09:02 agent replies")

    assert known.conversation(frozenset({ActorKind.AGENT})) == Conversation(at("09:02"), at("09:02"), None)
    assert known.conversation(frozenset({ActorKind.AGENT, ActorKind.BOT})) == Conversation(at("09:01"), at("09:02"), None)
    assert known.conversation(frozenset({ActorKind.BOT})).first_reply_at == at("09:01")


def test_solving_ends_the_wait_for_those_who_count_bots_too() -> None:
    known = after("09:00 created", "09:10 bot replies", "09:20 customer asks", "09:30 solved")

    assert known.by_agent_or_bot == Conversation(at("09:10"), at("09:10"), None)


def test_a_message_on_a_solved_ticket_waits_for_those_who_count_bots_too() -> None:
    known = after("09:00 created", "09:10 bot replies", "09:20 solved", "09:30 customer asks", "09:40 reopened")

    assert known.by_agent_or_bot == Conversation(at("09:10"), at("09:10"), at("09:40"))


def test_a_message_that_is_told_twice_in_one_instant_counts_once() -> None:
    line = timeline(
        "09:00 created",
        event("09:10 #1 customer asks", message="m1"),
        event("09:10 #2 agent replies", message="m2"),
        event("09:10 #3 customer asks", message="m1"),
    )

    assert walk(line)[-1].by_agent == Conversation(at("09:10"), at("09:10"), None)


def test_a_message_that_is_told_twice_counts_once() -> None:
    line = timeline(
        "09:00 created",
        event("09:10 customer asks", message="m1"),
        event("09:20 agent replies", message="m2"),
        event("09:30 customer asks", message="m1"),
    )

    assert walk(line)[-1].by_agent == Conversation(at("09:20"), at("09:20"), None)


def test_a_message_counts_when_its_author_becomes_known() -> None:
    line = timeline("09:00 created", event("09:10 somebody writes", message="m1"), event("09:20 agent replies", message="m1"))

    assert walk(line)[-1].by_agent.first_reply_at == at("09:20")


def test_a_note_that_is_made_public_counts_from_then_on() -> None:
    line = timeline("09:00 created", event("09:10 agent notes", message="m1"), event("09:20 agent replies", message="m1"))

    assert walk(line)[-1].by_agent.first_reply_at == at("09:20")


def test_what_an_agent_writes_down_for_a_customer_is_no_message_that_waits() -> None:
    assert after("09:00 created by agent", "09:00 #1 customer asks").by_agent.waiting_since is None
    assert after("09:00 created by agent", "09:10 customer asks").by_agent.waiting_since == at("09:10")


def test_numbers_and_texts_name_the_same_requester() -> None:
    line = timeline(event("09:00 created", requester=7), event("09:10 agent replies", actor="7"))

    assert walk(line)[-1].by_agent.first_reply_at is None


def test_events_of_one_instant_are_one_step_but_the_creation_stands_alone() -> None:
    line = timeline("09:00 #1 created", "09:00 #2 open", "09:00 #3 assigned anna", "09:10 #1 solved", "09:10 #2 agent replies")

    assert [[e.order for e in step.events] for step in walk(line)] == [[1], [2, 3], [1, 2]]


def test_the_creation_is_a_step_of_its_own_also_without_an_order() -> None:
    steps = walk(timeline("09:00 =b created", "09:00 =a assigned anna", "09:00 =c agent replies", "09:10 =d solved"))

    assert [[e.key for e in step.events] for step in steps] == [["b"], ["a", "c"], ["d"]]


def test_moments_without_events_are_steps_where_nothing_has_changed() -> None:
    line = timeline("09:00 created", "10:00 solved")

    steps = walk(line, [at("08:00"), at("09:00"), at("09:30"), at("10:00"), at("11:00")])

    assert [(f"{step.at:%H:%M}", len(step.events)) for step in steps] == [
        ("09:00", 1),
        ("09:30", 0),
        ("10:00", 0),
        ("10:00", 1),
        ("11:00", 0),
    ]
    assert [step.is_solved for step in steps] == [False, False, False, True, True]


def test_a_fact_is_shown_as_text_and_nothing_as_nothing() -> None:
    known = after("09:00 priority high and unassigned")

    assert (known.text("priority"), known.text("assignee"), known.text("group")) == ("high", None, None)
