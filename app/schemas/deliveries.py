"""Deliveries and channels, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.schemas.examples import AT, ULID, example
from app.schemas.instants import OutInstant

_DELIVERY: dict[str, Any] = (
    {"id": f"dlv_{ULID}", "notice_id": f"msg_{ULID}", "channel": "upstream", "type": "sla.breached", "ticket_id": f"tkt_{ULID}"}
    | {"clock_id": f"clk_{ULID}", "breach_id": f"brc_{ULID}", "state": "delivered", "attempts": 1, "next_attempt_at": None}
    | {"error_class": None, "detail": None, "created_at": AT, "delivered_at": AT, "expires_at": None}
)


class Delivery(BaseModel):
    """One notice to one channel."""

    model_config = example(_DELIVERY)

    id: str
    notice_id: str = Field(description="The webhook-id: the same for every channel and every attempt.")
    channel: str
    type: str
    ticket_id: str | None
    clock_id: str | None
    breach_id: str | None
    state: Literal["pending", "delivered", "superseded", "expired", "suppressed", "dead", "paused"]
    attempts: int
    next_attempt_at: OutInstant | None = Field(description="Null unless pending.")
    error_class: str | None = Field(description="What went wrong last.")
    detail: str | None
    created_at: OutInstant
    delivered_at: OutInstant | None
    expires_at: OutInstant | None


class Attempt(BaseModel):
    """One try."""

    number: int
    started_at: OutInstant
    method: str
    url: str = Field(description="Without credentials.")
    status: int | None = Field(description="HTTP status; null when there was no answer.")
    error_class: str
    detail: str | None
    timing: dict[str, Any] = Field(description="Milliseconds of each phase.")
    answer: str | None = Field(description="At most 8 KiB of the answer.")


class DeliveryDetail(Delivery):
    """One notice to one channel, with every try."""

    model_config = example(
        _DELIVERY
        | {
            "history": [
                {"number": 1, "started_at": AT, "method": "POST", "url": "https://helpdesk.example.com/hooks/sla", "status": 200}
                | {"error_class": "ok", "detail": None, "timing": {"total": 41.2}, "answer": ""}
            ]
        }
    )

    history: list[Attempt]


class Channel(BaseModel):
    """A configured channel. Addresses and secrets are not shown."""

    model_config = example({"name": "upstream", "kind": "webhook", "events": ["sla.*"]})

    name: str
    kind: str
    events: list[str] = Field(description="Types of events it hears by itself.")


class ChannelList(BaseModel):
    """All channels of the configuration."""

    model_config = example({"items": [{"name": "upstream", "kind": "webhook", "events": ["sla.*"]}]})

    items: list[Channel]


class ChannelTest(BaseModel):
    """What came of a test message."""

    model_config = example({"ok": True, "status": 200, "error_class": "ok", "detail": None, "latency_ms": 41.2})

    ok: bool
    status: int | None = Field(description="HTTP status; null when there was no answer.")
    error_class: str
    detail: str | None
    latency_ms: float
