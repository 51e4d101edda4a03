"""Groove: what the goldens do not show."""

from datetime import timedelta
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

GOLDEN = {file.stem: golden(file) for file in golden_files("groove")}


def body(name: str, **changes: Any) -> dict[str, Any]:
    return {**GOLDEN[name]["body"], **changes}


def test_credentials_in_the_url_prove_where_a_request_comes_from() -> None:
    config = source("groove", verify={"basic": {"user": "groove", "password": "p"}})
    verify = load("groove").verify

    verify(request(b"{}", {"Authorization": "Basic Z3Jvb3ZlOnA="}), config, RECEIVED_AT)
    with pytest.raises(InvalidSignature):
        verify(request(b"{}"), config, RECEIVED_AT)


def test_a_retry_is_the_same_event_and_the_same_state_at_another_time_is_another() -> None:
    config = source("groove")
    told = body("state_changed")
    later = {**told, "ticket": {**told["ticket"], "updated_at": "2026-11-21 15:30:00 +0530"}}
    keys = [read(config, b, GOLDEN["state_changed"]["headers"]).events[0].key for b in (told, told, later)]

    assert keys[0] == keys[1] != keys[2]


def test_without_any_time_a_repetition_counts_once_within_ten_minutes() -> None:
    config, told = source("groove"), body("no_time_at_all")
    moments = (RECEIVED_AT, RECEIVED_AT + timedelta(minutes=5), RECEIVED_AT + timedelta(hours=2))
    keys = [read(config, told, {}, at).events[0].key for at in moments]

    assert keys[0] == keys[1] != keys[2]


def test_the_event_names_who_spoke_where_the_message_does_not() -> None:
    bare = {"links": {"ticket": {"href": "/v1/tickets/5"}}, "id": 1, "created_at": "2026-11-21T09:00:00Z"}
    said = [
        read(source("groove"), bare, {"X-Groove-Event": e}).events[0].message for e in ("customer_replied", "agent_replied", "note_added")
    ]

    assert [(m.author, m.public) for m in said if m] == [
        (ActorKind.CUSTOMER, True), (ActorKind.AGENT, True), (ActorKind.AGENT, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"links": {"author": {"href": "https://api.groovehq.com/v1/agents/bob@desk.example"}}}, "/links/ticket/href"),
        ({"note": None}, "/note"),
        ({"note": "perhaps"}, "/note"),
    ],
)
def test_a_message_without_event_header_that_hides_its_ticket_or_its_readers_is_unreadable(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(source("groove"), body("reply_without_event_header", **changes))

    assert [fault.pointer for fault in caught.value.errors] == [pointer]


def test_a_ticket_without_number_is_named_by_its_links() -> None:
    told = body("closed")
    del told["number"]

    assert read(source("groove"), told, GOLDEN["closed"]["headers"]).events[0].ticket == "512"
    with pytest.raises(Unreadable, match="/number"):
        read(source("groove"), {"state": "opened"}, {"X-Groove-Event": "ticket_opened"})


def test_a_ticket_taken_out_of_spam_is_there_again() -> None:
    config, headers = source("groove"), GOLDEN["marked_as_spam"]["headers"]
    back = body("marked_as_spam", state="opened", updated_at="2026-11-21 10:00:00 UTC")
    events = [read(config, b, headers).events[0] for b in (back, body("marked_as_spam"))]

    assert [event.set["deleted"] for event in Timeline().extend(events).events] == [True, False]
