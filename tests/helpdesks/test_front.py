"""Front: what its two signatures prove, its set-up, and what the goldens do not show."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.exchange import HttpRequest
from app.helpdesks import answer_of, load
from app.rules.events import ActorKind, EventKind
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = '{"type":"inbound","subject":"Grüße"}'.encode()
SYNC = b'{"type":"sync","authorization":{"id":"cmp_1"}}'
STAMP = str(int(RECEIVED_AT.timestamp() * 1000))
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("front")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, now: datetime = RECEIVED_AT, **said: Any) -> bool:
    try:
        load("front").verify(request(body, headers), source("front", **said), now)
    except InvalidSignature:
        return False
    return True


def of_a_rule(secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    return {"X-Front-Signature": base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha1).digest()).decode()}


def of_an_application(secret: str = "s3cret", body: bytes = BODY, stamp: str = STAMP) -> dict[str, str]:
    mac = hmac.new(secret.encode(), f"{stamp}:".encode() + body, hashlib.sha256).digest()
    return {"X-Front-Signature": base64.b64encode(mac).decode(), "X-Front-Request-Timestamp": stamp}


@pytest.mark.parametrize("signed", [of_a_rule, of_an_application])
def test_only_a_signature_of_ours_over_these_bytes_is_accepted(signed: Any) -> None:
    assert accepts(signed())
    assert not accepts(signed("other"))
    assert not accepts(signed(), body=BODY + b"\n")
    assert not accepts({**signed(), "X-Front-Signature": ""})


def test_an_applications_time_is_signed_and_grows_old() -> None:
    headers = of_an_application()
    moved = {**headers, "X-Front-Request-Timestamp": str(int(STAMP) + 1)}

    assert [accepts(headers, now=RECEIVED_AT + timedelta(minutes=m)) for m in (-6, -5, 5, 6)] == [False, True, True, False]
    assert not accepts(moved)


def test_an_application_signature_without_its_time_is_no_rules_signature() -> None:
    assert not accepts({"X-Front-Signature": of_an_application()["X-Front-Signature"]})
    assert not accepts({**of_a_rule(), "X-Front-Request-Timestamp": STAMP})


def test_rules_and_applications_may_share_a_source() -> None:
    said: dict[str, Any] = {"secret": ["api-secret", "signing-key"]}

    assert accepts(of_a_rule("api-secret"), **said)
    assert accepts(of_an_application("signing-key"), **said)


def test_the_challenge_of_a_set_up_is_sent_back() -> None:
    answer = answer_of(request(SYNC, {"X-Front-Challenge": 'c0f"fee\udcff'}), source("front"))

    assert answer is not None
    assert (answer.status, answer.handshake, answer.headers["content-type"]) == (200, True, "application/json")
    assert json.loads(answer.body) == {"challenge": 'c0f"fee\udcff'}


@pytest.mark.parametrize(("body", "headers"), [(SYNC, {}), (BODY, {"X-Front-Challenge": "c"}), (b"{", {"X-Front-Challenge": "c"})])
def test_nothing_else_is_answered_with_a_challenge(body: bytes, headers: dict[str, str]) -> None:
    assert answer_of(request(body, headers), source("front")) is None


def test_a_set_up_that_lost_its_challenge_is_no_ticket() -> None:
    reading = load("front").parse(HttpRequest("POST", "/", {}, SYNC), source("front"), RECEIVED_AT)

    assert (reading.outcome, reading.events) == ("ignored", ())


def test_an_event_has_one_key_over_retries_and_over_both_kinds_of_webhooks() -> None:
    config = source("front")
    keys = {read(config, GOLDEN[name]).events[0].key for name in ("inbound", "application_inbound")}

    assert keys == {"evt_1"}


def test_a_comment_and_the_mention_in_it_are_one_note() -> None:
    comment, mention = (read(source("front"), GOLDEN[name]).events[0] for name in ("comment", "mention_in_the_same_comment"))

    assert comment.key != mention.key
    assert comment.message == mention.message


@pytest.mark.parametrize(
    ("name", "creators"),
    [
        ("inbound", []), ("inbound_that_begins_a_conversation", [ActorKind.CUSTOMER]),
        ("outbound_that_begins_a_conversation", [ActorKind.AGENT]), ("reply", []), ("application_reply", []),
    ],
)  # fmt: skip
def test_the_message_that_begins_a_conversation_tells_who_created_it(name: str, creators: list[ActorKind]) -> None:
    events = read(source("front"), GOLDEN[name]).events

    assert [e.actor.kind for e in events if e.kind is EventKind.TICKET_CREATED] == creators


def test_a_conversation_is_created_once_whatever_tells_it() -> None:
    body = GOLDEN["inbound_that_begins_a_conversation"]
    keys = [read(source("front"), {**body, "id": name}).events[1].key for name in ("evt_8", "evt_9")]

    assert keys == ["cnv_17:created"] * 2


@pytest.mark.parametrize(
    ("conversation", "facts"),
    [
        ({"status": "archived"}, {"status": "solved", "deleted": False}),
        ({"status": "spam"}, {"status": "closed", "deleted": True}),
        ({"status": "invisible"}, {}),
        ({"status": "assigned", "status_category": "resolved"}, {"status": "solved", "deleted": False}),
        ({"status": "deleted", "status_category": "waiting"}, {"status": "closed", "deleted": True}),
        ({"status": "archived", "scheduled_reminders": [{"scheduled_at": 1795251599}]}, {"status": "solved", "deleted": False}),
        ({"status": None}, {}),
        ({}, {}),
    ],
)
def test_how_a_conversation_stands(conversation: dict[str, Any], facts: dict[str, Any]) -> None:
    body = {"id": "evt_1", "type": "tag", "emitted_at": 1795251600.25, "conversation": {"id": "cnv_1", **conversation}}
    event = read(source("front"), body).events[0]

    assert {name: fact for name, fact in event.set.items() if name in ("status", "deleted")} == facts


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, "/conversation/id"),
        ({"type": "tag", "conversation": "cnv_1"}, "/conversation"),
        ({"type": "tag_added", "payload": {"conversation": {"id": {}}}}, "/payload/conversation/id"),
        ({"type": "tag", "conversation": {"id": "cnv_1", "tags": "x"}}, "/conversation/tags"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("front"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
