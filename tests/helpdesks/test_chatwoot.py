"""Chatwoot: what its signature proves, and what the goldens do not show."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = '{"event": "message_created", "content": "Grüße"}'.encode()
STAMP = str(int(RECEIVED_AT.timestamp()))
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("chatwoot")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, now: datetime = RECEIVED_AT, **said: Any) -> bool:
    try:
        load("chatwoot").verify(request(body, headers), source("chatwoot", **said), now)
    except InvalidSignature:
        return False
    return True


def signed(secret: str = "s3cret", body: bytes = BODY, stamp: str = STAMP) -> dict[str, str]:
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Chatwoot-Signature": f"sha256={digest}", "X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Delivery": "d-1"}


def test_only_a_signature_of_ours_over_time_and_body_is_accepted() -> None:
    assert accepts(signed())
    assert not any(accepts(headers) for headers in (signed("other"), {}, {**signed(), "X-Chatwoot-Timestamp": "1"}, signed(stamp="soon")))
    assert not accepts(signed(), body=BODY + b"\n")


@pytest.mark.parametrize(("seconds", "accepted"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_the_signed_time_may_be_five_minutes_away(seconds: int, accepted: bool) -> None:
    assert accepts(signed(), now=RECEIVED_AT + timedelta(seconds=seconds)) is accepted


def test_a_chatwoot_that_does_not_sign_is_proved_by_what_its_url_can_carry() -> None:
    said: dict[str, Any] = {"secret": None, "verify": {"basic": {"user": "chatwoot", "password": "p"}}}

    assert [accepts({"Authorization": "Basic Y2hhdHdvb3Q6cA=="}, **said), accepts({}, **said)] == [True, False]


def test_a_message_told_by_two_webhooks_is_one_message() -> None:
    config = source("chatwoot")
    events = [read(config, GOLDEN["incoming"], headers).events[0] for headers in ({"X-Chatwoot-Delivery": "a"}, {})]

    assert [event.key for event in events] == ["a", "message_created:9001"]
    assert events[0].message == events[1].message


def test_without_times_the_same_body_an_hour_later_is_another_change() -> None:
    body, config = GOLDEN["labelled_before_there_were_times"], source("chatwoot")
    moments = [RECEIVED_AT, RECEIVED_AT + timedelta(minutes=2), RECEIVED_AT + timedelta(hours=1)]
    first, again, later = (read(config, body, received_at=at).events[0].key for at in moments)

    assert first == again != later


def test_a_message_read_late_keeps_its_instant_and_the_conversation_its_own() -> None:
    events = read(source("chatwoot"), GOLDEN["message_read_late"]).events
    moments = [[e.kind for e in group] for group in Timeline().extend(events).moments()]

    assert moments == [[EventKind.MESSAGE_AGENT_PUBLIC], [EventKind.TICKET_SNAPSHOT]]
    assert "status" not in events[0].set


@pytest.mark.parametrize(
    ("told", "author"),
    [
        ("incoming", ActorKind.CUSTOMER), (0, ActorKind.CUSTOMER), ("0", ActorKind.CUSTOMER), ("outgoing", ActorKind.AGENT),
        (1, ActorKind.AGENT), (3, ActorKind.BOT), ("template", ActorKind.BOT), ("hologram", ActorKind.UNKNOWN),
    ],
)  # fmt: skip
def test_types_of_messages_are_words_or_numbers(told: Any, author: ActorKind) -> None:
    message = read(source("chatwoot"), {**GOLDEN["outgoing_by_teammate"], "message_type": told}).events[0].message

    assert message is not None
    assert message.author is author


def test_a_campaign_is_no_reply() -> None:
    message = read(source("chatwoot"), {**GOLDEN["outgoing_by_teammate"], "additional_attributes": {"campaign_id": 3}}).events[0].message

    assert message is not None
    assert message.author is ActorKind.BOT


def test_a_conversation_of_the_documentation_is_named_by_its_display_id() -> None:
    body = {"event": "message_created", "id": "7", "message_type": "incoming", "conversation": {"display_id": "12"}}
    event = read(source("chatwoot"), body).events[0]

    assert (event.ticket, event.at, dict(event.set)) == ("12", RECEIVED_AT, {})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/event"),
        ({"event": "conversation_updated"}, "/id"),
        ({"event": "message_created", "message_type": "incoming"}, "/conversation/id"),
        ({"event": "message_created", "conversation": 5}, "/conversation"),
        ({"event": "conversation_updated", "id": 1, "changed_attributes": "status"}, "/changed_attributes"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("chatwoot"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_of_two_ids_the_display_id_names_the_conversation() -> None:
    body = {"event": "conversation_updated", "id": "a-uuid", "conversation": {"id": 12345, "display_id": 45, "status": "open"}}

    assert read(source("chatwoot"), body).events[0].ticket == "45"
