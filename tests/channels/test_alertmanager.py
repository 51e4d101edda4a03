"""Alertmanager: alerts as its API takes them and as its webhook tells them, each known again by its labels until it ends."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from app.channels import Notice
from app.channels.alertmanager import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import AT, notice

# Written from the documented format: api/v2/openapi.yaml (postableAlerts) and docs/configuration.md (webhook_config).
LABELS = {
    "type": "object",
    "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
    "additionalProperties": {"type": "string", "minLength": 1},
}
INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
LINK = {"type": "string", "pattern": "^https?://[^ ]+$"}
STATUS = {"enum": ["firing", "resolved"]}


def record(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these keys and no others."""
    properties = required | (optional or {})
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


ALERT = {"labels": LABELS | {"required": ["alertname"]}, "annotations": LABELS, "startsAt": INSTANT, "endsAt": INSTANT}
POSTED = {"type": "array", "minItems": 1, "items": record(ALERT, {"generatorURL": LINK})}
SENT_ALERT = record(
    ALERT | {"generatorURL": {"type": "string"}, "status": STATUS, "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}
)
SENT = record(
    {
        "version": {"const": "4"},
        "groupKey": {"type": "string", "minLength": 1},
        "truncatedAlerts": {"type": "integer", "minimum": 0},
        "status": STATUS,
        "receiver": {"type": "string", "minLength": 1},
        "groupLabels": LABELS,
        "commonLabels": LABELS,
        "commonAnnotations": LABELS,
        "externalURL": {"type": "string"},
        "alerts": {"type": "array", "minItems": 1, "items": SENT_ALERT},
    }
)


def config(**changed: Any) -> Config:
    return Config.model_validate({"url": "https://alerts.example.com/api/v2/alerts", "name": "prometheus", **changed})


def posted(what: Notice, **changed: Any) -> list[dict[str, Any]]:
    body: list[dict[str, Any]] = json.loads(render(what, config(**changed), AT).body)
    Draft202012Validator(POSTED).validate(body)
    return body


def told(what: Notice, **changed: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(what, config(form="v4", **changed), AT).body)
    Draft202012Validator(SENT).validate(body)
    return body


def state(alerts: list[dict[str, Any]], at: datetime = AT) -> dict[str, bool]:
    """Which alerts are open at an instant, as Alertmanager sees it."""
    return {alert["labels"]["alertname"]: datetime.fromisoformat(alert["endsAt"]) > at for alert in alerts}


def test_a_breach_opens_an_alert_and_ends_the_one_that_warned() -> None:
    breach, warning = posted(notice())

    assert breach == {
        "labels": {
            "alertname": "SlaBreached",
            "severity": "critical",
            "incident": "sla:clk_1",
            "source": "acme-zendesk",
            "ticket": "4711",
            "metric": "first_response",
        },
        "annotations": {
            "summary": (
                "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
                "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min"
            ),
            "description": (
                "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
                "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min"
            ),
            "people": "Acme GmbH · priority urgent · tier gold · nobody assigned",
            "next": "next: team lead in 15 min",
            "ids": "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody",
            "policy": "Gold 24x7",
            "target": "30m",
            "due": "2026-11-21 09:30 UTC",
            "state": "4 s late",
            "open_ticket": "https://acme.zendesk.example/agent/tickets/4711",
            "open_breach": "https://sla.example.com/breaches/brc_1",
            "explain": "https://sla.example.com/tickets/tkt_1/explain",
        },
        "startsAt": "2026-11-21T09:30:00.000Z",
        "endsAt": "2026-11-28T09:30:04.000Z",
        "generatorURL": "https://acme.zendesk.example/agent/tickets/4711",
    }
    assert state([breach, warning]) == {"SlaBreached": True, "SlaAtRisk": False}


@pytest.mark.parametrize("ending", ["sla.recovered", "sla.met_late", "sla.retracted", "escalation.deescalated"])
def test_the_all_clear_ends_every_alert_of_the_incident_by_its_labels(ending: str) -> None:
    moved = {"ticket": {"priority": "low", "tier": "silver", "assignee": "Jane"}}
    opened = [alert for type_ in ("sla.warning", "sla.breached", "escalation.step") for alert in posted(notice(type_))]
    ended = posted(notice(ending, **moved))
    labels = [alert["labels"] for alert in ended]

    assert state(ended) == {"SlaAtRisk": False, "SlaBreached": False, "SlaEscalated": False}
    assert all(alert["labels"] in labels for alert in opened)
    assert all(alert["startsAt"] <= alert["endsAt"] for alert in ended)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("sla.warning", {"SlaAtRisk": True}),
        ("escalation.opened", {"SlaEscalated": True}),
        ("escalation.acknowledged", {"SlaEscalated": True}),
        ("signal.raised", {"SlaSignal": True}),
        ("endpoint.disabled", {"SlawatchChannelFails": True}),
        ("endpoint.recovered", {"SlawatchChannelFails": False}),
        ("source.silent", {"SlawatchSourceSilent": True}),
        ("source.recovered", {"SlawatchSourceSilent": False}),
        ("test.ping", {"SlawatchNotice": True}),
        ("sla.retargeted", {"SlawatchNotice": True}),
    ],
)
def test_each_event_has_its_alert(type_: str, expected: dict[str, bool]) -> None:
    assert state(posted(notice(type_))) == expected


