"""Deliveries, as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from app.schemas.examples import AT, LATER, ULID, example
from app.schemas.instants import OutInstant, read_instant
from app.schemas.text import Line

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


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("an instant is text")
    return read_instant(value)


InInstant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, with its offset."}),
]


class Recovery(BaseModel):
    """What of a channel's deliveries is to be sent again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"channel": "upstream", "since": AT, "until": LATER, "dry_run": True}]}
    )

    channel: Line
    since: InInstant | None = Field(default=None, description="Made at this instant or later.")
    until: InInstant | None = Field(default=None, description="Made before this instant.")
    only_missing: bool = Field(
        default=True,
        strict=True,
        description="Only what is held or dead; false: also what the channel had accepted, again under the same ids.",
    )
    dry_run: bool = Field(default=False, strict=True, description="Only say how many there are.")


class Recovered(BaseModel):
    """How many deliveries go out again."""

    model_config = example({"channel": "upstream", "deliveries": 12, "dry_run": False})

    channel: str
    deliveries: int
    dry_run: bool
