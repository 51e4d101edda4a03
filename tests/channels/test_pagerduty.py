"""PagerDuty: bodies as its own client makes them, one incident from trigger to resolve, and nobody woken by a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pagerduty import EventsApiV2Client
from pydantic import ValidationError

from app.channels import Notice
from app.channels.pagerduty import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import AT, notice, raw_notice

KEY = "R0123456789ABCDEF0123456789ABCDE"
CONFIG = Config.model_validate({"routing_key": KEY})
LINKS = {"type": "array", "items": {"required": ["href"], "properties": {"href": {"pattern": "^https?://"}, "text": {"type": "string"}}}}
TEXT = {"type": "string", "minLength": 1}
ALERT = {
    "type": "object",
    "required": ["routing_key", "event_action", "dedup_key"],
    "additionalProperties": False,
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": TEXT | {"maxLength": 255},
        "client": TEXT,
        "client_url": {"pattern": "^https?://"},
        "links": LINKS,
        "payload": {
            "required": ["summary", "source", "severity"],
            "additionalProperties": False,
            "properties": {
                "summary": TEXT | {"maxLength": 1024},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                **dict.fromkeys(("source", "timestamp", "component", "group", "class"), TEXT),
                "custom_details": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
    },
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
    "else": {"maxProperties": 3},
}
CHANGE = {
    "required": ["routing_key", "payload"],
    "additionalProperties": False,
    "properties": {
        "routing_key": {"type": "string"},
        "links": LINKS,
        "payload": {
            "required": ["summary"],
            "additionalProperties": False,
            "properties": {
                "summary": TEXT | {"maxLength": 1024},
                **dict.fromkeys(("source", "timestamp"), TEXT),
                "custom_details": {"type": "object"},
            },
        },
    },
}


@dataclass
class Sent:
    """What PagerDuty's own client would send."""

    url: str = ""
    body: Any = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.url, self.body = str(request.url), json.loads(request.content)
        return httpx2.Response(202, json={"status": "success", "dedup_key": "x"})


@contextmanager
def their_client() -> Iterator[tuple[EventsApiV2Client, Sent]]:
    noted = Sent()
    with EventsApiV2Client(KEY, transport=httpx2.MockTransport(noted)) as client:
        yield client, noted


def sent(what: Notice) -> tuple[str, dict[str, Any]]:
    """The URL and the body, which is valid."""
    request = render(what, CONFIG, AT)
    body: dict[str, Any] = json.loads(request.body)
    schema = CHANGE if "change" in request.url else ALERT
    Draft202012Validator(schema).validate(body)
    assert len(request.body) < 512 * 1024
    return request.url, body


def test_a_breach_is_the_body_that_their_own_client_sends() -> None:
    with their_client() as (client, theirs):
        client.trigger(
            summary=(
                "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
                "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min"
            ),
            source="acme-zendesk",
            dedup_key="sla:clk_1",
            severity="critical",
            payload={"timestamp": "2026-11-21T09:30:00.000Z", "component": "first_response", "group": "Gold 24x7", "class": "sla.breached"},
            custom_details={
                "Policy": "Gold 24x7",
                "Target": "30m",
                "Due": "2026-11-21 09:30 UTC",
                "State": "4 s late",
                "Ticket": "#4711 Checkout fails with 502",
                "People": "Acme GmbH · priority urgent · tier gold · nobody assigned",
                "Next": "next: team lead in 15 min",
                "Ids": "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody",
            },
            links=[
                {"href": "https://acme.zendesk.example/agent/tickets/4711", "text": "Open ticket"},
                {"href": "https://sla.example.com/breaches/brc_1", "text": "Breach"},
                {"href": "https://sla.example.com/tickets/tkt_1/explain", "text": "Why"},
            ],
        )
    url, body = sent(notice())

    assert url == theirs.url
    assert body == theirs.body | {"client": "slawatch", "client_url": "https://sla.example.com/breaches/brc_1"}


@pytest.mark.parametrize(
    ("type_", "action"), [("escalation.acknowledged", "acknowledge"), ("sla.recovered", "resolve"), ("sla.retracted", "resolve")]
)
def test_the_incident_is_acknowledged_and_resolved_as_their_own_client_does(type_: str, action: str) -> None:
    with their_client() as (client, theirs):
        getattr(client, action)("sla:clk_1")

    assert sent(notice(type_)) == (theirs.url, theirs.body)


