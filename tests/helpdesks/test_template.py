"""Filled-in templates: what every kind that has one must do with them."""

from datetime import timedelta
from typing import Any

import pytest

from app.errors import Unreadable
from app.helpdesks import _template
from app.rules.events import ActorKind, EventKind
from tests.helpdesks.deliveries import RECEIVED_AT, read, source

KINDS = pytest.mark.parametrize("kind", ["hiver", "liveagent", "osticket"])
LEAST: dict[str, Any] = {"ticket_id": 7, "at": "2026-11-21T09:00:00Z"}


def said(kind: str, **more: Any) -> Any:
    return read(source(kind), {**LEAST, **more}).events[0]


@KINDS
def test_a_repeated_request_is_the_same_event_and_a_later_one_is_not(kind: str) -> None:
    keys = [said(kind, status="open", at=at).key for at in ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z", "2026-11-21T09:00:01Z")]

    assert keys[0] == keys[1] != keys[2]


@KINDS
def test_without_a_time_the_same_words_an_hour_later_are_another_event(kind: str) -> None:
    config, body = source(kind), {"ticket_id": 7, "status": "open"}
    keys = [read(config, body, {}, RECEIVED_AT + timedelta(minutes=m)).events[0].key for m in (0, 1, 61)]

    assert keys[0] == keys[1] != keys[2]


@KINDS
def test_an_id_of_the_event_is_its_key_and_the_deliverys_id(kind: str) -> None:
    reading = read(source(kind), {**LEAST, "event_id": "e-1"})

    assert (reading.delivery_id, reading.events[0].key) == ("e-1", "e-1")


@KINDS
def test_a_template_of_another_kind_and_one_without_ticket_are_unreadable(kind: str) -> None:
    for body in ({**LEAST, "schema": "slawatch.zendesk.v1"}, {"status": "open"}, {"ticket_id": "{$ticket_id}"}, ["open"]):
        with pytest.raises(Unreadable):
            read(source(kind), body)


@KINDS
def test_what_is_not_told_is_not_asserted_and_an_empty_assignee_is_nobody(kind: str) -> None:
    untold, empty = said(kind, status="").set, said(kind, assignee="", priority="").set

    assert (dict(untold), dict(empty)) == ({}, {"assignee": None})


@KINDS
@pytest.mark.parametrize(
    ("event", "author", "public"),
    [
        ("message", ActorKind.UNKNOWN, True), ("customer_reply", ActorKind.CUSTOMER, True), ("AgentReplied", ActorKind.AGENT, True),
        ("note.added", ActorKind.UNKNOWN, False), ("message received", ActorKind.CUSTOMER, True), ("message_sent", ActorKind.AGENT, True),
    ],
)  # fmt: skip
def test_the_name_of_an_event_tells_what_was_said(kind: str, event: str, author: ActorKind, public: bool) -> None:
    message = said(kind, event=event).message

    assert (message.author, message.public) == (author, public)


@KINDS
@pytest.mark.parametrize("event", ["message_deleted", "note updated", "tag removed", "ticket_created", "status_changed", "deleted"])
def test_not_every_event_says_something(kind: str, event: str) -> None:
    assert said(kind, event=event, message_id="5").message is None


@KINDS
def test_who_can_see_a_comment_has_to_be_told(kind: str) -> None:
    messages = [said(kind, event="comment", **more).message for more in ({"public": "no"}, {"internal": True}, {"public": 1})]

    assert [message.public for message in messages] == [False, False, True]
    with pytest.raises(Unreadable, match="whether the customer sees"):
        said(kind, event="comment")


@KINDS
@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("created", EventKind.TICKET_CREATED), ("ticket.created", EventKind.TICKET_CREATED), ("new_ticket", EventKind.TICKET_CREATED),
        ("ticket_deleted", EventKind.TICKET_DELETED), ("ticketReopened", EventKind.TICKET_REOPENED),
        ("conversation.assigned", EventKind.TICKET_ASSIGNED), ("priority changed", EventKind.TICKET_PRIORITY_CHANGED),
        ("anything", EventKind.TICKET_UPDATED),
    ],
)  # fmt: skip
def test_events_are_called_by_their_names(kind: str, event: str, expected: EventKind) -> None:
    assert said(kind, event=event).kind is expected


def test_a_role_word_that_names_both_sides_names_nobody() -> None:
    assert said("osticket", event="agent replied to customer").actor.kind is ActorKind.UNKNOWN


def test_staff_who_ask_for_themselves_are_customers() -> None:
    asked = said("hiver", event="message", author="agent", author_id="Bob@desk.example", requester="bob@desk.example")

    assert asked.message.author is ActorKind.CUSTOMER


def test_the_names_of_a_kind_come_after_the_common_ones() -> None:
    template = _template.Template("slawatch.x.v1", names={"status": ("phase",)})

    assert template.names_of("status") == ("status", "state", "phase")
    assert template.names_of("subject") == ("subject",)
