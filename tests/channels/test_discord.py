"""Discord: what is posted, within Discord's limits, and that nobody is mentioned by a text from outside."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from app.channels import Notice
from app.channels._markdown import escape
from app.channels._story import tell
from app.channels._text import clean
from app.channels.discord import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import TEXTS, markup, said, shown, texts
from tests.channels.notices import AT, notice

CONFIG = Config.model_validate({"url": "https://discord.com/api/webhooks/1/XXXX"})


def text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


def strict(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


FIELD = strict({"name": text(256), "value": text(1024), "inline": {"type": "boolean"}}, "name", "value")
EMBED = strict(
    {
        "title": text(256),
        "description": text(4096),
        "url": {"type": "string", "pattern": "^https?://[!-~]+$", "maxLength": 2048},
        "color": {"type": "integer", "minimum": 0, "maximum": 0xFFFFFF},
        "fields": {"type": "array", "maxItems": 25, "items": FIELD},
        "footer": strict({"text": text(2048)}, "text"),
    }
)
# https://docs.discord.com/developers/resources/webhook#execute-webhook and .../resources/message#embed-object-embed-limits
MESSAGE = strict(
    {
        "content": text(2000),
        "allowed_mentions": strict({"parse": {"type": "array", "maxItems": 0}}, "parse"),  # nobody
        "embeds": {"type": "array", "minItems": 1, "maxItems": 10, "items": EMBED},
    },
    "content",
    "allowed_mentions",
)
VALIDATOR = Draft202012Validator(MESSAGE)


def message(said: Notice, config: Config = CONFIG) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(said, config, AT).body)
    VALIDATOR.validate(body)
    for embed in body.get("embeds", []):
        fields = [part for field in embed.get("fields", []) for part in (field["name"], field["value"])]
        assert sum(map(len, [embed["title"], embed.get("description", ""), embed["footer"]["text"], *fields])) <= 6000
    return body


def test_a_breach_is_a_line_with_an_embed() -> None:
    assert message(notice()) == {
        "content": tell(notice().event).line,
        "allowed_mentions": {"parse": []},
        "embeds": [
            {
                "title": "#4711 Checkout fails with 502",
                "color": 0xDC143C,
                "fields": [
                    {"name": "Policy", "value": "Gold 24x7", "inline": True},
                    {"name": "Target", "value": "30m", "inline": True},
                    {"name": "Due", "value": "<t:1795253400:f> (<t:1795253400:R>)", "inline": True},
                    {"name": "State", "value": "4 s late", "inline": True},
                ],
                "url": "https://acme.zendesk.example/agent/tickets/4711",
                "description": "Acme GmbH · priority urgent · tier gold · nobody assigned\n"
                "[Breach](https://sla.example.com/breaches/brc_1) · [Why](https://sla.example.com/tickets/tkt_1/explain)",
                "footer": {"text": "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody · next: team lead in 15 min"},
            }
        ],
    }


@pytest.mark.parametrize("type_", event_types())
def test_every_event_is_a_message_within_the_limits(type_: str) -> None:
    body = message(notice(type_))

    assert shown(body["content"]) == tell(notice(type_).event).line
    assert ("embeds" in body) is (type_ != "test.ping")


def test_who_is_told_can_acknowledge() -> None:
    body = message(notice("escalation.step", links={"acknowledge": "https://sla.example.com/ack/abc"}))

    assert body["embeds"][0]["description"].split("\n")[1].startswith("[Acknowledge](https://sla.example.com/ack/abc) · ")


def test_discord_is_asked_to_answer_after_it_has_posted() -> None:
    assert render(notice(), CONFIG, AT).url == "https://discord.com/api/webhooks/1/XXXX?wait=true"


def test_a_thread_can_be_named_in_the_document() -> None:
    config = Config.model_validate({"url": "https://discord.com/api/webhooks/1/X?wait=false&thread_id=1", "thread_id": "42"})

    assert render(notice(), config, AT).url == "https://discord.com/api/webhooks/1/X?wait=true&thread_id=42"
    with pytest.raises(ValidationError):
        Config.model_validate({"url": "https://discord.com/api/webhooks/1/X", "thread_id": "42&x=1"})


def test_the_shortest_form_is_the_line_alone() -> None:
    assert sorted(message(replace(notice(), shortest=True))) == ["allowed_mentions", "content"]


@settings(deadline=None, max_examples=40)
@given(texts())
def test_any_text_from_outside_fits_stays_text_and_leaves_the_facts_readable(text: str) -> None:
    for type_, url in (("sla.breached", None), ("escalation.step", "https://x.example/" + "a" * 480)):
        body = message(said(text, type_, url))

        embed = body["embeds"][0]
        values = [field["value"] for field in embed["fields"] if field["name"] != "Due"]

        assert "first response · #4711" in body["content"]
        assert "due 2026-11-21 09:30 UTC" in body["content"]
        assert not [part for part in (body["content"], embed["title"], embed["description"].split("\n")[0], *values) if markup(part)]


@pytest.mark.parametrize("hostile", TEXTS)
def test_another_reader_of_markdown_finds_nothing_but_the_text(hostile: str) -> None:
    one_line = clean(hostile, 500)

    assert markup(escape(one_line)) == set()
    assert shown(escape(one_line)) == one_line


@pytest.mark.parametrize("body", [b"", b'{"id": "1", "content": "cut he'])
def test_a_message_or_nothing_is_delivered(body: bytes) -> None:
    assert interpret(HttpResponse(200, {}, body), AT) == Delivered()


def test_a_page_of_something_else_is_not_delivered() -> None:
    outcome = interpret(HttpResponse(200, {}, b"<html>Welcome"), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.error_class, outcome.disable) == ("protocol_error", False)


@pytest.mark.parametrize(
    ("status", "code", "words", "disable"),
    [
        (400, 50035, "Invalid Form Body", False),
        (401, 50027, "Invalid Webhook Token", True),
        (403, 50013, "Missing Permissions", True),
        (404, 10015, "Unknown Webhook", True),
    ],
)
def test_what_no_retry_mends_is_dead_with_discords_own_words(status: int, code: int, words: str, disable: bool) -> None:
    outcome = interpret(HttpResponse(status, {}, json.dumps({"message": words, "code": code}).encode()), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, not disable)
    assert f"{words} ({code})" in outcome.detail


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, {"message": "You are being rate limited.", "retry_after": 64.57, "global": False}, 64.57),
        ({"retry-after": "65"}, {"retry_after": 64.57}, 65),
        ({}, {"retry_after": 1e12}, 6 * 3600),
        ({}, {"retry_after": -1}, None),
        ({}, {"retry_after": "soon"}, None),
        ({}, {}, None),
    ],
)
def test_patience_is_asked_for_in_the_header_or_in_the_answer(headers: dict[str, str], body: dict[str, Any], seconds: float | None) -> None:
    outcome = interpret(HttpResponse(429, headers, json.dumps(body).encode()), AT)

    assert isinstance(outcome, Retry)
    assert outcome.not_before == (None if seconds is None else AT + timedelta(seconds=seconds))