@pytest.mark.parametrize("type_", ["test.ping", "sla.retargeted"])
def test_what_opens_no_incident_is_a_change_event(type_: str) -> None:
    url, body = sent(notice(type_))
    payload = body["payload"]
    with their_client() as (client, theirs):
        client.submit(payload["summary"], "slawatch", payload.get("custom_details"), body.get("links"), payload["timestamp"])

    assert (url, body) == (theirs.url, theirs.body)


def test_an_account_in_the_eu_has_another_address() -> None:
    for url in ("https://events.eu.pagerduty.com", "https://events.eu.pagerduty.com/", "https://events.eu.pagerduty.com/v2/enqueue"):
        config = Config.model_validate({"routing_key": KEY, "url": url})

        assert render(notice(), config, AT).url == "https://events.eu.pagerduty.com/v2/enqueue"
        assert render(notice("test.ping"), config, AT).url == "https://events.eu.pagerduty.com/v2/change/enqueue"


def test_a_warning_is_less_severe_than_a_breach() -> None:
    severities = {type_: sent(notice(type_))[1]["payload"]["severity"] for type_ in ("sla.warning", "sla.breached", "escalation.exhausted")}

    assert severities == {"sla.warning": "warning", "sla.breached": "critical", "escalation.exhausted": "critical"}


def test_the_shortest_form_says_only_what_must_be_said() -> None:
    _, body = sent(replace(notice(), shortest=True))

    assert set(body) == {"routing_key", "event_action", "dedup_key", "payload"}
    assert set(body["payload"]) == {"summary", "source", "severity"}


@pytest.mark.parametrize("stamp", ["2026-11-21T09:30:05.5Z", "soon", None, 7, "2026-11-21T09:30:00", "2999-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_the_time_of_the_attempt(stamp: Any) -> None:
    _, body = sent(raw_notice({"type": "sla.breached", "timestamp": stamp}))

    assert body["payload"]["timestamp"] == "2026-11-21T09:30:04.000Z"


@settings(deadline=None, max_examples=50)
@given(texts(), st.sampled_from(sorted(event_types())))
def test_any_text_from_outside_fits_and_leaves_the_facts_readable(text: str, type_: str) -> None:
    url, body = sent(said(text, type_))
    summary = body.get("payload", {}).get("summary", "")

    assert url.startswith("https://events.pagerduty.com/v2/")
    assert not set(summary) & set("\r\n\0\u202e\u2066")
    if type_ == "sla.breached":
        assert "SLA breached: first response · #4711" in summary
        assert "due 2026-11-21 09:30 UTC" in summary


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_was_pasted_wrongly_is_noticed(key: str) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"routing_key": key})


@pytest.mark.parametrize("body", [b'{"status":"success","dedup_key":"sla:clk_1"}', b"", b'{"sta'])
def test_accepted_is_delivered_even_when_the_connection_broke_in_the_answer(body: bytes) -> None:
    assert interpret(HttpResponse(202, {}, body), AT) == Delivered()


def test_a_page_that_is_not_theirs_is_not_delivered() -> None:
    outcome = interpret(HttpResponse(200, {}, b"<html>Welcome"), AT)

    assert isinstance(outcome, Rejected)
    assert outcome.error_class == "protocol_error"


@pytest.mark.parametrize(
    ("status", "body", "disable", "smaller"),
    [
        (400, b'{"status":"invalid event","message":"Event object is invalid","errors":["\'severity\' is missing"]}', False, True),
        (
            400,
            b'{"status":"invalid event","message":"Event object is invalid","errors":["Length of \'routing_key\' is wrong"]}',
            True,
            False,
        ),
        (400, b"Invalid routing key", True, False),
        (403, b"", True, False),
        (404, b"", True, False),
        (410, b"", True, False),
        (413, b"", False, True),
    ],
)
def test_what_no_retry_mends_is_dead_and_a_key_that_is_gone_switches_off(status: int, body: bytes, disable: bool, smaller: bool) -> None:
    outcome = interpret(HttpResponse(status, {}, body), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert b"severity" not in body or "'severity' is missing" in outcome.detail


def test_too_many_requests_means_half_a_minute_at_least() -> None:
    plain, hinted = (interpret(HttpResponse(429, headers), AT) for headers in ({}, {"retry-after": "90"}))

    assert isinstance(plain, Retry)
    assert isinstance(hinted, Retry)
    assert plain.not_before == AT + timedelta(seconds=30)
    assert hinted.not_before == AT + timedelta(seconds=90)
