"""Linear: what its signature proves, and what the goldens do not show."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import Status
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("linear")}
BODY = json.dumps({"type": "Issue", "webhookTimestamp": int(RECEIVED_AT.timestamp() * 1000)}).encode()


def accepts(headers: dict[str, str], *, body: bytes = BODY, now: datetime = RECEIVED_AT, **said: Any) -> bool:
    try:
        load("linear").verify(request(body, headers), source("linear", **said), now)
    except InvalidSignature:
        return False
    return True


def signed(secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    return {"Linear-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def test_only_a_signature_of_ours_over_these_bytes_is_accepted() -> None:
    assert accepts(signed())
    assert not any(accepts(headers) for headers in (signed("other"), {}, {"Linear-Signature": ""}))
    assert not accepts(signed(), body=BODY + b"\n")


@pytest.mark.parametrize(("seconds", "accepted"), [(-61, False), (-60, True), (60, True), (61, False)])
def test_the_time_in_the_body_may_be_a_minute_away(seconds: int, accepted: bool) -> None:
    assert accepts(signed(), now=RECEIVED_AT + timedelta(seconds=seconds)) is accepted


def test_the_document_may_allow_older_deliveries() -> None:
    late = RECEIVED_AT + timedelta(hours=6)

    assert [accepts(signed(), now=late, tolerance=tolerance) for tolerance in ("7h", "off", "5m")] == [True, True, False]


@pytest.mark.parametrize("body", [b'{"type": "Issue"}', b"not json", b'{"webhookTimestamp": "soon"}'])
def test_a_signed_body_that_tells_no_time_is_accepted(body: bytes) -> None:
    assert accepts(signed(body=body), body=body)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("triage", Status.NEW), ("backlog", Status.NEW), ("unstarted", Status.NEW), ("started", Status.OPEN),
        ("completed", Status.SOLVED), ("canceled", Status.CLOSED), ("duplicate", Status.CLOSED),
    ],
)  # fmt: skip
def test_a_status_is_known_by_the_type_of_its_state(kind: str, status: Status) -> None:
    body = GOLDEN["state_changed"]
    issue = {**body["data"], "state": {"id": "s", "name": "Closed or so", "type": kind}}

    assert read(source("linear"), {**body, "data": issue}).events[0].set["status"] == status


@pytest.mark.parametrize(("number", "priority"), [(0, None), (1, "urgent"), (2, "high"), (3, "normal"), (4, "low"), (2.0, "high")])
def test_priorities_are_numbers_and_nought_is_none(number: float, priority: str | None) -> None:
    body = GOLDEN["state_changed"]
    event = read(source("linear"), {**body, "data": {**body["data"], "priority": number}}).events[0]

    assert event.set["priority"] == priority


def test_the_document_may_say_what_no_priority_means() -> None:
    config = source("linear", priority_map={0: "low"})

    assert read(config, GOLDEN["priority_taken_away"]).events[0].set["priority"] == "low"


def test_a_webhook_that_lost_its_id_is_known_by_what_changed_when() -> None:
    first, again = (read(source("linear"), {**GOLDEN["assigned"], "webhookTimestamp": sent}).events[0] for sent in (1, 2))
    other = read(source("linear"), {**GOLDEN["assigned"], "createdAt": "2026-11-21T09:00:01Z"}).events[0]

    assert first.key == again.key != other.key


def test_facts_that_an_issue_does_not_tell_are_not_asserted() -> None:
    event = read(source("linear"), {"type": "Issue", "action": "update", "data": {"id": "i"}, "createdAt": "2026-11-21T09:00:00Z"}).events[
        0
    ]

    assert dict(event.set) == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/type"),
        ({"type": "Issue", "data": {}}, "/data/id"),
        ({"type": "Issue", "data": []}, "/data"),
        ({"type": "IssueSLA"}, "/issueData/id"),
        ({"type": "Comment", "action": "create", "data": {"issueId": []}}, "/data/issueId"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("linear"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
