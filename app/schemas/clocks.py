"""Clocks, as the API shows them."""

from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.examples import AT, LATER, ULID, example
from app.schemas.instants import OutInstant


class Clock(BaseModel):
    """One promise: a ticket, a metric, a cycle. Elapsed and remaining are as of the request, in open seconds of its calendar."""

    model_config = example(
        {"id": f"clk_{ULID}", "ticket_id": f"tkt_{ULID}", "external_id": "4711", "subject": "Printer on fire", "source": "acme-zendesk"}
        | {"metric": "resolution", "cycle": 1, "state": "running", "health": "on_track", "started_at": AT, "stopped_at": None}
        | {"due_at": LATER, "breached_at": None, "next_check_at": LATER, "target": "6h", "target_seconds": 21600, "elapsed_seconds": 3600}
        | {"remaining_seconds": 18000, "remaining_calendar_seconds": 18000, "elapsed_percent": 16.7, "fired": [], "policy": "gold"}
        | {
            "calendar": "always",
            "revision": 3,
            "tier": "gold",
            "priority": "high",
            "group": "hardware",
            "assignee": "9123",
            "judged_at": AT,
        }
    )

    id: str
    ticket_id: str
    external_id: str
    subject: str | None
    source: str
    metric: str
    cycle: int = Field(description="From 1.")
    state: Literal["running", "paused", "stopped", "cancelled"]
    health: str = Field(description="on_track, at_risk, overdue, paused, met, missed, cancelled.")
    started_at: OutInstant
    stopped_at: OutInstant | None
    due_at: OutInstant | None = Field(description="Null while paused.")
    breached_at: OutInstant | None = Field(description="The due instant at which the promise broke; null: it has not.")
    next_check_at: OutInstant | None = Field(description="When it next has something to say.")
    target: str = Field(description="As promised: 4h, 2bd.")
    target_seconds: int | None = Field(description="Null for business days.")
    elapsed_seconds: int
    fired: list[str] = Field(description="Milestones that have fired; `retargeted#7`: that another due instant was told.")
    policy: str
    calendar: str
    revision: int
    tier: str | None
    priority: str | None
    group: str | None
    assignee: str | None
    judged_at: OutInstant
    remaining_seconds: int | None = Field(description="Open seconds left, negative when overdue; null when it cannot be told.")
    remaining_calendar_seconds: int | None = Field(description="The same in seconds of the wall clock; null unless it is running.")
    elapsed_percent: float | None = Field(description="Share of the target consumed; null for business days.")
