"""Zendesk: what its signature proves, and what the goldens do not show."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from tests.helpdesks.deliveries import RECEIVED_AT, read, request, source

STAMP = "2026-11-21T09:30:00Z"
BODY = '{"ticket_id": "1", "subject": "Grüße"}'.encode()

MESSAGE: dict[str, Any] = {
    "id": "evt-1",
    "type": "zen:event-type:ticket.comment_added",
    "time": "2026-11-21T09:00:00Z",
    "detail": {"id": "811", "requester_id": "501"},
    "event": {"comment": {"id": "c1", "is_public": True, "author": {"id": "77", "is_staff": True}}},
}


def signed(secret: str = "s3cret", stamp: str = STAMP, body: bytes = BODY) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()).decode()
    return {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp}


def accepts(headers: dict[str, str], *, now: datetime = RECEIVED_AT, body: bytes = BODY, **said: Any) -> bool:
    try:
        load("zendesk").verify(request(body, headers), source("zendesk", **said), now)
    except InvalidSignature:
        return False
    return True


def test_a_signature_over_timestamp_and_body_is_accepted() -> None:
    assert accepts(signed())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("other"),
        {**signed(), "X-Zendesk-Webhook-Signature-Timestamp": "2026-11-21T09:30:01Z"},
        {"X-Zendesk-Webhook-Signature": signed()["X-Zendesk-Webhook-Signature"]},
        {"X-Zendesk-Webhook-Signature-Timestamp": STAMP},
        {**signed(), "X-Zendesk-Webhook-Signature": "é\udcff"},
        signed(stamp="not a time"),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str]) -> None:
    assert not accepts(headers)


def test_a_changed_body_is_refused() -> None:
    assert not accepts(signed(), body=BODY + b" ")


def test_an_old_signature_is_refused_unless_its_age_is_not_looked_at() -> None:
    later = RECEIVED_AT + timedelta(hours=1)

    assert [accepts(signed(), now=later), accepts(signed(), now=later, tolerance="2h"), accepts(signed(), now=later, tolerance="off")] == [
        False,
        True,
        True,
    ]


def test_both_secrets_verify_while_one_is_replaced() -> None:
    assert accepts(signed("old"), secret=["new", "old"])


def test_the_webhooks_own_authentication_may_be_asked_for_as_well() -> None:
    bearer = {"Authorization": "Bearer t0ken"}

    assert [
        accepts({**signed(), **bearer}, verify={"bearer": "t0ken"}),
        accepts(signed(), verify={"bearer": "t0ken"}),
        accepts(bearer),
    ] == [
        True,
        False,
        False,
    ]


def test_a_trigger_webhook_may_be_verified_by_a_static_secret_alone() -> None:
    assert accepts({"X-Api-Key": "k3y"}, secret=None, verify={"header": "X-Api-Key", "secret": "k3y"})


def test_a_secret_and_an_open_door_contradict_each_other() -> None:
    with pytest.raises(ValidationError, match="contradict"):
        source("zendesk", verify="none")


def test_who_the_document_knows_is_who_they_are() -> None:
    event = read(source("zendesk", actor_map={"77": "bot"}), MESSAGE).events[0]

    assert (event.actor.kind, event.kind, event.message and event.message.author) == (ActorKind.BOT, EventKind.MESSAGE_BOT, ActorKind.BOT)


def test_statuses_are_read_by_the_documents_map_first() -> None:
    config = source("zendesk", status_map={"PENDING": "on_hold"})

    assert read(config, {**MESSAGE, "detail": {"id": 1, "status": "Pending"}}).events[0].set["status"] == "on_hold"


def test_notifications_of_one_action_share_no_order_and_meet_in_the_same_millisecond() -> None:
    first = read(source("zendesk"), {**MESSAGE, "time": "2026-11-21T09:00:00.123111111Z"}).events[0]
    second = read(source("zendesk"), {**MESSAGE, "id": "evt-2", "time": "2026-11-21T09:00:00.123999999Z"}).events[0]

    assert (first.at, first.order) == (second.at, None)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"detail": {}}, "/detail/id"),
        ({"detail": "x"}, "/detail"),
        ({"event": {}}, "/event/comment"),
        ({"event": []}, "/event"),
        ({"event": {"comment": {"id": 1}}}, "/event/comment/is_public"),
        ({"detail": {"id": "1", "tags": 5}}, "/detail/tags"),
        ({"detail": {"id": ["1"]}}, "/detail/id"),
    ],
)
def test_a_notification_of_the_wrong_shape_names_the_place(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("zendesk"), {**MESSAGE, **change})

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_the_subject_names_the_ticket_where_the_detail_does_not() -> None:
    body = {**MESSAGE, "detail": None, "subject": "zen:ticket:4711"}

    assert read(source("zendesk"), body).events[0].ticket == "4711"


def test_a_body_of_another_world_says_what_is_missing() -> None:
    with pytest.raises(Unreadable, match="ticket_id"):
        read(source("zendesk"), {"hello": "world"})


def test_an_unknown_version_of_our_template_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"is not slawatch\.zendesk\.v1"):
        read(source("zendesk"), {"schema": "slawatch.zendesk.v9", "ticket_id": 1})


def trigger(**said: Any) -> dict[str, Any]:
    return {"ticket_id": 1, "status": "open", "updated_at": "2026-11-21T09:00:00Z", **said}


def test_a_trigger_without_invocation_id_is_known_by_its_body() -> None:
    config = source("zendesk")
    keys = [read(config, trigger(status=status)).events[0].key for status in ("open", "open", "pending")]

    assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)


def test_the_same_timeless_body_an_hour_later_is_another_event() -> None:
    body = {"ticket_id": 1, "status": "open"}
    at = [datetime(2026, 11, 21, hour, minute, tzinfo=UTC) for hour, minute in ((9, 0), (9, 4), (10, 0))]
    keys = [read(source("zendesk"), body, received_at=when).events[0].key for when in at]

    assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)


@pytest.mark.parametrize(
    ("said", "author"),
    [
        ({"latest_comment_is_public": True, "latest_comment": "x", "status": "open"}, ActorKind.UNKNOWN),
        ({"latest_comment_is_public": True, "latest_comment": "x", "status": "solved"}, ActorKind.UNKNOWN),
        ({"latest_comment_is_public": True, "latest_comment": "x", "status": "pending"}, ActorKind.AGENT),
        ({"latest_comment_is_public": True, "status": "pending"}, ActorKind.UNKNOWN),
        ({"latest_comment_is_public": True, "current_user_role": "Admin"}, ActorKind.AGENT),
        ({"latest_comment_is_public": True, "current_user_role": "End-user"}, ActorKind.CUSTOMER),
        ({"latest_comment_is_public": True, "current_user_role": "Astronaut"}, ActorKind.UNKNOWN),
        ({"latest_comment_is_public": True, "actor_id": 5, "requester_id": "5", "actor_role": "Agent"}, ActorKind.CUSTOMER),
    ],
)
def test_who_spoke_in_somebody_elses_template(said: dict[str, Any], author: ActorKind) -> None:
    message = read(source("zendesk"), trigger(**said)).events[0].message

    assert message is not None
    assert message.author is author


def test_a_comment_that_a_template_repeats_is_one_message() -> None:
    said = {"latest_comment_is_public": True, "latest_comment": "Done.", "current_user_role": "Agent"}
    first, again = (read(source("zendesk"), trigger(**said, priority=p)).events[0].message for p in ("low", "high"))

    assert first is not None
    assert first == again


def test_an_empty_placeholder_asserts_nothing_in_somebody_elses_template() -> None:
    assert set(read(source("zendesk"), trigger(priority="", assignee_id="", group="")).events[0].set) == {"status"}


def test_an_echo_is_known_by_the_api_user_of_the_write_back() -> None:
    write_back = {"subdomain": "acme", "email": "bot@example.com", "token": "t", "our_user_id": 77}

    assert read(source("zendesk", write_back=write_back), MESSAGE).events[0].echo


@pytest.mark.parametrize(
    "change", [{"subdomain": "evil.example/x"}, {"email": "bot"}, {"token": ""}, {"priority_ceiling": "critical"}, {"color": "red"}]
)
def test_a_write_back_that_cannot_work_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source("zendesk", write_back={"subdomain": "acme", "email": "bot@example.com", "token": "t", **change})
