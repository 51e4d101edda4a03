"""Gorgias: HTTP integrations, whose body the customer writes.

https://developers.gorgias.com/reference/integrations

* Ours is `slawatch.gorgias.v1` (docs/helpdesks/gorgias.md): Gorgias' own ticket and message, with Gorgias' names. What `{{context}}` fills
  in, and a ticket or a message alone, have the same names and are read alike.
* A message from an agent is an agent's, unless a rule sent it (`rule_id`); messages that are not public, and internal notes, are notes; a
  message that could not be sent (`failed_datetime`) was not said.
* Gorgias signs nothing: `verify` has to say what proves a request. Messages are known by their id; nothing else has an id over retries.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _gorgias_event, _json, _proof, _verify
from app.helpdesks._json import Node
from app.helpdesks.writing import gorgias as writing

SCHEMA: Final = "slawatch.gorgias.v1"

_NOTHING: Final = ("none", "null", "undefined")
"""What a placeholder without a value may be filled with."""


class Config(_proof.ProvedConfig):
    """A Gorgias source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {"closed": "solved", "snoozed": "pending"}
    built_in_priorities: ClassVar[Mapping[str, str]] = {"critical": "urgent"}

    kind: Literal["gorgias"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _verify.check(request, config.verify, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """What was said, and how the ticket stands, as far as the body tells. Unreadable unless it names a ticket."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    ours = _is_ours(body)
    if ours:
        body = Node(_blanked(body.value))
    webhook = _gorgias_event.Webhook(body, config, received_at, request.body)
    events = webhook.events()
    if not events:
        return Reading("ignored", reason="A message that could not be sent was not said.")
    return Reading("applied", events, _common.remark(webhook.remarks))


def _is_ours(body: Node) -> bool:
    schema = body.look("schema")
    if isinstance(schema.value, str) and schema.value.startswith("slawatch.") and schema.value != SCHEMA:
        schema.refuse(f"is not {SCHEMA}")
    return bool(schema.value == SCHEMA)


def _blanked(value: Any) -> Any:
    """Our template with null for every placeholder that had no value."""
    if isinstance(value, dict):
        return {name: _blanked(inner) for name, inner in value.items()}
    return None if isinstance(value, str) and value.strip().casefold() in _NOTHING else value
