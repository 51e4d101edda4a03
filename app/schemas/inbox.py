"""The inbox and the sources, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.schemas.examples import AT, ULID, example
from app.schemas.instants import OutInstant

_MESSAGE: dict[str, Any] = (
    {"id": f"inb_{ULID}", "source": "acme-zendesk", "via": "webhook", "delivery_id": "01K9ZB", "received_at": AT, "method": "POST"}
    | {"url": "https://sla.example.com/v1/sources/acme-zendesk/webhook", "outcome": "quarantined", "reason": "the body is no JSON"}
    | {"tickets": [], "replayed_at": None}
)
_SOURCE: dict[str, Any] = {
    "name": "acme-zendesk",
    "kind": "zendesk",
    "last_received_at": AT,
    "silent": False,
    "silent_after_seconds": 7200,
} | {
    "quarantined": 0,
    "path": "/v1/sources/acme-zendesk/webhook",
}


class InboxMessage(BaseModel):
    """What arrived, and what became of it."""

    model_config = example(_MESSAGE)

    id: str
    source: str
    via: Literal["webhook", "events"]
    delivery_id: str | None = Field(description="The helpdesk's own id of the delivery.")
    received_at: OutInstant
    method: str
    url: str
    outcome: Literal["applied", "duplicate", "ignored", "quarantined"]
    reason: str | None
    tickets: list[str] = Field(description="Our ids of the tickets it touched.")
    replayed_at: OutInstant | None


class MessageBody(BaseModel):
    """The raw bytes: as they are when they are UTF-8, else in base64."""

    encoding: Literal["utf-8", "base64"]
    text: str


class InboxDetail(InboxMessage):
    """What arrived, byte for byte."""

    model_config = example(
        _MESSAGE | {"headers": {"content-type": "application/json"}, "body": {"encoding": "utf-8", "text": "{"}},
    )

    headers: dict[str, str] = Field(description="Without credentials and signatures.")
    body: MessageBody | None = Field(description="Null for duplicates: it was stored the first time.")


class Source(BaseModel):
    """A configured source and how it does."""

    model_config = example(_SOURCE)

    name: str
    kind: str
    path: str = Field(description="Where the helpdesk posts its webhooks.")
    last_received_at: OutInstant | None
    silent_after_seconds: int | None = Field(description="Alarm when nothing came for this long; null: never.")
    silent: bool = Field(description="Nothing came for longer than that.")
    quarantined: int = Field(description="Messages that wait for a repaired mapping.")


class SourceList(BaseModel):
    """All sources of the configuration."""

    model_config = example({"items": [_SOURCE]})

    items: list[Source]
