"""Signals that tickets have raised, as the API shows them."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from app.schemas.examples import AT, ULID, example
from app.schemas.instants import OutInstant

RAISED: Final[dict[str, Any]] = {
    "id": f"sig_{ULID}",
    "name": "agent_switching",
    "raised_at": AT,
    "detected_at": AT,
    "ended_at": None,
    "tier": "gold",
    "threshold": "more than 3 within 7d",
    "sentences": ["4 transfers between 5 agents within 7d: Ann, Ben, Cem, Dora, Eve."],
    "keys": ["01K9ZB3V6H"],
    "suppressed": None,
    "escalation_id": f"esc_{ULID}",
    "revision": 3,
}
"""An example of a signal."""


class RaisedSignal(BaseModel):
    """A signal that a ticket has raised."""

    id: str
    name: str
    raised_at: OutInstant = Field(description="When it became true, not when it was noticed.")
    detected_at: OutInstant
    ended_at: OutInstant | None = Field(description="When the behaviour ends, perhaps ahead; null: it lasts.")
    tier: str | None
    threshold: str = Field(description="Such as `more than 3 within 7d`, as it was then.")
    sentences: list[str] = Field(description="What shows it.")
    keys: list[str] = Field(description="The events that the sentences tell of.")
    suppressed: str | None = Field(description="Why nobody was told: over, done, import, new_revision; null: it was told.")
    escalation_id: str | None = Field(description="The escalation it opened; null: it opened none.")
    revision: int


class Signal(RaisedSignal):
    """A signal, with the ticket that has raised it."""

    model_config = example(
        RAISED
        | {"ticket_id": f"tkt_{ULID}", "external_id": "4711", "subject": "Printer on fire", "source": "acme-zendesk"}
        | {"status": "raised", "held_since": AT, "withdrawn_at": None}
    )

    ticket_id: str
    external_id: str = Field(description="The helpdesk's own id of the ticket.")
    subject: str | None
    source: str
    status: Literal["raised", "withdrawn"] = Field(description="withdrawn: an event that came late proved that it never was.")
    held_since: OutInstant = Field(description="Since when the behaviour lasted.")
    withdrawn_at: OutInstant | None
