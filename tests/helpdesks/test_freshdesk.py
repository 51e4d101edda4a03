"""Freshdesk: what proves a request, the template of the docs, and what the goldens do not show."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("freshdesk")}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "freshdesk.md"


def accepts(headers: dict[str, str], **verify: Any) -> bool:
    try:
        load("freshdesk").verify(request(b"{}", headers), source("freshdesk", verify=verify), RECEIVED_AT)
    except InvalidSignature:
        return False
    return True


def filled(**values: str) -> dict[str, Any]:
    """The template of the docs, its placeholders filled with these values (dots are double underscores), the others with nothing."""
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    known = {name.replace("__", "."): value for name, value in values.items()}
    body: dict[str, Any] = json.loads(re.sub(r"\{\{(.*?)\}\}", lambda match: known.pop(match[1], ""), text))
    assert not known, f"the template does not tell {known}"
    return body


def test_a_header_or_basic_authentication_proves_a_request() -> None:
    basic: dict[str, Any] = {"basic": {"user": "fd", "password": "p"}}

    assert accepts({"X-SLA-Token": "t"}, header="X-SLA-Token", secret="t")
    assert not accepts({"X-SLA-Token": "u"}, header="X-SLA-Token", secret="t")
    assert [accepts({"Authorization": "Basic ZmQ6cA=="}, **basic), accepts({}, **basic)] == [True, False]


def test_nothing_is_signed_so_a_source_has_no_secret() -> None:
    with pytest.raises(ValidationError, match="secret"):
        source("freshdesk", secret="s3cret")


@pytest.mark.parametrize(
    ("event", "actor", "kind", "author"),
    [
        ("reply", "agent", EventKind.MESSAGE_AGENT_PUBLIC, ActorKind.AGENT),
        ("reply", "requester", EventKind.MESSAGE_CUSTOMER, ActorKind.CUSTOMER),
        ("reply", "", EventKind.MESSAGE_AGENT_PUBLIC, ActorKind.UNKNOWN),
        ("note", "agent", EventKind.MESSAGE_PRIVATE_NOTE, ActorKind.AGENT),
        ("public note", "agent", EventKind.MESSAGE_AGENT_PUBLIC, ActorKind.AGENT),
        ("reply", "system", EventKind.MESSAGE_BOT, ActorKind.SYSTEM),
    ],
)
def test_the_words_of_the_template_say_who_said_what(event: str, actor: str, kind: EventKind, author: ActorKind) -> None:
    body = filled(ticket__id="7", ticket__status="Open", ticket__updated_at="2026-11-21 09:00:00 UTC")
    (told,) = read(source("freshdesk"), {**body, "event": event, "actor": actor}).events

    assert told.message is not None
    assert (told.ticket, told.kind, told.message.author) == ("7", kind, author)


def test_the_template_of_a_change_says_nothing() -> None:
    (told,) = read(source("freshdesk"), {**filled(ticket__id="7", ticket__priority="Urgent"), "event": "change", "actor": "agent"}).events

    assert (told.message, told.kind, told.set["priority"], told.set["assignee"]) == (None, EventKind.TICKET_UPDATED, "urgent", None)


def test_without_a_time_the_same_body_is_one_delivery_for_ten_minutes() -> None:
    config, body = source("freshdesk"), GOLDEN["simple_public_note_by_agent"]
    soon, much_later = RECEIVED_AT + timedelta(minutes=5), RECEIVED_AT + timedelta(hours=1)
    keys = [read(config, body, received_at=at).events[0].key for at in (RECEIVED_AT, soon, much_later)]

    assert keys[0] == keys[1] != keys[2]


def test_with_a_time_the_same_body_is_one_delivery_whenever_it_comes() -> None:
    config, body = source("freshdesk"), GOLDEN["template_reply_by_agent"]
    keys = {read(config, body, received_at=RECEIVED_AT + timedelta(hours=hours)).events[0].key for hours in range(3)}

    assert len(keys) == 1


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("{status:{from:2,to:3}}", EventKind.TICKET_STATUS_CHANGED),
        ("{ status : { from : 5 , to : 2 } }", EventKind.TICKET_REOPENED),
        ("{priority:{from:1,to:}}", EventKind.TICKET_PRIORITY_CHANGED),
        ("{group_id:{from:8,to:9}}", EventKind.TICKET_ASSIGNED),
        ("{ticket_type:{from:A,to:B}}", EventKind.TICKET_UPDATED),
        ("{{{:::,,}}", EventKind.TICKET_SNAPSHOT),
        ("{note_type:private,note_type}", EventKind.MESSAGE_PRIVATE_NOTE),
    ],
)
def test_the_triggered_event_is_read_as_far_as_it_can_be(told: str, kind: EventKind) -> None:
    body = {"freshdesk_webhook": {"ticket_id": 7, "ticket_status": "Open", "triggered_event": told}}

    assert read(source("freshdesk"), body).events[0].kind is kind


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, ""),
        ({"freshdesk_webhook": {}}, "/freshdesk_webhook"),
        ({"freshdesk_webhook": {"ticket_id": True}}, "/freshdesk_webhook/ticket_id"),
        ({"schema": "slawatch.freshservice.v1", "ticket_id": 1}, "/schema"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("freshdesk"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
