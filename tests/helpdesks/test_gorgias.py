"""Gorgias: what proves a request, the template of the docs, and what the goldens do not show."""

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

GOLDEN = {file.stem: golden(file)["body"] for file in golden_files("gorgias")}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "gorgias.md"


def accepts(headers: dict[str, str]) -> bool:
    try:
        load("gorgias").verify(request(b"{}", headers), source("gorgias"), RECEIVED_AT)
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


TICKET = {
    "ticket__id": "5017", "ticket__status": "open", "ticket__priority": "high", "ticket__customer__email": "ann@customer.example",
    "ticket__created_datetime": "2026-11-21T08:00:00.1", "ticket__updated_datetime": "2026-11-21T09:00:01", "ticket__spam": "False",
}  # fmt: skip
REPLY = {
    "message__id": "9", "message__from_agent": "True", "message__public": "True", "message__channel": "email", "message__rule_id": "None",
    "message__created_datetime": "2026-11-21T09:00:00.5", "message__sender__id": "71",
}  # fmt: skip


def test_a_static_secret_proves_a_request() -> None:
    assert [accepts({"X-SLA-Token": secret}) for secret in ("s3cret", "other", "")] == [True, False, False]


def test_nothing_is_signed_so_a_source_has_no_secret() -> None:
    with pytest.raises(ValidationError, match="secret"):
        source("gorgias", secret="s3cret")


@pytest.mark.parametrize(
    ("said", "author", "public"),
    [
        ({}, ActorKind.AGENT, True),
        ({"message__rule_id": "12"}, ActorKind.BOT, True),
        ({"message__from_agent": "False"}, ActorKind.CUSTOMER, True),
        ({"message__from_agent": "false", "message__rule_id": ""}, ActorKind.CUSTOMER, True),
        ({"message__public": "False"}, ActorKind.AGENT, False),
        ({"message__channel": "internal-note"}, ActorKind.AGENT, False),
        ({"message__from_agent": ""}, ActorKind.UNKNOWN, True),
    ],
)
def test_the_template_of_the_docs_tells_who_said_what(said: dict[str, str], author: ActorKind, public: bool) -> None:
    (event,) = read(source("gorgias"), filled(**TICKET | REPLY | said)).events

    assert event.message is not None
    assert (event.message.author, event.message.public, event.message.id, event.ticket) == (author, public, "9", "5017")


def test_the_template_of_the_docs_without_a_message_tells_how_the_ticket_stands() -> None:
    (event,) = read(source("gorgias"), filled(**TICKET | {"ticket__assignee_user__id": "None"})).events

    assert (event.kind, event.message, event.set["status"], event.set["priority"]) == (EventKind.TICKET_UPDATED, None, "open", "high")
    assert (event.set["assignee"], event.set["deleted"], event.set["requester"]) == (None, False, "ann@customer.example")


@pytest.mark.parametrize("nothing", ["", "None", "null"])
def test_a_placeholder_without_a_value_is_nothing(nothing: str) -> None:
    body = filled(**TICKET | {"ticket__priority": nothing, "ticket__snooze_datetime": nothing, "ticket__trashed_datetime": nothing})
    (event,) = read(source("gorgias"), body).events

    assert "priority" not in event.set
    assert (event.set["status"], event.set["deleted"]) == ("open", False)


def test_a_message_told_by_two_integrations_is_one_event() -> None:
    config = source("gorgias")
    keys = {read(config, GOLDEN[name]).events[0].key for name in ("ours_reply", "message_alone_by_agent", "context_reply_read_late")}

    assert keys == {"90210"}


def test_a_ticket_without_a_time_is_another_one_an_hour_later() -> None:
    moments = [RECEIVED_AT, RECEIVED_AT + timedelta(minutes=2), RECEIVED_AT + timedelta(hours=1)]
    first, again, later = (read(source("gorgias"), GOLDEN["ticket_by_ids"], received_at=at).events[0].key for at in moments)

    assert first == again != later


@pytest.mark.parametrize(
    ("until", "status"),
    [("2026-11-21T09:00:02Z", "pending"), ("2026-11-21T09:00:01Z", "open"), (None, "open"), ("soon", "open")],
)
def test_a_ticket_is_snoozed_as_long_as_its_snooze_lies_ahead(until: str | None, status: str) -> None:
    body = {**GOLDEN["ticket_alone"], "snooze_datetime": until}

    assert read(source("gorgias"), body).events[0].set["status"] == status


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, ""),
        ({"ticket": {"status": "open"}}, ""),
        ({"schema": "slawatch.gorgias.v2", "ticket": {"id": 1}}, "/schema"),
        ({"ticket": {"id": []}}, "/ticket/id"),
        ({"ticket": {"id": 1, "tags": 5}}, "/ticket/tags"),
    ],
)
def test_a_delivery_of_the_wrong_shape_names_the_place(body: Any, pointer: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(source("gorgias"), body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
