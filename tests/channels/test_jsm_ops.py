"""JSM Operations and Opsgenie: bodies that Opsgenie's own library makes, one alert from creation to close."""

import json
import warnings
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.channels import Notice
from app.channels.jsm_ops import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import AT, notice

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a library that is older than this Python
    import opsgenie_sdk

CONFIG = Config.model_validate({"api_key": "k-1"})
CALLING = Config.model_validate({"api_key": "k-1", "responders": [{"name": "Support EU"}], "tags": ["emea"]})
API = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"


def theirs(model: Any) -> Any:
    """The JSON that their library makes of a model."""
    return opsgenie_sdk.ApiClient().sanitize_for_serialization(model)


def sent(what: Notice, config: Config = CONFIG) -> tuple[str, dict[str, Any]]:
    """The address and the body, which their library reads without loss, within the limits that it does not know."""
    request = render(what, config, AT)
    body: dict[str, Any] = json.loads(request.body)
    assert request.headers["authorization"] == "GenieKey k-1"
    if not request.url.endswith("/alerts"):
        assert theirs(opsgenie_sdk.CloseAlertPayload(**body)) == body
        assert len(body["note"]) <= 25_000
        return request.url, body
    assert theirs(opsgenie_sdk.CreateAlertPayload(**body)) == body
    assert 0 < len(body["message"]) <= 130
    assert len(body["alias"]) <= 512
    assert len(body.get("description", "")) <= 15_000
    assert len(body.get("entity", "")) <= 512
    assert len(body.get("tags", [])) <= 20
    assert all(0 < len(tag) <= 50 for tag in body.get("tags", []))
    assert sum(len(name) + len(value) for name, value in body.get("details", {}).items()) <= 8_000
    return request.url, body


def test_a_breach_creates_the_alert_of_its_clock() -> None:
    url, body = sent(notice(), CALLING)

    assert url == API
    assert body == {
        "message": "✖ SLA breached: first response · #4711 Checkout fails with 502 · 4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)",
        "alias": "sla:clk_1",
        "priority": "P1",
        "source": "slawatch",
        "responders": [{"type": "team", "name": "Support EU"}],
        "description": (
            "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
            "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min\n"
            "Acme GmbH · priority urgent · tier gold · nobody assigned\n"
            "Policy: Gold 24x7\nTarget: 30m\nDue: 2026-11-21 09:30 UTC\nState: 4 s late\n"
            "Open ticket: https://acme.zendesk.example/agent/tickets/4711\n"
            "Breach: https://sla.example.com/breaches/brc_1\n"
            "Why: https://sla.example.com/tickets/tkt_1/explain\n"
            "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody"
        ),
        "entity": "first_response",
        "tags": ["emea", "slawatch", "sla.breached"],
        "details": {
            "ticket": "4711",
            "source": "acme-zendesk",
            "tier": "gold",
            "priority": "urgent",
            "Policy": "Gold 24x7",
            "Target": "30m",
            "Due": "2026-11-21 09:30 UTC",
            "State": "4 s late",
        },
    }


@pytest.mark.parametrize(
    ("type_", "alias", "action"),
    [
        ("escalation.acknowledged", "sla:clk_1", "acknowledge"),
        ("escalation.deescalated", "sla:clk_1", "close"),
        ("sla.recovered", "sla:clk_1", "close"),
        ("sla.retracted", "sla:clk_1", "close"),
        ("sla.retargeted", "sla:clk_1", "notes"),
        ("endpoint.recovered", "endpoint:support-chat", "close"),
        ("source.recovered", "source:acme-zendesk", "close"),
    ],
)
def test_the_alert_is_acted_on_by_its_alias(type_: str, alias: str, action: str) -> None:
    url, body = sent(notice(type_))
    found = url.removeprefix(f"{API}/").partition("/")

    assert (unquote(found[0]), found[2]) == (alias, f"{action}?identifierType=alias")
    assert "/" not in found[0]
    assert body["user"] == body["source"] == "slawatch"


def test_a_test_is_an_alert_of_the_lowest_priority() -> None:
    url, body = sent(notice("test.ping"))

    assert (url, body["priority"], body["alias"]) == (API, "P5", "event:test.ping")


@pytest.mark.parametrize(
    ("type_", "priority", "expected"),
    [
        ("sla.breached", "urgent", "P1"),
        ("sla.breached", "low", "P4"),
        ("sla.breached", None, "P2"),
        ("sla.breached", "whatever", "P2"),
        ("sla.warning", "urgent", "P2"),
        ("sla.warning", "low", "P5"),
        ("escalation.exhausted", "high", "P2"),
    ],
)
def test_how_urgent_it_is_comes_from_the_ticket(type_: str, priority: str | None, expected: str) -> None:
    assert sent(notice(type_, ticket={"priority": priority}))[1]["priority"] == expected


def test_opsgenie_is_another_address() -> None:
    config = Config.model_validate({"api_key": "k-1", "url": "https://api.eu.opsgenie.com/v2/alerts/"})

    assert render(notice(), config, AT).url == "https://api.eu.opsgenie.com/v2/alerts"
    assert render(notice("sla.recovered"), config, AT).url == (
        "https://api.eu.opsgenie.com/v2/alerts/sla%3Aclk_1/close?identifierType=alias"
    )


def test_the_shortest_form_still_calls_the_same_people() -> None:
    _, body = sent(replace(notice(), shortest=True), CALLING)

    assert set(body) == {"message", "alias", "priority", "source", "responders"}


@settings(deadline=None, max_examples=50)
@given(texts(), st.sampled_from(sorted(event_types())))
def test_any_text_from_outside_fits_and_leaves_the_facts_readable(text: str, type_: str) -> None:
    _, body = sent(said(text, type_, url=f"https://x.example/{'a' * 2000}"), CALLING)

    assert not set(body.get("message", "")) & set("\r\n\0\u202e\u2066")
    if type_ == "sla.breached":
        assert "SLA breached: first response · #4711" in body["message"]
        assert "due 2026-11-21 09:30 UTC" in body["message"]


@pytest.mark.parametrize(
    "changed",
    [
        {"api_key": "two words"},
        {"url": "https://api.opsgenie.com/v2/alerts?x=1"},
        {"tags": ["a" * 51]},
        {"tags": ["a"] * 19},
        {"responders": [{"name": ""}]},
        {"responders": [{"type": "everybody", "name": "x"}]},
    ],
)
def test_what_the_api_would_refuse_is_refused_in_the_document(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"api_key": "k-1", **changed})


@pytest.mark.parametrize("body", [b'{"result":"Request will be processed","took":0.1,"requestId":"43a2"}', b"", b'{"re'])
def test_accepted_is_delivered_even_when_the_connection_broke_in_the_answer(body: bytes) -> None:
    assert interpret(HttpResponse(202, {}, body), AT) == Delivered()


def test_a_page_that_is_not_theirs_is_not_delivered() -> None:
    assert isinstance(interpret(HttpResponse(200, {}, b"<html>Welcome"), AT), Rejected)


@pytest.mark.parametrize(
    ("status", "disable", "smaller"),
    [(400, False, True), (401, True, False), (403, True, False), (404, True, False), (410, True, False), (422, False, True)],
)
def test_what_no_retry_mends_is_dead_with_their_own_words(status: int, disable: bool, smaller: bool) -> None:
    outcome = interpret(HttpResponse(status, {}, b'{"message":"Could not authenticate","took":0.0,"requestId":"1"}'), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert "Could not authenticate" in outcome.detail


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status, {"x-ratelimit-state": "THROTTLED"}, b""), AT), Retry)
