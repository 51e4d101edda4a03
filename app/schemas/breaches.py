"""Breaches, as the API shows them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.deliveries import Delivery
from app.schemas.examples import AT, ULID, example
from app.schemas.instants import OutInstant
from app.schemas.spans import Span
from app.schemas.text import Line, Paragraph

_BREACH: dict[str, Any] = (
    {"id": f"brc_{ULID}", "clock_id": f"clk_{ULID}", "ticket_id": f"tkt_{ULID}", "external_id": "4711", "subject": "Printer on fire"}
    | {"source": "acme-zendesk", "metric": "resolution", "cycle": 1, "policy": "gold", "revision": 3, "tier": "gold", "priority": "high"}
    | {"group": "hardware", "assignee": "9123", "status": "open", "breached_at": AT, "detected_at": AT, "detected_late": False}
    | {"cause": "elapsed", "suppressed": None, "answered_at": None, "late_seconds": None, "retracted_at": None, "retracted_by": None}
    | {"acknowledged_at": None, "acknowledged_by": None, "acknowledge_note": None, "source_stale": False}
)


class Breach(BaseModel):
    """A broken promise, dated by its deadline."""

    model_config = example(_BREACH)

    id: str
    clock_id: str
    ticket_id: str
    external_id: str
    subject: str | None
    source: str
    metric: str
    cycle: int
    policy: str
    revision: int
    tier: str | None
    priority: str | None
    group: str | None
    assignee: str | None
    status: Literal["open", "answered", "retracted"] = Field(
        description="open: still unanswered; retracted: the promise was kept after all."
    )
    breached_at: OutInstant = Field(description="The deadline.")
    detected_at: OutInstant
    detected_late: bool = Field(description="Learned from a late event or after downtime.")
    cause: str = Field(description="elapsed, or retargeted: a change of terms put the deadline into the past.")
    suppressed: str | None = Field(description="Why nobody was told; null: told.")
    answered_at: OutInstant | None
    late_seconds: int | None = Field(description="Open seconds past due at the answer; null while open.")
    retracted_at: OutInstant | None
    retracted_by: str | None = Field(description="Key of the event that proved the promise was kept.")
    source_stale: bool = Field(description="Recorded while its source was silent: what was done there may not be known.")
    acknowledged_at: OutInstant | None
    acknowledged_by: str | None
    acknowledge_note: str | None


class BreachDetail(Breach):
    """A broken promise, with what it was judged by and who was told."""

    model_config = example(_BREACH | {"evidence": {"target": "6h", "calendar": "always"}, "deliveries": []})

    evidence: dict[str, Any] = Field(description="The clock as it was judged when the breach was recorded.")
    deliveries: list[Delivery] = Field(description="Oldest first; at most 200.")


class Acknowledgement(BaseModel):
    """Who takes care of it, and what they say."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"by": "jo", "note": "Spare part is on its way."}]})

    by: Line | None = Field(default=None, description="Left out: the name of the API key.")
    note: Paragraph | None = None
    span: Span | None = Field(default=None, alias="for", description="How long its escalation waits. Left out: as long as its ladder says.")
