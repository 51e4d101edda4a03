"""Tickets and their timelines, as the API shows them."""

from typing import Any, Final

from pydantic import BaseModel, Field

from app.schemas.examples import AT, LATER, TICKET, ULID, example
from app.schemas.instants import OutInstant
from app.schemas.signals import RAISED, RaisedSignal

_SHOWN: Final[dict[str, Any]] = (
    TICKET
    | {
        "subject": "Printer on fire",
        "url": None,
        "status": "open",
        "priority": "high",
        "tier": "gold",
        "policy": "gold",
        "group": "hardware",
    }
    | {
        "assignee": "9123",
        "requester": "jo@example.com",
        "organization": "Acme GmbH",
        "tags": ["fire"],
        "created_at": AT,
        "last_event_at": AT,
    }
    | {"stored_at": AT, "deleted": False, "merged_into": None, "revision": 3, "version": 2}
)


class Ticket(BaseModel):
    """A ticket, with its facts as of the last event."""

    model_config = example(_SHOWN)

    id: str
    source: str
    external_id: str = Field(description="The helpdesk's own id.")
    subject: str | None
    url: str | None
    status: str | None = Field(description="new, open, pending, on_hold, solved, closed, or the helpdesk's own word.")
    priority: str | None
    tier: str | None
    policy: str | None = Field(description="Null: no policy matches, so nothing is promised.")
    group: str | None
    assignee: str | None
    requester: str | None
    organization: str | None
    tags: list[str]
    created_at: OutInstant | None
    last_event_at: OutInstant | None
    stored_at: OutInstant = Field(description="When we first heard of it.")
    deleted: bool
    merged_into: str | None
    revision: int = Field(
        description="Revision of the configuration by which it was last judged: the first of those in a row that promise the same."
    )
    version: int = Field(description="Counts changes.")


class TicketDetail(Ticket):
    """A ticket with the signals it has raised."""

    model_config = example(_SHOWN | {"signals": [RAISED]})

    signals: list[RaisedSignal] = Field(description="Oldest first, without those that were taken back.")


class EventActor(BaseModel):
    """Who caused an event."""

    kind: str
    id: str | None


class EventMessage(BaseModel):
    """The message an event carries."""

    author: str
    public: bool
    id: str | None


class TimelineEvent(BaseModel):
    """One event of a ticket, as the helpdesk told it."""

    model_config = example(
        {"key": "01K9ZB3V6H", "at": AT, "order": None, "kind": "ticket.status_changed", "actor": {"kind": "agent", "id": "9123"}}
        | {"set": {"status": "pending"}, "message": None, "echo": False, "received_at": AT, "inbox_id": f"inb_{ULID}"}
    )

    key: str = Field(description="Identity within the source and ticket: told twice is stored once.")
    at: OutInstant = Field(description="When it became true.")
    order: int | None
    kind: str
    actor: EventActor
    set: dict[str, Any] = Field(description="Facts it asserts.")
    message: EventMessage | None
    echo: bool = Field(description="The echo of a change of our own.")
    received_at: OutInstant
    inbox_id: str = Field(description="The message it came in.")


class RejectedPolicy(BaseModel):
    """A policy that was passed over, and why."""

    policy: str
    because: str


class Explanation(BaseModel):
    """The working behind a ticket's clocks, line by line; the counted seconds add up to the verdict."""

    model_config = example(
        {"ticket_id": f"tkt_{ULID}", "at": AT, "policy": "everyone", "tier": "gold"}
        | {"rejected_policies": [{"policy": "platinum", "because": "tier is gold, not platinum"}]}
        | {
            "clocks": [
                {"metric": "resolution", "cycle": 1, "state": "running", "spans": [{"from": AT, "to": LATER, "counted_seconds": 21600.0}]}
            ]
        }
    )

    ticket_id: str
    at: OutInstant = Field(description="The moment it is about.")
    policy: str | None
    tier: str | None
    rejected_policies: list[RejectedPolicy] = Field(description="In the order of the document.")
    clocks: list[dict[str, Any]] = Field(description="Each clock with target, milestones and every span of time with what it counted.")
    signals: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Each signal that is watched: its threshold, when it was raised, what shows it, when it would be next.",
    )
