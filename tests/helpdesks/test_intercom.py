"""Intercom: what its signature proves, and what the goldens do not show."""

import hashlib
import hmac
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from app.rules.ticket import walk
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = b'{"topic": "ping"}'
GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("intercom")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, **said: Any) -> bool:
    try:
        load("intercom").verify(request(body, headers), source("intercom", **said), RECEIVED_AT)
    except InvalidSignature:
        return False
    return True


def signed(secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    return {"X-Hub-Signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


def of(topic: str, **item: Any) -> dict[str, Any]:
    return {"topic": topic, "id": "notif_1", "created_at": 1795252531, "data": {"item": {"id": "9", "updated_at": 1795252530, **item}}}


def test_only_a_signature_of_ours_over_these_bytes_is_accepted() -> None:
    wrong = [signed("other"), {}, {"X-Hub-Signature": ""}, {"X-Hub-Signature": signed()["X-Hub-Signature"].removeprefix("sha1=")}]

    assert accepts(signed("new"), secret=["old", "new"])
    assert not any(accepts(headers) for headers in wrong)
    assert not accepts(signed(), body=BODY + b"\n")


def test_a_reply_that_also_assigns_comes_twice_and_counts_once() -> None:
    config = source("intercom")
    names = ("created_by_customer", "admin_replied_and_was_assigned", "admin_replied")
    told = [read(config, {**GOLDEN[name], "id": f"notif_{name}"}).events[0] for name in names]
    again = read(config, {**GOLDEN["admin_replied"], "id": "notif_again"}).events[0]
    ticket = walk(Timeline().extend((*told, again)))[-1]

    assert ticket.by_agent.first_reply_at == ticket.by_agent.last_reply_at == told[2].at
    assert ticket.facts["assignee"] == "814860"


def test_what_a_bot_says_answers_nobody() -> None:
    config = source("intercom")
    told = [
        read(config, {**GOLDEN[n], "id": n}).events[0] for n in ("created_by_customer", "operator_replied", "ai_agent_replied_as_admin")
    ]
    ticket = walk(Timeline().extend(told))[-1]

    assert (ticket.by_agent.first_reply_at, ticket.by_agent.waiting_since) == (None, told[0].at)


@pytest.mark.parametrize("nobody", [None, 0, "0", ""])
def test_nobody_comes_in_many_forms(nobody: Any) -> None:
    event = read(source("intercom"), of("ticket.admin.assigned", type="ticket", admin_assignee_id=nobody, team_assignee_id=nobody)).events[
        0
    ]

    assert dict(event.set) == {"assignee": None, "group": None}


@pytest.mark.parametrize(
    ("author", "kind"),
    [
        ({"type": "user", "id": "u"}, ActorKind.CUSTOMER),
        ({"type": "lead", "id": "u"}, ActorKind.CUSTOMER),
        ({"type": "contact", "id": "u"}, ActorKind.CUSTOMER),
        ({"type": "admin", "id": "a"}, ActorKind.AGENT),
        ({"type": "admin", "id": "a", "from_ai_agent": True}, ActorKind.BOT),
        ({"type": "bot", "id": "b"}, ActorKind.BOT),
        ({"type": "parrot", "id": "p"}, ActorKind.UNKNOWN),
        ({}, ActorKind.AGENT),
    ],
)
def test_who_speaks_is_told_by_the_author_and_only_without_one_by_the_topic(author: dict[str, Any], kind: ActorKind) -> None:
    parts = {"conversation_parts": [{"id": "1", "part_type": "comment", "body": "Hi", "author": author, "created_at": 1795252500}]}
    event = read(source("intercom"), of("conversation.admin.replied", conversation_parts=parts)).events[0]

    assert event.message is not None
    assert event.message.author is kind


def test_the_document_may_say_who_an_admin_is() -> None:
    event = read(source("intercom", actor_map={"814860": "bot"}), GOLDEN["admin_replied"]).events[0]

    assert event.kind is EventKind.MESSAGE_BOT


def test_the_retry_of_a_notification_is_the_same_event() -> None:
    config = source("intercom")
    retried = {**GOLDEN["admin_replied"], "delivery_attempts": 2, "delivery_status": "retry"}

    assert read(config, retried) == read(config, GOLDEN["admin_replied"])


def test_an_unknown_topic_is_ignored_even_without_an_item() -> None:
    reading = read(source("intercom"), {"topic": "content_stat.news_item", "id": "notif_1"})

    assert (reading.outcome, reading.delivery_id) == ("ignored", "notif_1")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, "/topic"),
        ({"topic": []}, "/topic"),
        ({"topic": "ticket.created"}, "/data/item/id"),
        ({"topic": "ticket.created", "data": {"item": []}}, "/data/item"),
        (of("ticket.created", priority={}), "/data/item/priority"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("intercom"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
