"""Help Scout: what its signature proves, and what the goldens do not show."""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from app.rules.ticket import walk
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

BODY = b'{"id": 10077}'
GOLDEN = {file.stem: golden(file) for file in golden_files("help-scout")}


def accepts(headers: dict[str, str], *, body: bytes = BODY, **said: Any) -> bool:
    try:
        load("help-scout").verify(request(body, headers), source("help-scout", **said), RECEIVED_AT)
    except InvalidSignature:
        return False
    return True


def signed(secret: str = "s3cret", body: bytes = BODY) -> dict[str, str]:
    return {"X-HelpScout-Signature": base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha1).digest()).decode()}


def event(name: str, **said: Any) -> Any:
    case = GOLDEN[name]
    return read(source("help-scout", **said), case["body"], case["headers"]).events[0]


def test_only_a_signature_of_ours_over_these_bytes_is_accepted() -> None:
    in_hex = {"X-HelpScout-Signature": hmac.new(b"s3cret", BODY, hashlib.sha1).hexdigest()}

    assert accepts(signed("new"), secret=["old", "new"])
    assert not any(accepts(headers) for headers in (signed("other"), {}, {"X-HelpScout-Signature": ""}, in_hex))
    assert not accepts(signed(), body=BODY + b"\n")


def test_spam_goes_quiet_and_comes_back_with_any_other_status() -> None:
    spam, back = event("spam"), event("closed")

    assert (spam.set["status"], spam.set["deleted"], back.set["deleted"]) == ("closed", True, False)


def test_the_document_may_say_otherwise_of_spam() -> None:
    told = event("spam", status_map={"spam": "deleted"})

    assert (told.set["deleted"], "status" in told.set) == (True, False)


def test_a_reply_told_again_later_with_newer_facts_is_the_same_event() -> None:
    case = GOLDEN["agent_reply"]
    later = {**case["body"], "status": "closed", "userUpdatedAt": "2026-11-21T11:00:00Z"}
    keys = {read(source("help-scout"), body, case["headers"]).events[0].key for body in (case["body"], later)}

    assert keys == {"44010"}


def test_a_workflows_reply_answers_nobody_and_an_agents_does() -> None:
    created = event("created_by_customer")
    by_machine = walk(Timeline().extend((created, event("reply_of_a_workflow"))))[-1]
    by_agent = walk(Timeline().extend((created, event("agent_reply"))))[-1]

    assert by_machine.by_agent.first_reply_at is None
    assert by_agent.by_agent.first_reply_at == event("agent_reply").at


def test_the_newest_thread_of_the_right_type_is_the_one_that_was_written() -> None:
    threads = [
        {"id": 1, "type": "customer", "createdAt": "2026-11-21T09:00:00Z"},
        {"id": 3, "type": "note", "createdAt": "2026-11-21T09:20:00Z"},
        {"id": 2, "type": "customer", "createdAt": "2026-11-21T09:10:00Z"},
    ]
    told = read(
        source("help-scout"), {"id": 9, "_embedded": {"threads": threads}}, {"X-HelpScout-Event": "convo.customer.reply.created"}
    ).events[0]

    assert (told.message.id if told.message else None, told.at.minute) == ("2", 10)


def test_a_deletion_tells_no_time_so_the_same_words_are_one_delivery_for_ten_minutes() -> None:
    config, case = source("help-scout"), GOLDEN["deleted"]
    times = (RECEIVED_AT, RECEIVED_AT + timedelta(minutes=5), RECEIVED_AT + timedelta(hours=1))
    keys = [read(config, case["body"], case["headers"], at).events[0].key for at in times]

    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"createdBy": {"type": "customer", "id": 7}}, ActorKind.CUSTOMER),
        ({"createdBy": {"type": "user", "id": 7}}, ActorKind.AGENT),
        ({"createdBy": {"type": "user", "id": 1}}, ActorKind.SYSTEM),
        ({"source": {"type": "email", "via": "customer"}}, ActorKind.CUSTOMER),
        ({"source": {"type": "api", "via": "user"}}, ActorKind.AGENT),
        ({}, ActorKind.UNKNOWN),
    ],
)
def test_who_created_a_conversation(body: dict[str, Any], kind: ActorKind) -> None:
    told = read(source("help-scout"), {"id": 9, **body}, {"X-HelpScout-Event": "convo.created"}).events[0]

    assert (told.kind, told.actor.kind) == (EventKind.TICKET_CREATED, kind)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [([], ""), ({}, "/id"), ({"resource": "https://api.helpscout.net/v2/conversations/9"}, "/id"), ({"id": 9, "tags": 5}, "/tags")],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("help-scout"), body, {"X-HelpScout-Event": "convo.status"})

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
