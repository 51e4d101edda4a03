"""What is known of a ticket at an instant, folded from its timeline. Nothing here depends on a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.rules.events import ActorKind, EventKind, Facts, FactValue, Message, Status, TicketEvent
from app.rules.timeline import Timeline

_DONE = frozenset({Status.SOLVED, Status.CLOSED})
_REPLIERS = {
    ActorKind.AGENT: ("by_agent", "by_agent_or_bot"),
    ActorKind.BOT: ("by_agent_or_bot",),
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who owes whom a word, counting the public messages of certain authors as replies. Instants in UTC; None = never or nobody."""

    first_reply_at: datetime | None = None
    last_reply_at: datetime | None = None
    waiting_since: datetime | None = None
    """The oldest customer message that no reply has answered. Asking twice is one wait; solving ends it; a message on a solved ticket
    waits from the reopening on."""


@dataclass(frozen=True, slots=True)
class TicketAt:
    """The ticket after everything up to and including `at` has been applied."""

    at: datetime
    created_at: datetime
    created_by: ActorKind = ActorKind.UNKNOWN
    facts: Facts = field(default_factory=dict)
    is_solved: bool = False
    is_gone: bool = False
    """Deleted, or merged into another."""
    group_since: datetime | None = None
    """Since when the present group owns it; None without a group."""
    by_agent: Conversation = Conversation()
    by_agent_or_bot: Conversation = Conversation()
    events: tuple[TicketEvent, ...] = ()
    """The events applied at this instant; empty when only time has passed."""

    def conversation(self, reply_by: frozenset[ActorKind]) -> Conversation:
        return self.by_agent_or_bot if ActorKind.BOT in reply_by else self.by_agent

    def text(self, fact: str) -> str | None:
        """A fact as text; None when it is absent or nothing."""
        value = self.facts.get(fact)
        return None if value is None else str(value)


def walk(timeline: Timeline, moments: Sequence[datetime] = ()) -> list[TicketAt]:
    """The ticket after each moment of its timeline, oldest first; and, unchanged, at each of `moments` (sorted) later than the first event."""
    created_at = timeline.created_at
    if created_at is None:
        return []
    ticket = TicketAt(at=timeline.events[0].at, created_at=created_at)
    heard: dict[str, ActorKind] = {}
    steps: list[TicketAt] = []
    pending = list(moments)
    for group in timeline.moments():
        while pending and pending[0] < group[0].at:
            if (moment := pending.pop(0)) > timeline.events[0].at:
                steps.append(replace(ticket, at=moment, events=()))
        ticket = _apply(ticket, group, heard)
        steps.append(ticket)
    steps += [replace(ticket, at=moment, events=()) for moment in pending if moment > ticket.at]
    return steps


def _apply(ticket: TicketAt, group: tuple[TicketEvent, ...], heard: dict[str, ActorKind]) -> TicketAt:
    at = group[0].at
    facts = _assert_facts(ticket.facts, group)
    solved = facts.get("status") in _DONE
    messages = [m for e in group if (m := _message(e, facts, heard)) is not None]
    return TicketAt(
        at=at,
        created_at=ticket.created_at,
        created_by=_creator(ticket.created_by, group),
        facts=facts,
        is_solved=solved,
        is_gone=bool(facts.get("deleted")) or facts.get("merged_into") is not None,
        group_since=_group_since(ticket, facts, at),
        by_agent=_converse(ticket.by_agent, "by_agent", messages, at, was_solved=ticket.is_solved, solved=solved),
        by_agent_or_bot=_converse(ticket.by_agent_or_bot, "by_agent_or_bot", messages, at, was_solved=ticket.is_solved, solved=solved),
        events=group,
    )


def _assert_facts(known: Facts, group: tuple[TicketEvent, ...]) -> Facts:
    stated: dict[str, FactValue] = {}
    for event in group:
        stated.update(event.set)
    stated.pop("created_at", None)
    if not stated or all(name in known and known[name] == value for name, value in stated.items()):
        return known
    return {**known, **stated}


def _creator(known: ActorKind, group: tuple[TicketEvent, ...]) -> ActorKind:
    for event in group:
        if event.kind is EventKind.TICKET_CREATED and known is ActorKind.UNKNOWN:
            return event.actor.kind
    return known


def _group_since(ticket: TicketAt, facts: Facts, at: datetime) -> datetime | None:
    group = facts.get("group")
    if group is None:
        return None
    return ticket.group_since if group == ticket.facts.get("group") else at


def _message(event: TicketEvent, facts: Facts, heard: dict[str, ActorKind]) -> Message | None:
    """The public message of an event, once; None for notes, echoes of our own and messages that were told before.

    The requester's own message is a customer's even if the requester is staff. A message first told without its author counts when
    the author becomes known.
    """
    message = event.message
    if message is None or event.echo or not message.public:
        return None
    author = message.author
    if author is ActorKind.AGENT and event.actor.id is not None and event.actor.id == facts.get("requester"):
        author = ActorKind.CUSTOMER
    if message.id is not None:
        if heard.get(message.id, ActorKind.UNKNOWN) is not ActorKind.UNKNOWN:
            return None
        heard[message.id] = author
    return Message(author=author, public=True, id=message.id)


def _converse(talk: Conversation, name: str, messages: list[Message], at: datetime, *, was_solved: bool, solved: bool) -> Conversation:
    """The conversation after one moment. Within a moment customers speak first: a reply answers what was there."""
    first, last, waiting = talk.first_reply_at, talk.last_reply_at, talk.waiting_since
    if was_solved and not solved and waiting is not None:
        waiting = at
    if waiting is None and any(m.author is ActorKind.CUSTOMER for m in messages):
        waiting = at
    if any(name in _REPLIERS.get(m.author, ()) for m in messages):
        first, last, waiting = first or at, at, None
    if solved and not was_solved:
        waiting = None
    if (first, last, waiting) == (talk.first_reply_at, talk.last_reply_at, talk.waiting_since):
        return talk
    return Conversation(first, last, waiting)
