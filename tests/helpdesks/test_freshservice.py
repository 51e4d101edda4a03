"""Freshservice: where it differs from Freshdesk, and the template of the docs."""

import json
import re
from pathlib import Path

import pytest

from app.errors import InvalidSignature
from app.helpdesks import load
from app.rules.events import EventKind
from tests.helpdesks.deliveries import RECEIVED_AT, read, request, source

PAGE = Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "freshservice.md"


def test_a_request_without_the_secret_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        load("freshservice").verify(request(b"{}", {}), source("freshservice"), RECEIVED_AT)


@pytest.mark.parametrize(
    ("status", "meaning"), [(2, "open"), ("3", "pending"), ("Resolved", "solved"), ("Closed", "closed"), (6, "6"), (7, "7")]
)
def test_statuses_beyond_the_four_are_the_accounts_own(status: object, meaning: str) -> None:
    event = read(source("freshservice"), {"freshservice_webhook": {"ticket_id": "INC-1", "ticket_status": status}}).events[0]

    assert event.set["status"] == meaning


def test_the_template_of_the_docs_can_be_pasted() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    values = {"ticket.id": "INC-12", "ticket.department.name": "Bakery", "ticket.updated_at": "2026-11-21 09:00:00 UTC"}
    body = json.loads(re.sub(r"\{\{(.*?)\}\}", lambda match: values.get(match[1], ""), text))
    (event,) = read(source("freshservice"), body).events

    assert (event.ticket, event.kind, event.set["organization"]) == ("INC-12", EventKind.MESSAGE_AGENT_PUBLIC, "Bakery")
