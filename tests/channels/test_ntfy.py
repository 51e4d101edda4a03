"""ntfy: what is published, within ntfy's limits, to which topic and with which token."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from app.channels import Notice
from app.channels._story import tell
from app.channels.ntfy import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import AT, notice

CONFIG = Config.model_validate({"topic": "sla-support-eu"})
LINE = tell(notice().event).line

LINK = {"type": "string", "pattern": "^https?://[!-~]+$"}
VIEW = {
    "type": "object",
    "additionalProperties": False,
    "required": ["action", "label", "url"],
    "properties": {"action": {"const": "view"}, "label": {"type": "string", "minLength": 1}, "url": LINK},
}
# https://docs.ntfy.sh/publish/#publish-as-json
MESSAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["topic", "message"],
    "properties": {
        "topic": {"type": "string", "pattern": "^[-_A-Za-z0-9]{1,64}$"},
        "message": {"type": "string", "minLength": 1},
        "title": {"type": "string", "minLength": 1, "pattern": r"^[^\r\n]+$"},
        "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z_]+$"}},
        "priority": {"type": "integer", "minimum": 1, "maximum": 5},
        "click": LINK,
        "actions": {"type": "array", "minItems": 1, "maxItems": 3, "items": VIEW},
    },
}
VALIDATOR = Draft202012Validator(MESSAGE)


def message(said: Notice, config: Config = CONFIG) -> dict[str, Any]:
    raw = render(said, config, AT).body
    body: dict[str, Any] = json.loads(raw)
    VALIDATOR.validate(body)
    assert len(raw) <= 8_192
    assert len(body["message"].encode()) <= 4_096
    return body


def test_a_breach_wakes_somebody_and_opens_the_ticket() -> None:
    assert message(notice()) == {
        "topic": "sla-support-eu",
        "title": "✖ SLA breached: first response",
        "message": "#4711 Checkout fails with 502\n"
        "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)\n"
        "Acme GmbH · priority urgent · tier gold · nobody assigned\n"
        "next: team lead in 15 min",
        "priority": 5,
        "tags": ["rotating_light", "sla"],
        "click": "https://acme.zendesk.example/agent/tickets/4711",
        "actions": [
            {"action": "view", "label": "Open ticket", "url": "https://acme.zendesk.example/agent/tickets/4711"},
            {"action": "view", "label": "Breach", "url": "https://sla.example.com/breaches/brc_1"},
            {"action": "view", "label": "Why", "url": "https://sla.example.com/tickets/tkt_1/explain"},
        ],
    }


@pytest.mark.parametrize("type_", event_types())
def test_every_event_is_a_message_within_the_limits(type_: str) -> None:
    body = message(notice(type_))
    told = tell(notice(type_).event)

    assert f"{body.get('title', '')}{body['message']}".startswith(told.headline)
    assert told.upcoming in body["message"]


@pytest.mark.parametrize(
    ("type_", "priority"),
    [("sla.warning", 4), ("sla.breached", 5), ("escalation.step", 5), ("sla.recovered", 3), ("sla.retargeted", 3), ("test.ping", 3)],
)
def test_only_bad_news_ring_through_the_night(type_: str, priority: int) -> None:
    assert message(notice(type_))["priority"] == priority


def test_who_is_told_can_acknowledge() -> None:
    body = message(notice("escalation.step", links={"acknowledge": "https://sla.example.com/ack/abc"}))

    assert [action["label"] for action in body["actions"]] == ["Open ticket", "Acknowledge", "Breach"]


def test_the_shortest_form_is_the_line_alone() -> None:
    body = message(replace(notice(), shortest=True))

    assert sorted(body) == ["message", "priority", "tags", "topic"]
    assert body["message"] == LINE


def test_the_message_goes_to_the_root_of_the_server() -> None:
    own = Config.model_validate({"url": "https://ntfy.example.com/", "topic": "t", "token": "tk_1"})

    assert render(notice(), CONFIG, AT).url == "https://ntfy.sh/"
    assert "authorization" not in render(notice(), CONFIG, AT).headers
    assert render(notice(), own, AT).url == "https://ntfy.example.com/"
    assert render(notice(), own, AT).headers["authorization"] == "Bearer tk_1"


@pytest.mark.parametrize(
    "keys",
    [{}, {"topic": ""}, {"topic": "a b"}, {"topic": "a/b"}, {"topic": "a" * 65}, {"url": "https://ntfy.sh/alerts", "topic": "alerts"}],
)
def test_a_topic_is_named_once_and_as_ntfy_names_it(keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate(keys)


@settings(deadline=None, max_examples=40)
@given(texts())
def test_any_text_from_outside_fits_and_leaves_the_facts_readable(text: str) -> None:
    for type_, url in (("sla.breached", None), ("escalation.step", "https://x.example/" + "a" * 2030)):
        body = message(said(text, type_, url))
        everything = f"{body.get('title', '')} {body['message']}"

        assert "first response" in everything
        assert "#4711" in everything
        assert "due 2026-11-21 09:30 UTC" in everything
        assert set(everything).isdisjoint("\r\0\x1b\u202e")


@pytest.mark.parametrize("body", [b"", b'{"id":"X","event":"message","topi'])
def test_the_message_as_ntfy_has_it_is_delivered(body: bytes) -> None:
    assert interpret(HttpResponse(200, {}, body), AT) == Delivered()


@pytest.mark.parametrize(
    ("status", "code", "words", "disable", "smaller"),
    [
        (400, 40024, "invalid request: request body must be valid JSON", False, True),
        (401, 40101, "unauthorized", True, False),
        (403, 40301, "forbidden", True, False),
        (413, 41303, "JSON body too large", False, True),
    ],
)
def test_what_no_retry_mends_is_dead_with_ntfys_own_words(status: int, code: int, words: str, disable: bool, smaller: bool) -> None:
    outcome = interpret(HttpResponse(status, {}, json.dumps({"code": code, "http": status, "error": words}).encode()), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert f"{words} ({code})" in outcome.detail


@pytest.mark.parametrize(("status", "code"), [(429, 42901), (429, 42908), (500, 50001), (507, 50701)])
def test_limits_and_trouble_of_the_server_pass(status: int, code: int) -> None:
    assert isinstance(interpret(HttpResponse(status, {}, json.dumps({"code": code}).encode()), AT), Retry)
