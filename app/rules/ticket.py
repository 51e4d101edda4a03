"""What is known of a ticket at an instant, folded from its timeline. Nothing here depends on a policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from app.rules.events import ActorKind, EventKind, Facts, FactValue, Message, TicketEvent
from app.rules.timeline import Events, Timeline, moments
from app.rules.values import make

_DONE = frozenset({"solved", "closed"})
_NOBODY: frozenset[ActorKind] = frozenset()
_NOTHING: frozenset[str] = frozenset()
_AGENT, _BOT, _CUSTOMER, _UNKNOWN = ActorKind.AGENT, ActorKind.BOT, ActorKind.CUSTOMER, ActorKind.UNKNOWN
_CREATED = EventKind.TICKET_CREATED
_UNSTATED = object()
_ALONE = {kind: frozenset({kind}) for kind in ActorKind}

CONVERSATION: Final = "conversation"
"""What is said to have changed when who owes whom a word has."""
STANDING: Final = "standing"
"""What is said to have changed when it was solved, reopened, deleted, merged or brought back, or when it became known who created it."""
_TALK, _STAND = frozenset({CONVERSATION}), frozenset({STANDING})


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
    solved_since: datetime | None = None
    """When it was solved; None while it is not."""
    gone_since: datetime | None = None
    """Since which step it is gone; None while it is there."""
    events: Events = ()
    """The events applied at this instant; empty when only time has passed."""
    changed: frozenset[str] = _NOTHING
    """What this step has changed: names of facts, `CONVERSATION`, `STANDING`; also what was changed back within the same instant."""
    missed: bool = False
    """Whether a promise had been missed when it was solved. Set by `app.rules.cycles`, which knows the promises; False while not solved."""

    def conversation(self, reply_by: frozenset[ActorKind]) -> Conversation:
        return self.by_agent_or_bot if _BOT in reply_by else self.by_agent

    def text(self, fact: str) -> str | None:
        """A fact as text; None when it is absent or nothing."""
        value = self.facts.get(fact)
        return None if value is None else str(value)


class Known:
    """What is known of a ticket, learned instant by instant. `ticket` is how it stands after the last one."""

    __slots__ = ("birth", "creation", "heard", "ticket")

    def __init__(self, timeline: Timeline) -> None:
        """Nothing yet of what a timeline (with events) will tell, save when the ticket was created."""
        self.birth = timeline.events[0].at
        self.heard: dict[str, ActorKind] = {}
        self.creation = timeline.creation
        created_at = self.birth if self.creation is None else cast(datetime, timeline.events[self.creation].set["created_at"])
        self.ticket = TicketAt(at=self.birth, created_at=created_at, facts={"created_at": created_at})

    def copy(self) -> Known:
        """The same knowledge, to learn more without this one."""
        twin = object.__new__(Known)
        twin.birth, twin.creation, twin.heard, twin.ticket = self.birth, self.creation, self.heard.copy(), self.ticket
        return twin

    def learn(self, instant: Events) -> TicketAt:
        """The ticket after all events of the next instant (`Timeline.instants`).

        They are applied in their order, and what they come to is one step: no verdict hangs on which of them the helpdesk told first.
        """
        before = ticket = self.ticket
        if len(instant) == 1:
            ticket = _apply(ticket, instant, self.heard, self.birth)
        else:
            changed: set[str] = set()
            for group in moments(instant):
                ticket = _apply(ticket, group, self.heard, self.birth)
                changed |= ticket.changed
            gone_since = (before.gone_since or ticket.at) if ticket.is_gone else None
            ticket = ticket._replace(events=instant, gone_since=gone_since, changed=frozenset(changed))
        self.ticket = ticket
        return ticket

    def at(self, moment: datetime) -> TicketAt:
        """The ticket when only time has passed since the last instant."""
        return self.ticket._replace(at=moment, events=(), changed=_NOTHING)


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
    """The ticket after one moment."""
    _, created_at, created_by, known, was_solved, was_gone, group_since, said, said_too, solved_since, gone_since, _, _, _ = ticket
    event, creator, solved, gone = group[0], created_by, was_solved, was_gone
    at, is_single = event.at, len(group) == 1
    facts, changed = (known, _NOTHING) if is_single and not event.set else _assert_facts(known, group)
    authors = _NOBODY if is_single and event.message is None else _authors(group, facts, heard)
    if created_by is _UNKNOWN:
        created_by = _creator(group, facts)
    if changed:
        solved = facts.get("status") in _DONE
        gone = bool(facts.get("deleted")) or facts.get("merged_into") is not None
        if "group" in changed:
            group_since = at if facts.get("group") is not None else None
        gone_since = (gone_since or at) if gone else None
        solved_since = (solved_since or at) if solved else None
    by_agent, by_agent_or_bot = said, said_too
    if authors or solved is not was_solved:
        if created_by is _AGENT and at == birth:  # what an agent wrote down on somebody's behalf is no message that waits
            authors = authors - {_CUSTOMER}
        by_agent = by_agent_or_bot = _converse(said, authors, at, _AGENT in authors, was_solved, solved)
        if said is not said_too or _BOT in authors:
            by_agent_or_bot = _converse(said_too, authors, at, _AGENT in authors or _BOT in authors, was_solved, solved)
        if by_agent is not said or by_agent_or_bot is not said_too:
            changed |= _TALK
    if solved is not was_solved or gone is not was_gone or created_by is not creator:
        changed |= _STAND
    stands = (at, created_at, created_by, facts, solved, gone, group_since, by_agent, by_agent_or_bot, solved_since, gone_since)
    return make(TicketAt, (*stands, group, changed, False))


def _assert_facts(known: Facts, group: Events) -> tuple[Facts, frozenset[str]]:
    """The facts with what the events state, and the names of those that have changed; the same object when none has. A new assignee is
    human unless it says otherwise."""
    stated = group[0].set
    if len(group) > 1:
        stated = {name: value for event in group for name, value in event.set.items()}
    fresh: dict[str, FactValue] = {}
    for name, value in stated.items():
        if known.get(name, _UNSTATED) != value and name != "created_at":
            fresh[name] = value
    if not fresh:
        return known, _NOTHING
    if "assignee" in fresh and known.get("assignee_is_bot") and "assignee_is_bot" not in stated:
        fresh["assignee_is_bot"] = None
    return {**known, **fresh}, frozenset(fresh)


def _creator(group: Events, facts: Facts) -> ActorKind:
    for event in group:
        if event.kind is _CREATED:
            return _CUSTOMER if _is_requester(event, facts) else event.actor.kind
    return _UNKNOWN


def _is_requester(event: TicketEvent, facts: Facts) -> bool:
    """Whether the event's actor is who asked for help."""
    actor, requester = event.actor.id, facts.get("requester")
    return actor is not None and requester is not None and actor.casefold() == str(requester).casefold()


def _authors(group: Events, facts: Facts, heard: dict[str, ActorKind]) -> frozenset[ActorKind]:
    """Who speaks in public."""
    authors = _NOBODY
    for event in group:
        if event.message is not None and (author := _author(event.message, event, facts, heard)) is not None:
            authors = authors | _ALONE[author] if authors else _ALONE[author]
    return authors


def _author(message: Message, event: TicketEvent, facts: Facts, heard: dict[str, ActorKind]) -> ActorKind | None:
    """Who speaks, each message once; None for notes, echoes of our own and messages that were told before.

    The requester's own message is a customer's even if the requester is staff. A message first told without its author counts when
    the author becomes known.
    """
    if not message.public:
        return None
    author = message.author
    if author is _AGENT and _is_requester(event, facts):
        author = _CUSTOMER
    if message.id is not None:
        if heard.get(message.id, _UNKNOWN) is not _UNKNOWN:
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
    return talk if (first, last, waiting) == talk else make(Conversation, (first, last, waiting))
