"""LiveAgent: the template of the docs, filled in as LiveAgent would."""

import json
import re
from pathlib import Path

import pytest

from app.rules.events import ActorKind
from tests.helpdesks.deliveries import read, source

PAGE = Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "liveagent.md"
FILLED = {
    "ticket_id": "8ab2", "ticket_code": "QXZ-1234", "ticket_status": "A", "ticket_priority": "1", "department_name": "Support",
    "agent_email": "bob@desk.example", "customer_email": "ann@customer.example", "ticket_tags": "vip", "message_id": "m1",
    "date_created": "2026-11-20 09:00:00", "date_changed": "2026-11-21 10:00:00",
}  # fmt: skip


def template() -> str:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(text)


def test_the_template_of_the_docs_tells_everything() -> None:
    body = json.loads(re.sub(r"\{\$(\w+)\}", lambda match: FILLED[match[1]], template()))
    reading = read(source("liveagent", timezone="Europe/Bratislava"), body)
    (event,) = reading.events

    assert (reading.reason, event.at.hour, event.message and event.message.author) == (None, 9, ActorKind.CUSTOMER)
    assert {
        "status": "pending",
        "priority": "normal",
        "group": "Support",
        "tags": ("vip",),
        "number": "QXZ-1234",
    }.items() <= event.set.items()


def test_a_variable_that_liveagent_does_not_know_is_remarked() -> None:
    only = re.sub(r"\{\$ticket_id\}", "8ab2", template())
    reading = read(source("liveagent"), json.loads(only))

    assert "/status holds a variable that was not filled in" in (reading.reason or "")
    assert set(reading.events[0].set) == set()


@pytest.mark.parametrize(
    ("letter", "status"), [("I", "new"), ("N", "new"), ("C", "open"), ("T", "open"), ("P", "open"), ("Answered", "pending")]
)
def test_letters_and_words_of_statuses_are_known(letter: str, status: str) -> None:
    assert read(source("liveagent"), {"ticket_id": 1, "status": letter}).events[0].set["status"] == status
