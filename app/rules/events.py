"""Canonical ticket events: what a helpdesk said became true, and when.

An event asserts facts about one ticket at one instant. A snapshot and a single change are the same thing: a fact that is absent from
`set` is not asserted; a fact that is None is asserted to be nothing.

Facts with a meaning of their own (all others are free and may be matched by conditions):

| fact | value |
|---|---|
| `status` | a `Status` word, or one of the helpdesk's own: it neither solves nor pauses unless a condition names it |
| `priority` | a `Priority` word, or a word of the helpdesk's own |
| `group`, `assignee` | id or name; None = nobody |
| `assignee_is_bot` | True when the assignee is no human |
| `requester`, `organization` | id, address or name; `requester_domain` is derived from an address |
| `tier` | states the tier; else it is resolved from the document |
| `tags` | tuple of words |
| `created_at` | aware UTC instant the ticket was created, as the helpdesk states it |
| `deleted` | True: deleted (clocks are cancelled); False: undeleted |
| `merged_into` | the ticket (same source) that survives a merge; None: not merged |
| `subject`, `url`, `channel`, `category`, `csat`, `sentiment` | for people and conditions |
| `escalation_requested` | True: the customer asked for a supervisor; False or None: not, or not any more |
| `promised_update_at` | aware UTC instant by which an agent has promised the customer an update |
| `language` | the customer's language: `de`, `de-AT` |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

FactValue = None | bool | int | float | str | datetime | tuple[str, ...]
Facts = Mapping[str, FactValue]


class Status(StrEnum):
    """Canonical ticket states, common to all helpdesks."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    """Waiting on the customer."""
    ON_HOLD = "on_hold"
    """Waiting on a third party."""
    SOLVED = "solved"
    """Done, may reopen."""
    CLOSED = "closed"
    """Done for good."""


class Priority(StrEnum):
    """Canonical priorities, lowest first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class ActorKind(StrEnum):
    """Who did something."""

    CUSTOMER = "customer"
    AGENT = "agent"
    """A human of ours."""
    BOT = "bot"
    """A machine that writes messages: auto-reply, AI agent."""
    SYSTEM = "system"
    """The helpdesk itself: triggers, automations, integrations."""
    UNKNOWN = "unknown"
    """The helpdesk does not say; never taken for an agent."""


class EventKind(StrEnum):
    """What people call the event. The engine looks at the facts and the message; only `ticket.created` tells it something of its own:
    the actor of that event is who created the ticket."""

    TICKET_CREATED = "ticket.created"
    TICKET_UPDATED = "ticket.updated"
    TICKET_STATUS_CHANGED = "ticket.status_changed"
    TICKET_REOPENED = "ticket.reopened"
    TICKET_PRIORITY_CHANGED = "ticket.priority_changed"
    TICKET_ASSIGNED = "ticket.assigned"
    TICKET_DELETED = "ticket.deleted"
    TICKET_SNAPSHOT = "ticket.snapshot"
    MESSAGE_CUSTOMER = "message.customer"
    MESSAGE_AGENT_PUBLIC = "message.agent_public"
    MESSAGE_PRIVATE_NOTE = "message.private_note"
    MESSAGE_BOT = "message.bot"


@dataclass(frozen=True)
class Actor:
    """Who caused an event. `id` is the helpdesk's own id or address; None when unknown."""

    kind: ActorKind = ActorKind.UNKNOWN
    id: str | None = None


@dataclass(frozen=True)
class Message:
    """A message on the ticket. `public` = the customer can see it. `id` counts a message told twice as one; None: unknown."""

    author: ActorKind
    public: bool
    id: str | None = None


@dataclass(frozen=True)
class TicketEvent:
    """One assertion about one ticket.

    `key` is the event's identity within its source and ticket: seen twice = once. `at` is an aware instant in UTC. `order` is the
    source's own sequence for events that share an instant; events without one that share an instant are applied together. `echo`
    marks the echo of a write-back of ours: its facts count, but it is no reply, contact, reassignment or reopening.
    """

    source: str
    ticket: str
    key: str
    at: datetime
    kind: EventKind = EventKind.TICKET_UPDATED
    set: Facts = field(default_factory=dict)
    message: Message | None = None
    actor: Actor = Actor()
    order: int | None = None
    echo: bool = False
