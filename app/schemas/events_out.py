"""The events we send. One model per type feeds the signed body, the OpenAPI `webhooks` section and the docs.

The body is `{"type": "sla.breached", "timestamp": "...", "data": {...}}` (Standard Webhooks 1.0). Instants are RFC 3339 UTC with `Z`
and milliseconds, durations are integer seconds. Fields are only ever added.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


def rfc3339(at: datetime) -> str:
    """`2026-11-21T09:30:00.000Z`: UTC, milliseconds (cut, not rounded)."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class TicketOut(_Out):
    """The ticket as it was when the event was made."""

    id: str
    source: str
    external_id: str
    subject: str | None = None
    url: str | None = None
    status: str | None = None
    priority: str | None = None
    tier: str | None = None
    group: str | None = None
    assignee: str | None = None
    requester: str | None = None
    organization: str | None = None
    tags: list[str] = Field(default_factory=list)
    created_at: Instant | None = None


class ClockOut(_Out):
    """The clock as it was when the event was made. Seconds are open time of the policy's calendar; remaining may be negative."""

    id: str
    metric: str
    cycle: int
    state: Literal["running", "paused", "stopped", "cancelled"]
    started_at: Instant
    target_seconds: int | None = Field(default=None, description="None for a target in business days.")
    target: str
    elapsed_seconds: int
    remaining_seconds: int | None
    due_at: Instant | None
    breached_at: Instant | None = None
    stopped_at: Instant | None = None


class WhyOut(_Out):
    """By which rule."""

    policy: str
    revision: int
    calendar: str
    milestone: str


class StepOut(_Out):
    """The rung of the ladder that spoke; absent when the channel hears the event by itself."""

    ladder: str
    step: int
    type: str | None = None
    next: str | None = None


class LinksOut(_Out):
    """Where to look further; relative to the service's public URL when one is set, else absent."""

    ticket: str | None = None
    explain: str | None = None
    breach: str | None = None


class SlaData(_Out):
    """The context bundle of every `sla.*` event."""

    ticket: TicketOut
    clock: ClockOut
    why: WhyOut
    breach_id: str | None = None
    late_seconds: int | None = Field(default=None, description="Open time past due; None when not past due.")
    detected_at: Instant | None = None
    cause: str | None = Field(default=None, description="Why the breach came when it did: elapsed, retargeted.")
    retracted_by: str | None = Field(default=None, description="The key of the event that proved the promise was kept.")
    step: StepOut | None = None
    links: LinksOut = LinksOut()
    truncated: bool = False


class _Event(_Out):
    timestamp: Instant = Field(description="When the fact became true: the deadline for a breach, not when it was noticed.")


class SlaWarning(_Event):
    """A running clock has reached a warning."""

    type: Literal["sla.warning"] = "sla.warning"
    data: SlaData


class SlaBreached(_Event):
    """A promise was broken; dated by its deadline."""

    type: Literal["sla.breached"] = "sla.breached"
    data: SlaData


class SlaRecovered(_Event):
    """A breached clock was answered: the all-clear, sent to those who were told of the breach."""

    type: Literal["sla.recovered"] = "sla.recovered"
    data: SlaData


class SlaMetLate(_Event):
    """A promise was kept late, and the breach had not been told yet when that became known."""

    type: Literal["sla.met_late"] = "sla.met_late"
    data: SlaData


class SlaRetracted(_Event):
    """A breach that was told turned out not to be one: an event that arrived late proved the promise was kept."""

    type: Literal["sla.retracted"] = "sla.retracted"
    data: SlaData


class TestData(_Out):
    __test__ = False
    channel: str
    message: str


class TestPing(_Event):
    """A test somebody asked for."""

    __test__ = False
    type: Literal["test.ping"] = "test.ping"
    data: TestData


EventOut = SlaWarning | SlaBreached | SlaRecovered | SlaMetLate | SlaRetracted | TestPing


def event_types() -> dict[str, type[BaseModel]]:
    """Every event we send, by type."""
    models: tuple[Any, ...] = EventOut.__args__
    return {model.model_fields["type"].default: model for model in models}
