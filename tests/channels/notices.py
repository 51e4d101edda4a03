"""Notices to render, built from the models of the events we send."""

import json
from datetime import UTC, datetime
from typing import Any

from app.channels import Notice
from app.schemas.events_out import event_types

AT = datetime(2026, 11, 21, 9, 30, 4, tzinfo=UTC)
DUE = "2026-11-21T09:30:00.000Z"

TICKET = {
    "id": "tkt_1",
    "source": "acme-zendesk",
    "external_id": "4711",
    "subject": "Checkout fails with 502",
    "url": "https://acme.zendesk.example/agent/tickets/4711",
    "priority": "urgent",
    "tier": "gold",
    "organization": "Acme GmbH",
}
CLOCK = {
    "id": "clk_1",
    "metric": "first_response",
    "cycle": 1,
    "state": "running",
    "started_at": "2026-11-21T09:00:00.000Z",
    "target_seconds": 1800,
    "target": "30m",
    "elapsed_seconds": 1804,
    "remaining_seconds": -4,
    "due_at": DUE,
}
SLA = {
    "ticket": TICKET,
    "clock": CLOCK,
    "why": {"policy": "Gold 24x7", "revision": 3, "calendar": "always", "milestone": "breach"},
    "breach_id": "brc_1",
    "late_seconds": 4,
    "step": {"ladder": "wake-somebody", "step": 1, "next": "team lead in 15 min"},
    "links": {"breach": "https://sla.example.com/breaches/brc_1", "explain": "https://sla.example.com/tickets/tkt_1/explain"},
}
ESCALATION = {
    **SLA,
    "escalation": {
        "id": "esc_1",
        "ladder": "wake-somebody",
        "type": "hierarchical",
        "cause": "breach",
        "state": "active",
        "opened_at": DUE,
    },
}
SIGNAL = {"name": "agent_switching", "raised_at": DUE, "evidence": ["4 different agents within 7 days."]}
ENDPOINT = {"channel": "support-chat", "kind": "slack", "since": DUE, "failures": 12, "error_class": "http_5xx", "held": 3}
SOURCE = {"source": "acme-zendesk", "kind": "zendesk", "last_delivery_at": DUE, "usual_gap_seconds": 40}
DIGEST = {
    "id": "dlv_1",
    "channel": "support-chat",
    "cause": "storm",
    "title": "12 breaches: tier gold",
    "count": 12,
    "counts": {"sla.breached": 12},
    "common": {"tier": "gold"},
    "items": [
        {
            "type": "sla.breached",
            "ticket_id": "tkt_1",
            "source": "acme-zendesk",
            "external_id": "4711",
            "subject": "Checkout fails with 502",
        }
        | {"metric": "first_response", "due_at": DUE}
    ],
    "links": {"all": "https://sla.example.com/v1/deliveries?digest=dlv_1"},
}
OTHERS: dict[str, Any] = {
    "sla.digest": DIGEST,
    **{f"escalation.{what}": ESCALATION for what in ("opened", "step", "acknowledged", "deescalated", "exhausted")},
    **{f"endpoint.{state}": {**ENDPOINT, "state": state} for state in ("failing", "disabled", "recovered")},
    **{f"source.{state}": {**SOURCE, "state": state} for state in ("silent", "recovered")},
    "signal.raised": {"ticket": TICKET, "signal": SIGNAL},
    "test.ping": {"channel": "support-chat", "message": "Somebody pressed the button."},
}


def notice(type: str = "sla.breached", **changed: Any) -> Notice:  # noqa: A002  the event's word
    """A notice of a type; `changed` replaces parts of its data, one level deep where both are mappings."""
    data = {name: dict(part) if isinstance(part, dict) else part for name, part in OTHERS.get(type, SLA).items()}
    for name, part in changed.items():
        data[name] = {**data.get(name, {}), **part} if isinstance(part, dict) else part
    model = event_types()[type].model_validate({"timestamp": DUE, "data": data})
    body = model.model_dump_json().encode()
    return Notice("msg_1", type, body, json.loads(body))


def raw_notice(event: dict[str, Any]) -> Notice:
    """A notice of any shape, as an older or newer release may have stored it."""
    return Notice("msg_1", str(event.get("type")), json.dumps(event).encode(), event)
