"""Channels, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.examples import AT, example
from app.schemas.instants import OutInstant

_CHANNEL: dict[str, Any] = (
    {"name": "upstream", "kind": "webhook", "events": ["sla.*"], "state": "ok", "failing_since": None, "failures": 0}
    | {"error_class": None, "detail": None, "breaker": "closed", "next_probe_at": None, "disabled_at": None, "disabled_by": None}
    | {"delivered_at": AT, "held": 0, "ordered": False, "fallback": None}
)


class Channel(BaseModel):
    """A configured channel and how its endpoint does. Addresses and secrets are not shown."""

    model_config = example(_CHANNEL)

    name: str
    kind: str
    events: list[str] = Field(description="Types of events it hears by itself.")
    state: Literal["ok", "failing", "disabled"] = Field(description="failing: it has accepted nothing since `failing_since`.")
    failing_since: OutInstant | None
    failures: int = Field(description="Attempts that failed since then.")
    error_class: str | None = Field(description="What went wrong last; null while it accepts.")
    detail: str | None
    breaker: Literal["closed", "open"] = Field(description="open: it gave no answer ten times in a row; one probe a minute goes there.")
    next_probe_at: OutInstant | None = Field(description="Null while the breaker is closed.")
    disabled_at: OutInstant | None = Field(description="Null while it is in use.")
    disabled_by: str | None = Field(description="Null: by the service itself.")
    delivered_at: OutInstant | None = Field(description="When it last accepted something, to the minute; null: not yet.")
    held: int = Field(description="Deliveries held back until it is enabled or they are recovered.")
    ordered: bool = Field(description="What is said of one ticket goes one after another.")
    fallback: str | None = Field(description="The channel that hears it too when this one has not accepted it in time.")


class ChannelList(BaseModel):
    """All channels of the configuration, then the sources that are written back to, as `source:NAME`."""

    model_config = example({"items": [_CHANNEL]})

    items: list[Channel]


class Enabling(BaseModel):
    """What becomes of deliveries that were held meanwhile."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"replay": True}]})

    replay: bool = Field(default=True, strict=True, description="Send what was held, behind live traffic; else it stays held.")


class ChannelTest(BaseModel):
    """What came of a test message."""

    model_config = example({"ok": True, "status": 200, "error_class": "ok", "detail": None, "latency_ms": 41.2})

    ok: bool
    status: int | None = Field(description="HTTP status; null when there was no answer.")
    error_class: str
    detail: str | None
    latency_ms: float
