"""What is known of a ticket at an instant, folded from its timeline. Nothing here depends on a policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from app.rules.events import ActorKind, EventKind, Facts, Message, TicketEvent
from app.rules.timeline import Events, Timeline, moments

_DONE = frozenset({"solved", "closed"})
_NOBODY: frozenset[ActorKind] = frozenset()
_AGENT, _BOT, _CUSTOMER, _UNKNOWN = ActorKind.AGENT, ActorKind.BOT, ActorKind.CUSTOMER, ActorKind.UNKNOWN
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
    events: Events = ()
    """The events applied at this instant; empty when only time has passed."""
    solved_since: datetime | None = None
    """When it was solved; None while it is not."""
    missed: bool = False
    """Whether a promise had been missed when it was solved. Set by `app.rules.cycles`, which knows the promises; False while not solved."""
    gone_since: datetime | None = None
    """Since which step it is gone; None while it is there."""

    def conversation(self, reply_by: frozenset[ActorKind]) -> Conversation:
        return self.by_agent_or_bot if _BOT in reply_by else self.by_agent

    def text(self, fact: str) -> str | None:
        """A fact as text; None when it is absent or nothing."""
        value = self.facts.get(fact)
        return None if value is None else str(value)

    def is_as_quiet_as(self, before: TicketAt) -> bool:
        """Whether nobody has said anything since that counts (and it did not become known who created it)."""
        return self.by_agent is before.by_agent and self.by_agent_or_bot is before.by_agent_or_bot and self.created_by is before.created_by


class Known:
    """What is known of a ticket, learned instant by instant. `ticket` is how it stands after the last one."""

    __slots__ = ("birth", "heard", "ticket")

    def __init__(self, timeline: Timeline) -> None:
        """Nothing yet of what a timeline (with events) will tell, save when the ticket was created."""
        self.birth = timeline.events[0].at
        self.heard: dict[str, ActorKind] = {}
        created_at = timeline.created_at or self.birth
        self.ticket = TicketAt(at=self.birth, created_at=created_at, facts={"created_at": created_at})

    def copy(self) -> Known:
        """The same knowledge, to learn more without this one."""
        twin = object.__new__(Known)
        twin.birth, twin.heard, twin.ticket = self.birth, self.heard.copy(), self.ticket
        return twin

    def learn(self, instant: Events) -> TicketAt:
        """The ticket after all events of the next instant (`Timeline.instants`).

        They are applied in their order, and what they come to is one step: no verdict hangs on which of them the helpdesk told first.
        """
        before = ticket = self.ticket
        if len(instant) == 1:
            ticket = _apply(ticket, instant, self.heard, self.birth)
        else:
            for group in moments(instant):
                ticket = _apply(ticket, group, self.heard, self.birth)
            ticket = ticket._replace(events=instant, gone_since=(before.gone_since or ticket.at) if ticket.is_gone else None)
        self.ticket = ticket
        return ticket

    def at(self, moment: datetime) -> TicketAt:
        """The ticket when only time has passed since the last instant."""
        return self.ticket._replace(at=moment, events=())


def walk(timeline: Timeline, dates: Sequence[datetime] = ()) -> list[TicketAt]:
    """The ticket after each instant of its timeline, oldest first; and, unchanged, at each of `dates` (sorted) after the first event."""
    if not timeline.events:
        return []
    known = Known(timeline)
    steps: list[TicketAt] = []
    pending = [date for date in dates if date > known.birth]
    for instant in timeline.instants():
        while pending and pending[0] <= instant[0].at:
            steps.append(known.at(pending.pop(0)))
        steps.append(known.learn(instant))
    return steps + [known.at(date) for date in pending]


def _apply(ticket: TicketAt, group: Events, heard: dict[str, ActorKind], birth: datetime) -> TicketAt:
    _, created_at, created_by, known, was_solved, gone, group_since, by_agent, by_agent_or_bot, _, solved_since, _, gone_since = ticket
    at = group[0].at
    facts = _assert_facts(known, group)
    if created_by is _UNKNOWN:
        created_by = _creator(group, facts)
    solved = was_solved
    if facts is not known:
        solved = facts.get("status") in _DONE
        gone = bool(facts.get("deleted")) or facts.get("merged_into") is not None
        group_since = _group_since(ticket, facts, at)
        gone_since = (gone_since or at) if gone else None
    authors = _authors(group, facts, heard)
    if authors and created_by is _AGENT and at == birth:  # what an agent wrote down on somebody's behalf is no message that waits
        authors = authors - {_CUSTOMER}
    if authors or was_solved is not solved:
        is_shared = by_agent is by_agent_or_bot and _BOT not in authors
        is_reply = _AGENT in authors
        by_agent = _converse(by_agent, authors, at, is_reply, was_solved, solved)
        by_agent_or_bot = (
            by_agent if is_shared else _converse(by_agent_or_bot, authors, at, is_reply or _BOT in authors, was_solved, solved)
        )
    solved_since = (solved_since or at) if solved else None
    return TicketAt(
        at, created_at, created_by, facts, solved, gone, group_since, by_agent, by_agent_or_bot, group, solved_since, False, gone_since
    )


def _assert_facts(known: Facts, group: Events) -> Facts:
    """The facts with what the events state; the same object when that is nothing new. A new assignee is human unless it says otherwise."""
    stated = group[0].set
    if len(group) > 1:
        stated = {name: value for event in group for name, value in event.set.items()}
    if not stated:
        return known
    fresh = {name: value for name, value in stated.items() if known.get(name, _UNSTATED) != value and name != "created_at"}
    if not fresh:
        return known
    if "assignee" in fresh and known.get("assignee_is_bot") and "assignee_is_bot" not in stated:
        fresh["assignee_is_bot"] = None
    return {**known, **fresh}


def _creator(group: Events, facts: Facts) -> ActorKind:
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


def _authors(group: Events, facts: Facts, heard: dict[str, ActorKind]) -> frozenset[ActorKind]:
    """Who speaks in public."""
    authors = _NOBODY
    for event in group:
        if event.message is not None and (author := _author(event.message, event, facts, heard)) is not None:
            authors |= {author}
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


def _converse(
    talk: Conversation, authors: frozenset[ActorKind], at: datetime, is_reply: bool, was_solved: bool, solved: bool
) -> Conversation:
    """The conversation after one moment; the same object when nothing changes. Customers speak first: a reply answers what was there."""
    first, last, waiting = talk
    if was_solved and not solved and waiting is not None:
        waiting = at
    if waiting is None and _CUSTOMER in authors:
        waiting = at
    if is_reply:
        first, last, waiting = first or at, at, None
    if solved and not was_solved:
        waiting = None
    after = Conversation(first, last, waiting)
    return talk if after == talk else after
