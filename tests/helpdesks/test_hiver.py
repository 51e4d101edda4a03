"""Hiver: the template of the docs, filled in as an automation would."""

import json
import re
from pathlib import Path

from app.rules.events import ActorKind
from tests.helpdesks.deliveries import read, source

PAGE = Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "hiver.md"
FILLED = {
    "from_email": "ann@customer.example", "conversation_id": "70431", "status": "open", "priority_tag": "vip", "shared_mailbox": "support",
    "assignee_email": "", "customer_email": "ann@customer.example", "tags": "vip, outage", "email_id": "e1",
    "conversation_url": "https://v2.hiverhq.com/c/70431", "updated_at": "1795251600",
}  # fmt: skip


def test_the_template_of_the_docs_tells_everything() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    body = json.loads(re.sub(r"\{\{(\w+)\}\}", lambda match: FILLED[match[1]], text))
    reading = read(source("hiver", priority_map={"vip": "urgent"}), body)
    (event,) = reading.events

    assert (reading.reason, event.at.isoformat(), event.key) == (None, "2026-11-21T09:00:00+00:00", "e1")
    assert (event.message and event.message.author, event.set["assignee"], event.set["priority"]) == (ActorKind.CUSTOMER, None, "urgent")


def test_a_user_is_a_team_member() -> None:
    said = [
        read(source("hiver"), {"conversation_id": 1, "event": "message", "author": word}).events[0].message for word in ("user", "contact")
    ]

    assert [message and message.author for message in said] == [ActorKind.AGENT, ActorKind.CUSTOMER]
