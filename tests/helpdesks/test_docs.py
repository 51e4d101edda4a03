"""What the pages about helpdesks tell people to paste can be pasted."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from app.helpdesks import load
from app.rules.events import ActorKind
from tests.helpdesks.deliveries import read, source

DOCS = Path(__file__).resolve().parents[2] / "docs" / "helpdesks"


def blocks(language: str) -> list[Any]:
    found = [
        (page.name, number, text)
        for page in sorted(DOCS.glob("*.md"))
        for number, text in enumerate(re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL))
    ]
    return [pytest.param(text, id=f"{page}-{number}") for page, number, text in found]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_source_of_the_docs_is_valid(text: str) -> None:
    sources = YAML(typ="safe").load(text)["sources"]

    for name, said in sources.items():
        assert load(said["kind"]).Config.model_validate({**said, "name": name}).name == name


@pytest.mark.parametrize(
    ("role", "author"), [("Agent", ActorKind.AGENT), ("Admin", ActorKind.AGENT), ("End-user", ActorKind.CUSTOMER), ("", ActorKind.UNKNOWN)]
)
def test_zendesks_template_tells_who_spoke_and_what_was_said(role: str, author: ActorKind) -> None:
    (text,) = re.findall(r"```json\n(.*?)```", (DOCS / "zendesk.md").read_text(), re.DOTALL)
    filled = {
        "ticket.latest_comment.id": "72", "current_user.id": "77", "current_user.role": role, "ticket.id": "811",
        "ticket.status": "Pending",
        "ticket.requester.email": "ann@customer.example", "ticket.updated_at_with_timestamp": "2026-11-21T09:00:00Z",
    }  # fmt: skip
    body = json.loads(re.sub(r"\{\{(.*?)\}\}", lambda match: filled.get(match[1], ""), text))
    message = read(source("zendesk"), body).events[0].message

    assert message is not None
    assert (message.author, message.public, message.id) == (author, True, "72")


def test_the_ferry_of_the_docs_reads_a_reply_with_two_changes() -> None:
    text = re.findall(r"```yaml\n(.*?)```", (DOCS / "generic.md").read_text(), re.DOTALL)[0]
    config = load("generic").Config.model_validate({**YAML(typ="safe").load(text)["sources"]["ferry"], "name": "ferry"})
    changes = [{"field": "Status", "new": "Stalled"}, {"field": "Owner", "new": "Nobody"}]
    user = {"login": "bob", "staff": True}
    transaction = {"id": 9, "type": "Correspond", "created": "2026-07-01 12:00:00", "user": user, "text": "hi", "changes": changes}
    events = read(config, {"transaction": transaction, "ticket": {"id": 42}}, {"X-Request-Id": "r"}).events

    assert [(e.key, dict(e.set), e.message and e.message.author) for e in events] == [
        ("9/Status", {"status": "on_hold", "deleted": False}, None),
        ("9/Owner", {"assignee": None}, None),
        ("9", {}, ActorKind.AGENT),
    ]