def test_a_test_ends_by_itself() -> None:
    assert state(posted(notice("test.ping")), AT + timedelta(minutes=5)) == {"SlawatchNotice": False}


def test_an_alert_that_nothing_ends_stays_as_long_as_the_document_says() -> None:
    alerts = posted(notice("sla.warning"), keep_hours=2)

    assert state(alerts, AT + timedelta(hours=1, minutes=59)) == {"SlaAtRisk": True}
    assert state(alerts, AT + timedelta(hours=2)) == {"SlaAtRisk": False}


def test_labels_of_ones_own_do_not_replace_those_it_is_known_by() -> None:
    [alert] = posted(notice("sla.warning"), labels={"team": "emea", "incident": "other"})

    assert (alert["labels"]["team"], alert["labels"]["incident"]) == ("emea", "sla:clk_1")


def test_a_webhook_tells_the_same_as_a_group_of_one_incident() -> None:
    body = told(notice())
    breach, warning = body["alerts"]

    assert (body["status"], body["receiver"], body["groupLabels"]) == ("firing", "prometheus", {"incident": "sla:clk_1"})
    assert body["groupKey"] == '{}:{incident="sla:clk_1"}'
    assert body["commonLabels"] == {"incident": "sla:clk_1", "source": "acme-zendesk", "ticket": "4711", "metric": "first_response"}
    assert (breach["status"], breach["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (warning["status"], warning["endsAt"]) == ("resolved", "2026-11-21T09:30:00.000Z")
    assert breach["labels"] == posted(notice())[0]["labels"]
    assert breach["fingerprint"] != warning["fingerprint"]


def test_a_webhook_says_resolved_under_the_same_fingerprint() -> None:
    opened, ended = told(notice()), told(notice("sla.recovered"))

    assert ended["status"] == "resolved"
    assert {alert["status"] for alert in ended["alerts"]} == {"resolved"}
    assert {alert["fingerprint"] for alert in opened["alerts"]} <= {alert["fingerprint"] for alert in ended["alerts"]}


def test_the_shortest_form_has_the_same_labels_and_the_summary() -> None:
    alert = posted(replace(notice(), shortest=True))[0]

    assert alert["labels"] == posted(notice())[0]["labels"]
    assert list(alert["annotations"]) == ["summary"]


@settings(deadline=None, max_examples=50)
@given(texts(), st.sampled_from(sorted(event_types())))
def test_any_text_from_outside_is_valid_and_leaves_the_facts_readable(text: str, type_: str) -> None:
    what = said(text, type_, url=f"https://x.example/{text[:40]}")
    alerts, group = posted(what), told(what)

    assert [alert["labels"] for alert in alerts] == [alert["labels"] for alert in group["alerts"]]
    summary = alerts[0]["annotations"]["summary"]
    assert len(summary) <= 250
    assert not set(summary) & set("\r\n\0\u202e\u2066")
    if type_ == "sla.breached":
        assert "SLA breached: first response · #4711" in summary
        assert "due 2026-11-21 09:30 UTC" in summary


def test_the_authorization_is_sent() -> None:
    made = config(authorization="Bearer abc")

    assert render(notice(), made, AT).headers["authorization"] == "Bearer abc"
    assert "authorization" not in render(notice(), config(), AT).headers


@pytest.mark.parametrize(
    "changed",
    [{"labels": {"a-b": "x"}}, {"labels": {"a": ""}}, {"form": "v1"}, {"keep_hours": 0}, {"authorization": "Bearer a\r\nx: y"}],
)
def test_what_cannot_be_is_refused_in_the_document(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**changed)


@pytest.mark.parametrize("body", [b"", b'{"status":"success"}', b"OK"])
def test_the_status_alone_says_that_it_was_taken(body: bytes) -> None:
    assert interpret(HttpResponse(200, {}, body), AT) == Delivered()


@pytest.mark.parametrize(
    ("status", "disable", "smaller"), [(400, False, True), (410, True, False), (413, False, True), (451, False, False)]
)
def test_what_no_retry_mends_is_dead(status: int, disable: bool, smaller: bool) -> None:
    outcome = interpret(HttpResponse(status, {}, b"start time must be before end time"), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert "start time" in outcome.detail


@pytest.mark.parametrize("status", [302, 401, 403, 404, 405, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status), AT), Retry)
