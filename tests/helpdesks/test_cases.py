"""The shared payloads and signature vectors, read in place. Skipped where that folder is not beside the project."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.errors import InvalidSignature
from app.exchange import HttpRequest
from app.helpdesks import Reading, _verify, kinds, load
from app.rules.events import TicketEvent
from tests.helpdesks.deliveries import RECEIVED_AT, read, source

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "helpdesk_payloads"
INVOCATION = "01INVOCATION"
DELIVERY_HEADERS = {
    "X-Zendesk-Webhook-Invocation-Id": INVOCATION,
    "X-Zammad-Delivery": INVOCATION,
    "X-Atlassian-Webhook-Identifier": INVOCATION,
    "X-Chatwoot-Delivery": INVOCATION,
    "X-GitHub-Delivery": INVOCATION,
    "Idempotency-Key": INVOCATION,
    "Linear-Delivery": INVOCATION,
}

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not beside this project")

STATIC: dict[str, Any] = {"header": "X-Gitlab-Token"}
SCHEMES: dict[str, Any] = {
    "github": {"header": "X-Hub-Signature-256", "prefix": "sha256="},
    "jira": {"header": "X-Hub-Signature", "prefix": "sha256="},
    "intercom": {"header": "X-Hub-Signature", "prefix": "sha1=", "algorithm": "sha1"},
    "helpscout": {"header": "X-HelpScout-Signature", "algorithm": "sha1", "encoding": "base64"},
    "chatwoot": {
        "header": "X-Chatwoot-Signature",
        "prefix": "sha256=",
        "over": "timestamp.body",
        "timestamp_header": "X-Chatwoot-Timestamp",
    },
    "front": {"header": "X-Front-Signature", "algorithm": "sha1", "encoding": "base64"},
    "linear": {"header": "Linear-Signature"},
    "kustomer": {"header": "X-Kustomer-Webhook-Signature"},
}
"""What the generic adapter would be told of helpdesks that have no adapter yet."""


SPELT: dict[str, str] = {"helpscout": "help-scout"}
"""Kinds that the cases spell differently."""

SAID: dict[str, dict[str, Any]] = {"hubspot": {"public_url": "https://www.example.com/webhook_uri"}}
"""What a source of a kind has to say for the cases, beside the least."""


def kind_of(helpdesk: str) -> str:
    return SPELT.get(helpdesk, helpdesk)


def payloads() -> Iterator[Any]:
    for meta in sorted(CASES.glob("*/*.meta.json")):
        if (kind := kind_of(meta.parent.name)) in kinds():
            yield pytest.param(kind, meta, id=f"{kind}-{meta.name.removesuffix('.meta.json')}")


def vectors() -> Iterator[Any]:
    file = CASES / "signature_vectors.json"
    for vector in json.loads(file.read_text())["vectors"] if file.is_file() else []:
        if kind_of(vector["helpdesk"]) in kinds() or vector["helpdesk"] in (*SCHEMES, "gitlab"):
            yield pytest.param(vector, id=vector["id"])


@pytest.mark.parametrize(("kind", "meta"), list(payloads()))
def test_a_shared_payload_is_read_as_its_meta_says(kind: str, meta: Path) -> None:
    told = json.loads(meta.read_text())
    canonical = told["canonical"]
    body = meta.with_name(meta.name.replace(".meta.json", ".json")).read_bytes()
    reading = read(source(kind, **SAID.get(kind, {})), body, {**told.get("headers", {}), **DELIVERY_HEADERS})

    assert as_its_meta_says(reading, canonical) == wanted_of(reading, canonical)


def wanted_of(reading: Reading, canonical: dict[str, Any]) -> Any:
    if not reading.events:
        return {"event_type": canonical["event_type"]}
    return {key: wanted for key, wanted in canonical.items() if key in READ}


def as_its_meta_says(reading: Reading, canonical: dict[str, Any]) -> Any:
    if not reading.events:
        return {"event_type": reading.outcome}
    return {key: READ[key](reading.events[0], wanted) for key, wanted in canonical.items() if key in READ}


def fact(name: str) -> Any:
    """A fact as the meta has it; null there means that the body does not tell, so nothing may be asserted."""
    return lambda event, wanted: event.set.get(name) if wanted is not None or name in event.set else None


def at(instant: datetime) -> str:
    text = instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")


def told_at(event: TicketEvent, wanted: str | None) -> str | None:
    """Null in the meta says that the body tells no time: it is the time of receipt."""
    return None if wanted is None and event.at == RECEIVED_AT else at(event.at)


def told_key(event: TicketEvent, wanted: str | None) -> str | None:
    """Prose in the meta says where a key comes from, null that the body has none."""
    if wanted is None or " " in wanted:
        return wanted if "header" not in (wanted or "") or event.key == INVOCATION else event.key
    return event.key


def told_message(event: TicketEvent, wanted: str) -> str | None:
    """A part without words is no message to us, so its id is not kept."""
    return event.message.id if event.message else wanted


READ: dict[str, Any] = {
    "event_type": lambda event, _: str(event.kind),
    "ticket_id": lambda event, _: event.ticket,
    "status": fact("status"),
    "priority": fact("priority"),
    "actor_kind": lambda event, _: str(event.actor.kind),
    "occurred_at": lambda event, wanted: None if wanted is None and event.at == RECEIVED_AT else at(event.at),
    "ticket_created_at": lambda event, _: at(event.set["created_at"]) if "created_at" in event.set else None,
    "ticket_number": fact("number"),
    "is_public": lambda event, _: event.message and event.message.public,
    "message_id": told_message,
    "dedupe_key": told_key,
    "requester": fact("requester"),
    "requester_id": fact("requester"),
    "requester_email": fact("requester"),
    "assignee": fact("assignee"),
    "assignee_id": fact("assignee"),
    "assignee_email": fact("assignee"),
    "group_id": fact("group"),
    "group": fact("group"),
    "organization_id": fact("organization"),
    "organization": fact("organization"),
    "organization_vip": fact("organization_vip"),
    "custom_status_id": fact("custom_status"),
}


@pytest.mark.parametrize("vector", list(vectors()))
def test_a_shared_signature_is_accepted_or_refused(vector: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    request = HttpRequest(vector.get("method", "POST"), "/", headers, base64.b64decode(vector["body_base64"]))

    assert accepts(request, vector) is vector["valid"]


def accepts(request: HttpRequest, vector: dict[str, Any]) -> bool:
    kind, secret = kind_of(vector["helpdesk"]), vector["secret"]
    now = moment(vector, request)
    try:
        if kind in kinds():
            load(kind).verify(request, source(kind, **SAID.get(kind, {}), secret=secret), now)
        else:
            _verify.check(request, _verify.Verify.model_validate(scheme(vector, secret)), now)
    except InvalidSignature:
        return False
    return True


def scheme(vector: dict[str, Any], secret: str) -> dict[str, Any]:
    if vector["helpdesk"] == "gitlab":
        return {"standard_webhooks": secret} if secret.startswith("whsec_") else {**STATIC, "secret": secret}
    return {"hmac": {**SCHEMES[vector["helpdesk"]], "secret": secret}}


def moment(vector: dict[str, Any], request: HttpRequest) -> datetime:
    """The vector's own moment, else the time it signs, else any."""
    if "verify_at_epoch_ms" in vector:
        return datetime.fromtimestamp(vector["verify_at_epoch_ms"] / 1000, UTC)
    stamp = request.headers.get("x-zendesk-webhook-signature-timestamp")
    return datetime.fromisoformat(stamp) if stamp else RECEIVED_AT
