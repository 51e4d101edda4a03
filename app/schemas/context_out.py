"""What every notice about a ticket carries beside the fact itself: what happened, what was tried, who had it, what comes next, what helps.

Also what all events share: how instants are written, and signals.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


@lru_cache(maxsize=4096)  # one event names the same few instants again and again
def rfc3339(at: datetime) -> str:
    """`2026-11-21T09:30:00.000Z`: UTC, milliseconds (cut, not rounded)."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="milliseconds")[:-6] + "Z"


Instant = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]


class Out(BaseModel):
    """A part of an event."""

    model_config = ConfigDict(frozen=True)


class SignalOut(Out):
    """A signal: behaviour of a ticket that is alarming in itself."""

    name: str = Field(description="Such as `agent_switching`.")
    raised_at: Instant
    evidence: list[str] = Field(default_factory=list, description="What was seen, a sentence each.")
    keys: list[str] = Field(default_factory=list, description="The events that the evidence tells of, by their key.")
    threshold: str | None = Field(default=None, description="Such as `more than 3 within 7d`.")
    tier: str | None = Field(default=None, description="The tier whose threshold it was.")
    ended_at: Instant | None = Field(default=None, description="When the behaviour ends, perhaps ahead; None: it lasts.")


class HappeningOut(Out):
    """One thing that happened to the ticket."""

    at: Instant
    who: str = Field(description="customer, agent, bot, helpdesk, somebody, or slawatch for what we wrote back ourselves.")
    what: str = Field(description="Such as `public message`, `status open → pending`.")


class OwnerOut(Out):
    """Somebody who had the ticket."""

    who: str
    since: Instant
    until: Instant | None = Field(default=None, description="None: still.")
    is_bot: bool = False


class TriedOut(Out):
    """What was done so far."""

    replies: int = Field(description="Public messages of human agents.")
    customer_messages: int
    notes: int
    transfers: int = Field(description="From one human to another.")
    reopenings: int
    last_reply_at: Instant | None = None


class UpcomingOut(Out):
    """Something that comes if nobody acts."""

    at: Instant
    what: str = Field(description="Such as `resolution is due`, `next step of the ladder wake-somebody`.")


class EarlierOut(Out):
    """Another escalation of the same ticket."""

    id: str
    cause: str
    state: str
    opened_at: Instant
    ladder: str | None = None
    signal: str | None = None
    closed_at: Instant | None = None
    closed_because: str | None = None


class ContextOut(Out):
    """The context of a notice. Lists are shortened, the oldest first, where the body would be larger than 20 kB."""

    history: list[HappeningOut] = Field(default_factory=list, description="The last things that happened, oldest first; at most ten.")
    tried: TriedOut | None = None
    owners: list[OwnerOut] = Field(default_factory=list, description="The last who had it, oldest first; at most ten.")
    upcoming: list[UpcomingOut] = Field(default_factory=list, description="What comes next if nobody acts; at most three.")
    signals: list[SignalOut] = Field(default_factory=list, description="Signals of the ticket that stand, the newest last; at most five.")
    earlier_escalations: list[EarlierOut] = Field(default_factory=list, description="Oldest first; at most five.")
    guidance: list[str] = Field(default_factory=list, description="Advice to whoever acts, a sentence each. Where something is asked.")
    customer_text: str | None = Field(default=None, description="A sentence for the customer. It is offered, never sent by us.")
    truncated: bool = Field(default=False, description="True: something was left out to keep the body below 20 kB.")
