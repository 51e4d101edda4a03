"""History: what happened, in words; what was tried; who had it."""

from app.rules.history import Happening, Ownership, Tried, happenings, ownerships, tried
from app.rules.ticket import walk
from tests.rules.builders import at, event, timeline


def test_what_happened_is_told_once_by_role_and_only_what_changed() -> None:
    steps = walk(
        timeline(
            "09:00 created and customer asks and open",
            "09:10 agent replies and pending and priority high",
            "09:20 agent notes and priority high",
            "09:30 status pending",
            "09:40 tagged a b !",
        )
    )

    assert [
        Happening(at("09:00"), "customer", "ticket created; asked"),
        Happening(at("09:10"), "agent", "public message; status open → pending; priority not set → high"),
        Happening(at("09:20"), "agent", "private note"),
        Happening(at("09:40"), "slawatch", "tags not set → a, b"),
    ] == happenings(steps)


def test_who_speaks_is_who_wrote_the_message_else_who_acted() -> None:
    told = (
        "09:00 created by agent and customer asks",
        "09:10 created by agent and somebody writes",
        "09:20 created by agent and priority high",
    )

    assert ["customer", "agent", "agent"] == [happening.who for happening in happenings(walk(timeline(*told)))]


def test_changes_of_one_instant_are_told_one_after_the_other() -> None:
    steps = walk(timeline("09:00 #1 created and open", "09:00 #2 priority low", "09:00 #3 priority high", "09:10 priority low"))

    assert ["ticket created", "priority not set → low", "priority low → high", "priority high → low"] == [
        happening.what for happening in happenings(steps)
    ]


def test_what_was_told_first_is_compared_with_nothing() -> None:
    steps = walk(timeline("09:00 =a open", "09:00 =b priority low", "09:10 priority high", "09:20 priority low"))

    assert ["ticket created", "priority not set → low", "priority low → high", "priority high → low"] == [
        happening.what for happening in happenings(steps)
    ]


def test_of_all_that_happened_the_last_things_can_be_asked_for() -> None:
    steps = walk(timeline("09:00 created", "09:10 #1 agent replies", "09:10 #2 agent notes", "09:20 solved"))

    assert [["status not set → solved"], ["private note", "status not set → solved"]] == [
        [happening.what for happening in happenings(steps, most)] for most in (1, 2)
    ]
    assert [] == happenings(steps, 0)


def test_who_had_it_and_until_when() -> None:
    steps = walk(timeline("09:00 created", "09:10 given to bot robo", "09:20 assigned anna", "09:30 unassigned", "09:40 assigned anna"))

    assert [
        Ownership("robo", at("09:10"), at("09:20"), is_bot=True),
        Ownership("anna", at("09:20"), at("09:30"), is_bot=False),
        Ownership("anna", at("09:40"), None, is_bot=False),
    ] == ownerships(steps)


def test_what_was_tried_counts_each_message_once() -> None:
    steps = walk(
        timeline(
            "09:00 created and assigned anna",
            event("09:10 customer asks", message="m"),
            event("09:11 customer asks", message="m"),
            "09:20 agent replies",
            "09:25 agent notes",
            "09:30 assigned bert and solved",
            "09:40 reopened",
        )
    )

    assert Tried(replies=1, customer_messages=1, notes=1, transfers=1, reopenings=1, last_reply_at=at("09:20")) == tried(steps)


def test_each_side_has_its_own_count_up_to_the_last_step() -> None:
    asked, noted = (
        tuple(f"09:0{minute}:30 customer asks" for minute in range(4)),
        ("09:02 agent notes", "09:03 agent notes", "09:04 agent notes"),
    )
    steps = walk(timeline("09:00 created", *asked, *noted, "09:05 agent replies", "09:06 bot replies", "09:07 agent replies"))

    assert Tried(replies=2, customer_messages=4, notes=3, transfers=0, reopenings=0, last_reply_at=at("09:07")) == tried(steps)


def test_of_nothing_there_is_nothing_to_tell() -> None:
    assert ([], [], Tried(0, 0, 0, 0, 0, None)) == (happenings([]), ownerships([]), tried([]))
