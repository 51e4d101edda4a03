"""Mattermost: what is posted, within Mattermost's limits, and that nobody is mentioned by a text from outside."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from app.channels import Notice
from app.channels._story import tell
from app.channels._text import clean
from app.channels.mattermost import Config, escape, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import TEXTS, markup, said, shown, texts
from tests.channels.notices import AT, notice

CONFIG = Config.model_validate({"url": "https://mattermost.example.com/hooks/xxxxxxxxxxxxxxxxxxxxxxxxxx"})
LINE = tell(notice().event).line

TEXT = {"type": "string", "minLength": 1}
FIELD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title", "value"],
    "properties": {"title": TEXT, "value": TEXT, "short": {"type": "boolean"}},
}
# https://developers.mattermost.com/integrate/webhooks/incoming/#parameters and .../integrate/reference/message-attachments/
ATTACHMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["fallback"],
    "properties": {
        **dict.fromkeys(("fallback", "title", "text", "footer"), TEXT),
        "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        "title_link": {"type": "string", "pattern": "^https?://[!-~]+$"},
        "fields": {"type": "array", "items": FIELD},
    },
}
MESSAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text"],
    "properties": {"text": {**TEXT, "maxLength": 16_383}, "attachments": {"type": "array", "maxItems": 1, "items": ATTACHMENT}},
}
VALIDATOR = Draft202012Validator(MESSAGE)


def message(said: Notice) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(said, CONFIG, AT).body)
    VALIDATOR.validate(body)
    assert len(json.dumps(body.get("attachments", []), ensure_ascii=False)) <= 7_900
    return body


def written(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def test_a_breach_is_a_headline_with_an_attachment() -> None:
    assert message(notice()) == {
        "text": "**✖ SLA breached: first response**",
        "attachments": [
            {
                "fallback": LINE,
                "color": "#dc143c",
                "title": "#4711 Checkout fails with 502",
                "title_link": "https://acme.zendesk.example/agent/tickets/4711",
                "text": "Acme GmbH · priority urgent · tier gold · nobody assigned\n"
                "[Breach](https://sla.example.com/breaches/brc_1) · [Why](https://sla.example.com/tickets/tkt_1/explain)",
                "fields": [
                    {"title": "Policy", "value": "Gold 24x7", "short": True},
                    {"title": "Target", "value": "30m", "short": True},
                    {"title": "Due", "value": "2026-11-21 09:30 UTC", "short": True},
                    {"title": "State", "value": "4 s late", "short": True},
                ],
                "footer": "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody · next: team lead in 15 min",
            }
        ],
    }


@pytest.mark.parametrize("type_", event_types())
def test_every_event_is_a_message_within_the_limits(type_: str) -> None:
    body = message(notice(type_))
    fallbacks = [attachment["fallback"] for attachment in body.get("attachments", [])]

    assert (fallbacks or [shown(body["text"])]) == [tell(notice(type_).event).line]


def test_who_is_told_can_acknowledge() -> None:
    body = message(notice("escalation.step", links={"acknowledge": "https://sla.example.com/ack/abc"}))

    assert body["attachments"][0]["text"].split("\n")[1].startswith("[Acknowledge](https://sla.example.com/ack/abc) · ")


def test_the_shortest_form_is_the_line_alone() -> None:
    assert message(replace(notice(), shortest=True)) == {"text": LINE}


def test_a_body_that_grew_too_large_gets_smaller_step_by_step() -> None:
    body = message(said("A" * 10_000, "escalation.step", "https://x.example/" + "a" * 900))

    assert [field["title"] for field in body["attachments"][0]["fields"]] == ["Policy", "Target", "Due", "State"]
    assert body["attachments"][0]["text"].count("](https://") == 1


@settings(deadline=None, max_examples=40)
@given(texts())
def test_any_text_from_outside_fits_mentions_nobody_and_leaves_the_facts_readable(text: str) -> None:
    for type_ in ("sla.breached", "escalation.step"):
        body = message(said(text, type_))
        plain = body["attachments"][0]["fallback"] if "attachments" in body else body["text"]

        assert "first response · #4711" in plain
        assert "due 2026-11-21 09:30 UTC" in plain
        for attachment in body.get("attachments", []):
            values = [field["value"] for field in attachment["fields"]]
            assert not [part for part in (attachment["title"], attachment["text"].split("\n")[0], *values) if markup(part)]
        assert not re.search("@[^\u200b]", written(body))
        assert not re.search("<[^\u200b]", written(body))  # Mattermost reads Slack's markup, too


@pytest.mark.parametrize("hostile", TEXTS)
def test_another_reader_of_markdown_finds_nothing_but_the_text(hostile: str) -> None:
    one_line = clean(hostile, 500)

    assert markup(escape(one_line)) == set()
    assert shown(escape(one_line)).replace("\u200b", "") == one_line


@pytest.mark.parametrize("body", [b"ok", b"o", b""])
def test_ok_is_delivered_even_when_the_connection_broke_in_it(body: bytes) -> None:
    assert interpret(HttpResponse(200, {}, body), AT) == Delivered()


def test_a_page_that_is_not_mattermosts_is_not_delivered() -> None:
    outcome = interpret(HttpResponse(200, {}, b"<!doctype html>"), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.error_class, outcome.disable) == ("protocol_error", False)


@pytest.mark.parametrize(
    ("status", "id_", "words", "disable"),
    [
        (400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.", True),
        (400, "web.incoming_webhook.parse.app_error", "Unable to parse incoming data.", False),
        (400, "web.incoming_webhook.text.app_error", "No text specified.", False),
        (403, "web.incoming_webhook.permissions.app_error", "Inappropriate channel permissions.", True),
        (404, "web.incoming_webhook.channel.app_error", "Couldn't find the channel.", True),
    ],
)
def test_what_no_retry_mends_is_dead_with_mattermosts_own_words(status: int, id_: str, words: str, disable: bool) -> None:
    body = json.dumps({"id": id_, "message": words, "detailed_error": "", "status_code": status}).encode()
    outcome = interpret(HttpResponse(status, {}, body), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, not disable)
    assert f"{words} ({id_})" in outcome.detail


@pytest.mark.parametrize("status", [429, 500, 501, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status, {}, b'{"id": "web.incoming_webhook.disabled.app_error"}'), AT), Retry)
