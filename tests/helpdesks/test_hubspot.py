"""HubSpot: what its signatures prove, and what the goldens do not show."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import InvalidSignature, Unreadable
from app.exchange import HttpRequest
from app.helpdesks import load
from app.rules.events import EventKind
from app.rules.ticket import walk
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, source

URL = "https://sla.example/hubspot"  # what the least configuration says
BODY = b'[{"eventId": 1}]'
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("hubspot")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, now: datetime = RECEIVED_AT, method: str = "POST", **said: Any) -> bool:
    called = HttpRequest(method, "http://10.0.0.7:8000/v1/sources/our-hubspot/webhook", {k.lower(): v for k, v in headers.items()}, body)
    try:
        load("hubspot").verify(called, source("hubspot", **said), now)
    except InvalidSignature:
        return False
    return True


def v3(secret: str = "s3cret", url: str = URL, at: datetime = RECEIVED_AT) -> dict[str, str]:
    stamp = str(int(at.timestamp() * 1000))
    digest = hmac.new(secret.encode(), b"POST" + url.encode() + BODY + stamp.encode(), hashlib.sha256).digest()
    return {"X-HubSpot-Signature-v3": base64.b64encode(digest).decode(), "X-HubSpot-Request-Timestamp": stamp}


def older(version: str, secret: str = "s3cret", url: str = URL) -> dict[str, str]:
    signed = BODY if version == "v1" else b"POST" + url.encode() + BODY
    digest = hashlib.sha256(secret.encode() + signed).hexdigest()
    return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": version}


@pytest.mark.parametrize("headers", [v3(), older("v1"), older("v2"), {"X-HubSpot-Signature": older("v1")["X-HubSpot-Signature"]}])
def test_all_three_versions_are_accepted(headers: dict[str, str]) -> None:
    assert accepts(headers)
    assert accepts(headers, secret=["other", "s3cret"])
    assert not accepts(headers, secret="other")
    assert not accepts(headers, body=BODY + b" ")


def test_the_address_is_the_configured_one_and_not_the_one_we_were_called_by() -> None:
    inside = "http://10.0.0.7:8000/v1/sources/our-hubspot/webhook"

    assert not accepts(v3(url=inside))
    assert not accepts(older("v2", url=inside))
    assert accepts(v3(url=inside), public_url=None)


def test_the_method_is_signed_too() -> None:
    assert [accepts(v3(), method=method) for method in ("post", "POST", "PUT")] == [True, True, False]


@pytest.mark.parametrize(("age", "accepted"), [(299, True), (301, False), (-299, True), (-301, False)])
def test_version_three_is_good_for_five_minutes(age: int, accepted: bool) -> None:
    now = RECEIVED_AT + timedelta(seconds=age)

    assert accepts(v3(), now=now) is accepted
    assert accepts(v3(), now=now, tolerance="off")


def test_a_good_older_signature_does_not_mend_a_bad_new_one() -> None:
    assert not accepts(older("v2") | v3(secret="other"))
    assert accepts(older("v2") | v3(secret="other"), signature_versions=["v2"])


def test_versions_can_be_shut_out() -> None:
    said: dict[str, Any] = {"signature_versions": ["v3"]}

    assert [accepts(headers, **said) for headers in (v3(), older("v2"), older("v1"), {})] == [True, False, False, False]


@pytest.mark.parametrize("stamp", ["", "soon", "NaN"])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    digest = hmac.new(b"s3cret", b"POST" + URL.encode() + BODY + stamp.encode(), hashlib.sha256).digest()

    assert not accepts({"X-HubSpot-Signature-v3": base64.b64encode(digest).decode(), "X-HubSpot-Request-Timestamp": stamp})


def test_the_address_has_to_be_one() -> None:
    with pytest.raises(ValidationError, match="public_url"):
        source("hubspot", public_url="sla.example/hubspot")


def test_a_retry_has_the_same_key_and_events_that_share_an_id_have_not() -> None:
    config = source("hubspot", status_map={"2": "pending", "3": "open"})
    (change,) = GOLDEN["stage_that_is_known"]
    keys = [read(config, [e]).events[0].key for e in (change, {**change, "attemptNumber": 3}, {**change, "propertyValue": "3"})]

    assert keys[0] == keys[1] != keys[2]


def test_a_hundred_events_in_one_body_are_read_and_told_twice_only_once() -> None:
    (change,) = GOLDEN["owner"]
    body = [{**change, "objectId": number} for number in range(100)]
    events = read(source("hubspot"), body + body).events

    assert [event.ticket for event in events] == [str(number) for number in range(100)]


def test_two_dates_that_tell_one_message_are_one_word() -> None:
    config = source("hubspot")
    told = [read(config, GOLDEN[name]).events[0] for name in ("created_by_a_form", "message_received", "message_sent", "first_agent_reply")]
    ticket = walk(Timeline().extend(told))[-1]

    assert told[2].message is not None
    assert told[3].message is not None
    assert told[2].message.id == told[3].message.id
    assert (ticket.by_agent.first_reply_at, ticket.by_agent.waiting_since) == (told[3].at, None)


def test_a_sent_message_of_an_unknown_author_answers_nobody() -> None:
    config = source("hubspot")
    told = [read(config, GOLDEN[name]).events[0] for name in ("created_by_a_form", "message_received", "message_sent")]

    assert walk(Timeline().extend(told))[-1].by_agent.waiting_since == told[1].at


def test_a_merge_of_many_names_each_of_them_once() -> None:
    (merge,) = GOLDEN["merged"]
    events = read(source("hubspot"), [{**merge, "mergedObjectIds": [3311, "3311", 3344, 3322]}]).events

    assert [(event.ticket, event.set["merged_into"]) for event in events] == [("3311", "3344"), ("3322", "3344")]


def test_a_body_of_only_foreign_objects_says_why_it_is_ignored() -> None:
    reading = read(
        source("hubspot"), [{"subscriptionType": "deal.creation", "objectId": 1}, {"subscriptionType": "contact.creation", "objectId": 2}]
    )

    assert (reading.outcome, reading.reason) == (
        "ignored",
        "'deal.creation' is not about a ticket.; 'contact.creation' is not about a ticket.",
    )


def test_one_event_outside_a_list_is_read_as_well() -> None:
    (change,) = GOLDEN["owner"]

    assert read(source("hubspot"), change).events[0].kind is EventKind.TICKET_ASSIGNED


def test_an_empty_list_is_ignored() -> None:
    assert read(source("hubspot"), []).outcome == "ignored"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("text", ""),
        ({}, ""),
        ([5], "/0"),
        ([{"subscriptionType": "ticket.creation"}], "/0/objectId"),
        ([{"subscriptionType": "ticket.merge", "objectId": 1, "mergedObjectIds": "x"}], "/0/mergedObjectIds"),
        ([{}] * 1001, ""),
    ],
    ids=["text", "empty", "number", "no-object", "merge", "many"],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("hubspot"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
