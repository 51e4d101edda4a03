"""Zammad: what its signature proves, and what the goldens do not show."""

import hashlib
import hmac
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = b'{"ticket": {"id": 81}}'
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("zammad")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, **said: Any) -> bool:
    try:
        load("zammad").verify(request(body, headers), source("zammad", **said), RECEIVED_AT)
    except InvalidSignature:
        return False
    return True


def signed(secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    return {"X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


def test_only_a_signature_of_ours_over_these_bytes_is_accepted() -> None:
    wrong = [signed("other"), {}, {"X-Hub-Signature": ""}, {"X-Hub-Signature": signed()["X-Hub-Signature"].removeprefix("sha1=")}]

    assert accepts(signed())
    assert not any(accepts(headers) for headers in wrong)
    assert not accepts(signed(), body=BODY + b"\n")


def test_a_webhook_without_token_may_be_verified_by_basic_authentication() -> None:
    said: dict[str, Any] = {"secret": None, "verify": {"basic": {"user": "zammad", "password": "p"}}}

    assert [accepts({"Authorization": "Basic emFtbWFkOnA="}, **said), accepts({}, **said)] == [True, False]


def test_without_delivery_id_the_body_is_the_key() -> None:
    config = source("zammad")
    first, again = (read(config, GOLDEN["note"]) for _ in range(2))

    assert (first.delivery_id, first.events[0].key) == (None, again.events[0].key)


def test_an_article_read_late_keeps_its_instant_and_the_ticket_its_own() -> None:
    events = read(source("zammad"), GOLDEN["reply_read_late"], {"X-Zammad-Delivery": "job"}).events
    moments = [[e.kind for e in group] for group in Timeline().extend(events).moments()]

    assert moments == [[EventKind.MESSAGE_AGENT_PUBLIC], [EventKind.TICKET_SNAPSHOT]]
    assert "status" not in events[0].set


def test_a_reply_and_the_status_it_leaves_share_an_instant() -> None:
    events = read(source("zammad"), GOLDEN["reply_that_leaves_it_waiting"]).events

    assert [(e.message is not None, e.set["status"]) for e in events] == [(True, "pending")]


def test_a_ticket_an_agent_opens_is_created_by_an_agent() -> None:
    events = read(source("zammad"), GOLDEN["created_by_agent_and_read_late"]).events

    assert [e.actor.kind for e in events if e.kind is EventKind.TICKET_CREATED] == [ActorKind.AGENT]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/ticket/id"),
        ({"ticket": []}, "/ticket"),
        ({"ticket": {"id": 1}, "article": {"id": 2, "sender": "Agent"}}, "/article/internal"),
        ({"ticket": {"id": 1, "owner": []}}, "/ticket/owner"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("zammad"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_a_bare_ticket_is_read_at_the_time_of_receipt() -> None:
    event = read(source("zammad"), {"ticket": {"id": 81, "state": "open"}}).events[0]

    assert (event.at, dict(event.set)) == (RECEIVED_AT, {"status": "open"})
