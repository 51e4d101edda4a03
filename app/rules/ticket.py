"""What is known of a ticket at an instant, folded from its timeline. Nothing here depends on a policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from app.rules.events import ActorKind, EventKind, Facts, Message, TicketEvent
from app.rules.timeline import Timeline

_DONE = frozenset({"solved", "closed"})
_UNSTATED = object()


class Conversation(NamedTuple):
    """Who owes whom a word, counting the public messages of certain authors as replies. Instants in UTC; None = never or nobody."""

    first_reply_at: datetime | None = None
    last_reply_at: datetime | None = None
    waiting_since: datetime | None = None
    """The oldest customer message that no reply has answered. Asking twice is one wait; solving ends it; a message on a solved ticket
    waits from the reopening on."""


_SILENCE = Conversation()


class TicketAt(NamedTuple):
    """The ticket after everything up to and including `at` has been applied."""

    at: datetime
    created_at: datetime
    created_by: ActorKind = ActorKind.UNKNOWN
    """Who created it, as far as is known; a requester who is staff is a customer here."""
    facts: Facts = MappingProxyType({})
    is_solved: bool = False
    is_gone: bool = False
    """Deleted, or merged into another."""
    group_since: datetime | None = None
    """Since when the present group owns it; None without a group."""
    by_agent: Conversation = _SILENCE
    by_agent_or_bot: Conversation = _SILENCE
    events: tuple[TicketEvent, ...] = ()
    """The events applied at this instant; empty when only time has passed."""
    solved_since: datetime | None = None
    """When it was solved; None while it is not."""
    missed: bool = False
    """Whether a promise had been missed when it was solved. Set by `app.rules.cycles`, which knows the promises; False while not solved."""

    def conversation(self, reply_by: frozenset[ActorKind]) -> Conversation:
        return self.by_agent_or_bot if ActorKind.BOT in reply_by else self.by_agent

    def text(self, fact: str) -> str | None:
        """A fact as text; None when it is absent or nothing."""
        value = self.facts.get(fact)
        return None if value is None else str(value)

    def is_as_quiet_as(self, before: TicketAt) -> bool:
        """Whether nobody has said anything since that counts (and it did not become known who created it)."""
        return self.by_agent is before.by_agent and self.by_agent_or_bot is before.by_agent_or_bot and self.created_by is before.created_by


def walk(timeline: Timeline, moments: Sequence[datetime] = ()) -> list[TicketAt]:
    """The ticket after each instant of its timeline, oldest first; and, unchanged, at each of `moments` (sorted) after the first event.

    Events of one instant are applied in their order, and what they come to is one step: no verdict hangs on which of them the helpdesk
    told first. Only the creation is a step of its own: what else is done in that instant is done to a ticket that was open.
    """
    created_at = timeline.created_at
    if created_at is None:
        return []
    ticket = TicketAt(at=timeline.events[0].at, created_at=created_at, facts={"created_at": created_at})
    heard: dict[str, ActorKind] = {}
    steps: list[TicketAt] = []
    pending = [moment for moment in moments if moment > ticket.at]
    for group in timeline.moments():
        while pending and pending[0] <= group[0].at:
            steps.append(ticket._replace(at=pending.pop(0), events=()))
        ticket = _apply(ticket, group, heard, timeline.events[0].at)
        if len(steps) > 1 and steps[-1].events and steps[-1].at == ticket.at:
            steps[-1] = ticket = ticket._replace(events=steps[-1].events + group)
        else:
            steps.append(ticket)
    steps += [ticket._replace(at=moment, events=()) for moment in pending]
    return steps


def _apply(ticket: TicketAt, group: tuple[TicketEvent, ...], heard: dict[str, ActorKind], birth: datetime) -> TicketAt:
    at = group[0].at
    facts = _assert_facts(ticket.facts, group)
    created_by = ticket.created_by if ticket.created_by is not ActorKind.UNKNOWN else _creator(group, facts)
    was_solved = solved = ticket.is_solved
    gone, group_since = ticket.is_gone, ticket.group_since
    if facts is not ticket.facts:
        solved = facts.get("status") in _DONE
        gone = bool(facts.get("deleted")) or facts.get("merged_into") is not None
        group_since = _group_since(ticket, facts, at)
    by_agent, by_agent_or_bot = ticket.by_agent, ticket.by_agent_or_bot
    authors = _authors(group, facts, heard)
    if created_by is ActorKind.AGENT and at == birth:  # what an agent wrote down on somebody's behalf is no message that waits
        authors.discard(ActorKind.CUSTOMER)
    if authors or was_solved is not solved:
        is_reply = ActorKind.AGENT in authors
        by_agent = _converse(by_agent, authors, at, is_reply=is_reply, was_solved=was_solved, solved=solved)
        is_reply = is_reply or ActorKind.BOT in authors
        by_agent_or_bot = _converse(by_agent_or_bot, authors, at, is_reply=is_reply, was_solved=was_solved, solved=solved)
    since = (ticket.solved_since or at) if solved else None
    return TicketAt(at, ticket.created_at, created_by, facts, solved, gone, group_since, by_agent, by_agent_or_bot, group, since)


def _assert_facts(known: Facts, group: tuple[TicketEvent, ...]) -> Facts:
    """The facts with what the events state; the same object when that is nothing new. A new assignee is human unless it says otherwise."""
    stated = group[0].set
    if len(group) > 1:
        stated = {name: value for event in group for name, value in event.set.items()}
    fresh = {name: value for name, value in stated.items() if known.get(name, _UNSTATED) != value and name != "created_at"}
    if not fresh:
        return known
    if "assignee" in fresh and known.get("assignee_is_bot") and "assignee_is_bot" not in stated:
        fresh["assignee_is_bot"] = None
    return {**known, **fresh}


def _creator(group: tuple[TicketEvent, ...], facts: Facts) -> ActorKind:
    for event in group:
        if event.kind is EventKind.TICKET_CREATED:
            return ActorKind.CUSTOMER if _is_requester(event, facts) else event.actor.kind
    return ActorKind.UNKNOWN


def _is_requester(event: TicketEvent, facts: Facts) -> bool:
    """Whether the event's actor is who asked for help."""
    actor, requester = event.actor.id, facts.get("requester")
    return actor is not None and requester is not None and actor.casefold() == str(requester).casefold()


