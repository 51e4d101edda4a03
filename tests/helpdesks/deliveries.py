"""Deliveries to read: requests, sources and the golden files.

A golden file is `{config, headers, body, expect}`; `expect` is what the preview shows: outcome, reason and events. A body that is no JSON
stands under `xml` instead, as text.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.exchange import HttpRequest
from app.helpdesks import Reading, SourceConfig, kinds, load
from app.helpdesks._describe import event_as_json
from app.rules.events import TicketEvent

RECEIVED_AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"

LEAST: dict[str, dict[str, Any]] = {kind: {"kind": kind, "secret": "s3cret"} for kind in kinds()} | {
    "freshdesk": {"kind": "freshdesk", "verify": {"bearer": "s3cret"}},
    "freshservice": {"kind": "freshservice", "verify": {"bearer": "s3cret"}},
    "groove": {"kind": "groove", "verify": {"bearer": "s3cret"}},
    "hiver": {"kind": "hiver", "verify": {"bearer": "s3cret"}},
    "liveagent": {"kind": "liveagent", "verify": {"bearer": "s3cret"}},
    "salesforce": {"kind": "salesforce", "verify": {"bearer": "s3cret"}},
    "hubspot": {"kind": "hubspot", "secret": "s3cret", "public_url": "https://sla.example/hubspot"},
    "gorgias": {"kind": "gorgias", "verify": {"header": "X-SLA-Token", "secret": "s3cret"}},
    "generic": {
        "kind": "generic",
        "verify": "none",
        "events": [{"ticket": "body.ticket", "set": {"status": "body.status"}}],
    },
}
"""The least each kind needs to be a source."""


def source(kind: str, **said: Any) -> SourceConfig:
    return load(kind).Config.model_validate({**LEAST[kind], "name": f"our-{kind}", **said})


def request(body: Any = b"", headers: Mapping[str, str] | None = None, client: str | None = None) -> HttpRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpRequest("POST", "/", {k.lower(): v for k, v in (headers or {}).items()}, raw, client)


def read(config: SourceConfig, body: Any, headers: Mapping[str, str] | None = None, received_at: datetime = RECEIVED_AT) -> Reading:
    return load(config.kind).parse(request(body, headers), config, received_at)


def shown(reading: Reading) -> dict[str, Any]:
    """A reading as the preview shows it; and with what the preview leaves out, where it says something."""
    events = [event_as_json(event) | _hidden(event) for event in reading.events]
    return {"outcome": reading.outcome, "reason": reading.reason, "delivery_id": reading.delivery_id, "events": events}


def _hidden(event: TicketEvent) -> dict[str, Any]:
    return ({} if event.order is None else {"order": event.order}) | ({"echo": True} if event.echo else {})


def golden_files(kind: str) -> list[Path]:
    return sorted((GOLDEN / kind).glob("*.json"))


def golden(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content if "xml" not in content else content | {"body": content["xml"].encode()}
