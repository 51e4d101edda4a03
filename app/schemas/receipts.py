"""What the senders of webhooks and events get back."""

from typing import Literal

from pydantic import BaseModel, Field

from app.schemas.examples import TICKET, ULID, example
from app.schemas.problems import ProblemFault

Outcome = Literal["applied", "duplicate", "ignored", "quarantined"]


class TicketName(BaseModel):
    """A ticket by our id and by its name in the helpdesk."""

    id: str
    source: str
    external_id: str


class WebhookReceipt(BaseModel):
    """What became of a webhook. It is durable when this is sent."""

    model_config = example({"receipt": f"inb_{ULID}", "outcome": "applied", "reason": None, "tickets": [TICKET]})

    receipt: str = Field(description="Id of the stored message: GET /v1/inbox/{id}.")
    outcome: Outcome = Field(description="duplicate: everything it says was known; quarantined: it cannot be read yet.")
    reason: str | None = Field(description="Why it was ignored or quarantined.")
    tickets: list[TicketName] = Field(description="The tickets it touched.")


class EventResult(BaseModel):
    """What became of one event."""

    index: int = Field(description="Its place in the request, from 0.")
    status: int = Field(description="202 stored, 422 refused, 503 not stored: try again.")
    outcome: Literal["applied", "duplicate", "quarantined", "refused", "unavailable"]
    receipt: str | None = Field(description="Id of the stored message; null when nothing was stored.")
    ticket: TicketName | None
    key: str | None = Field(description="The event's identity, given or made.")
    warnings: list[str] = Field(description="What looks odd but was accepted.")
    errors: list[ProblemFault]


class EventResults(BaseModel):
    """What became of each event, in the order of the request."""

    model_config = example(
        {
            "accepted": 1,
            "refused": 0,
            "items": [
                {
                    "index": 0,
                    "status": 202,
                    "outcome": "applied",
                    "receipt": f"inb_{ULID}",
                    "ticket": TICKET,
                    "key": "sha256:72bbb9c67fce749f87f11a7518204162",
                    "warnings": [],
                    "errors": [],
                }
            ],
        }
    )

    accepted: int
    refused: int = Field(description="Refused or not stored.")
    items: list[EventResult]


class PreviewActor(BaseModel):
    """Who caused it."""

    kind: str
    id: str | None


class PreviewMessage(BaseModel):
    """The message it carries."""

    author: str
    public: bool
    id: str | None


class PreviewEvent(BaseModel):
    """One canonical event, as the engine would see it."""

    kind: str
    ticket: str
    key: str
    at: str
    actor: PreviewActor
    set: dict[str, object]
    message: PreviewMessage | None


class PreviewResult(BaseModel):
    """What a payload would say. Nothing was stored."""

    model_config = example(
        {
            "outcome": "applied",
            "reason": None,
            "events": [
                {
                    "kind": "ticket.status_changed",
                    "ticket": "4711",
                    "key": "01K9ZB3V6H",
                    "at": "2026-11-21T09:30:00.000Z",
                    "actor": {"kind": "agent", "id": "9123"},
                    "set": {"status": "pending"},
                    "message": None,
                }
            ],
        }
    )

    outcome: Literal["applied", "ignored", "quarantined"]
    reason: str | None
    events: list[PreviewEvent]
