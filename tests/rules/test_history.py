"""History: what happened, in words; what was tried; who had it."""

from app.rules.history import Happening, Tried, happenings, ownerships, tried
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


def test_who_had_it_and_until_when() -> None:
    steps = walk(timeline("09:00 created", "09:10 given to bot robo", "09:20 assigned anna", "09:30 unassigned", "09:40 assigned anna"))

    assert [("robo", True, at("09:20")), ("anna", False, at("09:30")), ("anna", False, None)] == [
        (owner.who, owner.is_bot, owner.until) for owner in ownerships(steps)
    ]


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


def test_of_nothing_there_is_nothing_to_tell() -> None:
    assert ([], [], Tried(0, 0, 0, 0, 0, None)) == (happenings([]), ownerships([]), tried([]))