def _group_since(ticket: TicketAt, facts: Facts, at: datetime) -> datetime | None:
    group = facts.get("group")
    if group is None:
        return None
    return ticket.group_since if group == ticket.facts.get("group") else at


def _authors(group: tuple[TicketEvent, ...], facts: Facts, heard: dict[str, ActorKind]) -> set[ActorKind]:
    """Who speaks in public."""
    authors: set[ActorKind] = set()
    for event in group:
        if event.message is not None and (author := _author(event.message, event, facts, heard)) is not None:
            authors.add(author)
    return authors


def _author(message: Message, event: TicketEvent, facts: Facts, heard: dict[str, ActorKind]) -> ActorKind | None:
    """Who speaks, each message once; None for notes, echoes of our own and messages that were told before.

    The requester's own message is a customer's even if the requester is staff. A message first told without its author counts when
    the author becomes known.
    """
    if not message.public:
        return None
    author = message.author
    if author is ActorKind.AGENT and _is_requester(event, facts):
        author = ActorKind.CUSTOMER
    if message.id is not None:
        if heard.get(message.id, ActorKind.UNKNOWN) is not ActorKind.UNKNOWN:
            return None
        heard[message.id] = author
    return None if event.echo else author


def _converse(talk: Conversation, authors: set[ActorKind], at: datetime, *, is_reply: bool, was_solved: bool, solved: bool) -> Conversation:
    """The conversation after one moment; the same object when nothing changes. Customers speak first: a reply answers what was there."""
    first, last, waiting = talk
    if was_solved and not solved and waiting is not None:
        waiting = at
    if waiting is None and ActorKind.CUSTOMER in authors:
        waiting = at
    if is_reply:
        first, last, waiting = first or at, at, None
    if solved and not was_solved:
        waiting = None
    after = Conversation(first, last, waiting)
    return talk if after == talk else after
