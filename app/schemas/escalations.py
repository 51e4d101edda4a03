"""Escalations, as the API shows and takes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.deliveries import Delivery
from app.schemas.examples import AT, LATER, ULID, example
from app.schemas.instants import OutInstant
from app.schemas.spans import Span
from app.schemas.text import Line, Paragraph

_ESCALATION: dict[str, Any] = (
    {"id": f"esc_{ULID}", "ticket_id": f"tkt_{ULID}", "external_id": "4711", "subject": "Printer on fire", "clock_id": f"clk_{ULID}"}
    | {"breach_id": f"brc_{ULID}", "cause": "breach", "type": "hierarchical", "ladder": "wake-somebody", "target": None, "signal": None}
    | {"reason": None, "state": "active", "step": 2, "steps": 3, "loop": 0, "paused": False, "next_step_at": LATER, "waits_until": None}
    | {"opened_at": AT, "opened_by": None, "acknowledged_at": None, "acknowledged_by": None, "acknowledge_seconds": None}
    | {"exhausted_at": None, "closed_at": None, "closed_because": None, "resolve_seconds": None, "owner": None, "policy": "gold"}
    | {"revision": 3, "source": "acme-zendesk", "tier": "gold", "priority": "high", "group": "hardware", "assignee": "9123"}
    | {"premature": False}
)
_LINE: dict[str, Any] = {"number": 2, "at": AT, "kind": "spoke", "actor": None, "note": None, "detail": {"step": 0, "channels": ["pager"]}}


class Escalation(BaseModel):
    """One run of a ladder: who hears it next, until somebody acts."""

    model_config = example(_ESCALATION)

    id: str
    ticket_id: str
    external_id: str
    subject: str | None
    clock_id: str | None = Field(description="Null: no clock is its cause.")
    breach_id: str | None = Field(description="Null while nothing is broken.")
    cause: Literal["breach", "warning", "signal", "manual"]
    type: str = Field(description="Of the rung that spoke last: automatic, functional (the team with the skill), hierarchical (authority).")
    ladder: str | None = Field(description="Null: opened by hand for a channel.")
    target: str | None = Field(description="Opened by hand: the ladder or channel that was named.")
    signal: str | None
    reason: str | None
    state: Literal["pending", "active", "snoozed", "acknowledged", "resolved", "exhausted", "cancelled"]
    step: int = Field(description="The rung that was reached, from 1; 0: none yet.")
    steps: int = Field(description="How many rungs its ladder has.")
    loop: int = Field(description="How often that rung was said again.")
    paused: bool = Field(description="The ladder stands still: its ticket is paused, or a silence holds.")
    next_step_at: OutInstant | None = Field(description="When it next has something to do; null: not by itself.")
    waits_until: OutInstant | None = Field(description="End of the acknowledgement or snooze.")
    opened_at: OutInstant
    opened_by: str | None = Field(description="Null: the service.")
    acknowledged_at: OutInstant | None = Field(description="The last time somebody did.")
    acknowledged_by: str | None
    acknowledge_seconds: int | None = Field(description="Real seconds from the opening to the first acknowledgement.")
    exhausted_at: OutInstant | None = Field(description="When the last rung was passed and nobody had acted.")
    closed_at: OutInstant | None = Field(description="When its cause was gone; null: it lasts.")
    closed_because: str | None = Field(description="answered, solved, retracted, retargeted, no_policy, deleted, merged, by hand.")
    resolve_seconds: int | None = Field(description="Real seconds from the opening until it was closed.")
    owner: str | None = Field(description="Whom it was given to.")
    policy: str | None
    revision: int = Field(description="Of the document it was opened by; later ones do not change its ladder.")
    source: str
    tier: str | None
    priority: str | None
    group: str | None
    assignee: str | None
    premature: bool = Field(description="Opened by hand before half of any target was used up, and without any signal.")


class LogLine(BaseModel):
    """Something that happened to an escalation."""

    model_config = example(_LINE)

    number: int = Field(description="From 1.")
    at: OutInstant
    kind: str = Field(description="opened, breached, spoke, passed, unheard, unreached, last_resort, acknowledged, lapsed, ...")
    actor: str | None = Field(description="Null: the service.")
    note: str | None = Field(description="Why, or what somebody said to it.")
    detail: dict[str, Any] = Field(description="step (from 0), loop, channels, due_at, until, to, notice, as far as they apply.")


class EscalationDetail(Escalation):
    """One run of a ladder, with everything that happened to it and what it said."""

    model_config = example(_ESCALATION | {"log": [_LINE], "deliveries": []})

    log: list[LogLine] = Field(description="Oldest first.")
    deliveries: list[Delivery] = Field(description="Oldest first; at most 200.")


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: Line | None = Field(default=None, description="Left out: the name of the API key.")
    note: Paragraph | None = None


class NewEscalation(BaseModel):
    """An escalation that somebody opens by hand."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"ticket": "acme-zendesk:4711", "type": "functional", "target": "network-team", "reason": "Needs somebody who knows BGP."}
            ]
        },
    )

    ticket: str = Field(min_length=1, max_length=600, description="Our id, or `source:external`.")
    type: Literal["functional", "hierarchical"]
    target: Line = Field(description="A ladder or a channel of the configuration; a ladder where both have the name.")
    reason: Paragraph
    by: Line | None = Field(default=None, description="Left out: the name of the API key.")


class TakingCare(_Said):
    """Who takes care of it, and for how long the ladder is to wait."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"by": "jo", "note": "On it.", "for": "1h"}]})

    span: Span | None = Field(default=None, alias="for", description="Left out: as long as the ladder says.")


class Snooze(_Said):
    """How long the ladder is to sleep."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"for": "2h", "note": "The spare part arrives at noon."}]})

    span: Span | None = Field(default=None, alias="for", description="Left out: as long as an acknowledgement holds.")


class Closing(_Said):
    """Why it is over."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"by": "jo", "note": "Settled by telephone."}]})


class Assignment(_Said):
    """Whom it is given to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "jo"}]})

    to: Line | None = Field(default=None, description="Null: to nobody.")
