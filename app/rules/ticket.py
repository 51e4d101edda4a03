"""What is known of a ticket at an instant, folded from its timeline. Nothing here depends on a policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
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

FIRST_REPLY: Final = "first reply"
"""What is said to have changed when a ticket got its first reply."""
REPLY: Final = "reply"
"""... when it got another reply, the first one included."""
WAITING: Final = "waiting"
"""... when a customer began to wait for a reply, or ceased to."""
STANDING: Final = "standing"
"""What is said to have changed when it was solved, reopened, deleted, merged or brought back, or when it became known who created it."""
_FIRST, _LATER, _WAIT, _STAND = frozenset({FIRST_REPLY, REPLY}), frozenset({REPLY}), frozenset({WAITING}), frozenset({STANDING})


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
    """What this step has changed: names of facts, and the words above; also what was changed back within the same instant."""
    missed: bool = False
    """Whether a promise had been missed when it was solved. Set by `app.rules.cycles`, which knows the promises; False while not solved."""

    def conversation(self, reply_by: frozenset[ActorKind]) -> Conversation:
        return self.by_agent_or_bot if _BOT in reply_by else self.by_agent

    def text(self, fact: str) -> str | None:
        """A fact as text; None when it is absent or nothing."""
        value = self.facts.get(fact)
        return None if value is None else str(value)


_UNHEARD_OF: Final = TicketAt(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


class Known:
    """What is known of a ticket, learned instant by instant. `ticket` is how it stands after the last one, once there was one."""

    __slots__ = (
        "_by_agent", "_by_agent_or_bot", "_created_at", "_created_by", "_facts", "_gone_since", "_group_since", "_heard", "_is_gone",
        "_is_solved", "_solved_since", "birth", "creation", "ticket",
    )  # fmt: skip

    def __init__(self, birth: datetime, created_at: datetime, creation: int | None) -> None:
        """Nothing yet, save when it was first heard of and created; `creation`: the number of the event that says so, None: none does."""
        self.birth, self.creation = birth, creation
        self._created_at, self._created_by = created_at, _UNKNOWN
        self._heard: dict[str, ActorKind] = {}
        self._facts: Facts = {"created_at": created_at}
        self._is_solved = self._is_gone = False
        self._group_since: datetime | None = None
        self._solved_since: datetime | None = None
        self._gone_since: datetime | None = None
        self._by_agent = self._by_agent_or_bot = _SILENCE
        self.ticket = _UNHEARD_OF

    @classmethod
    def of(cls, timeline: Timeline) -> Known:
        """Nothing yet of what a timeline (with events) will tell."""
        birth, creation = timeline.events[0].at, timeline.creation
        return cls(birth, birth if creation is None else cast(datetime, timeline.events[creation].set["created_at"]), creation)

    def copy(self) -> Known:
        """The same knowledge, to learn more without this one."""
        twin = Known(self.birth, self._created_at, self.creation)
        twin._created_by, twin._facts, twin._heard, twin.ticket = self._created_by, self._facts, self._heard.copy(), self.ticket
        twin._is_solved, twin._solved_since, twin._is_gone, twin._gone_since = (
            self._is_solved, self._solved_since, self._is_gone, self._gone_since
        )  # fmt: skip
        twin._group_since, twin._by_agent, twin._by_agent_or_bot = self._group_since, self._by_agent, self._by_agent_or_bot
        return twin

    def learn(self, instant: Events) -> TicketAt:
        """The ticket after all events of the next instant (`Timeline.instants`).

        They are applied in their order, and what they come to is one step: no verdict hangs on which of them the helpdesk told first.
        """
        event, authors, changed = instant[0], _NOBODY, _NOTHING
        if len(instant) > 1:
            changed = self._learn_several(instant)
        else:
            if event.set:
                changed = self._assert(event.set)
            if event.message is not None:
                authors = self._author(event.message, event)
            if changed or authors or self._created_by is _UNKNOWN:
                changed = self._understand(instant, changed, authors)
        self.ticket = ticket = make(
            TicketAt,
            (
                event.at, self._created_at, self._created_by, self._facts, self._is_solved, self._is_gone, self._group_since,
                self._by_agent, self._by_agent_or_bot, self._solved_since, self._gone_since, instant, changed, False,
            ),
        )  # fmt: skip
        return ticket

    def _learn_several(self, instant: Events) -> frozenset[str]:
        """Learn what the moments of an instant tell. What has changed; also what was changed back."""
        gone_since, changed = self._gone_since, _NOTHING
        for group in moments(instant):
            stated = {name: value for event in group for name, value in event.set.items()}
            asserted = self._assert(stated)
            authors = _NOBODY.union(*[self._author(event.message, event) for event in group if event.message is not None])
            changed |= self._understand(group, asserted, authors)
        if self._is_gone and gone_since is not None:
            self._gone_since = gone_since
        return changed

    def at(self, moment: datetime) -> TicketAt:
        """The ticket when only time has passed since the last instant."""
        return self.ticket._replace(at=moment, events=(), changed=_NOTHING)

    def _understand(self, group: Events, changed: frozenset[str], authors: frozenset[ActorKind]) -> frozenset[str]:
        """What it means that facts have changed in a moment, and that somebody spoke. All that has changed."""
        at, was_solved = group[0].at, self._is_solved
        if self._created_by is _UNKNOWN and (creator := _creator(group, self._facts)) is not _UNKNOWN:
            self._created_by = creator
            changed |= _STAND
        if changed:
            changed = self._restate(changed, at)
        if authors or self._is_solved is not was_solved:
            changed |= self._hear(authors, at, was_solved)
        return changed

    def _assert(self, stated: Facts) -> frozenset[str]:
        """Take facts as they are stated. The names of those that have changed; when none has, the facts are the same object. A new
        assignee is human unless it says otherwise."""
        known = self._facts
        fresh: dict[str, FactValue] = {}
        for name, value in stated.items():
            if known.get(name, _UNSTATED) != value and name != "created_at":
                fresh[name] = value
        if not fresh:
            return _NOTHING
        if "assignee" in fresh and known.get("assignee_is_bot") and "assignee_is_bot" not in stated:
            fresh["assignee_is_bot"] = None
        self._facts = {**known, **fresh}
        return frozenset(fresh)

    def _restate(self, changed: frozenset[str], at: datetime) -> frozenset[str]:
        """What changed facts mean: whether it is solved, whether it is gone, since when its group has it."""
        facts, solved, gone = self._facts, self._is_solved, self._is_gone
        if "status" in changed:
            solved = facts["status"] in _DONE
        if "deleted" in changed or "merged_into" in changed:
            gone = bool(facts.get("deleted")) or facts.get("merged_into") is not None
        if "group" in changed:
            self._group_since = at if facts["group"] is not None else None
        if solved is self._is_solved and gone is self._is_gone:
            return changed
        self._solved_since = (self._solved_since or at) if solved else None
        self._gone_since = (self._gone_since or at) if gone else None
        self._is_solved, self._is_gone = solved, gone
        return changed | _STAND

    def _author(self, message: Message, event: TicketEvent) -> frozenset[ActorKind]:
        """Who speaks in public, each message once; nobody for notes, echoes of our own and messages that were told before.

        The requester's own message is a customer's even if the requester is staff. A message first told without its author counts when
        the author becomes known.
        """
        if not message.public:
            return _NOBODY
        author = message.author
        if author is _AGENT and _is_requester(event, self._facts):
            author = _CUSTOMER
        if message.id is not None:
            if self._heard.get(message.id, _UNKNOWN) is not _UNKNOWN:
                return _NOBODY
            self._heard[message.id] = author
        return _NOBODY if event.echo else _ALONE[author]

    def _hear(self, authors: frozenset[ActorKind], at: datetime, was_solved: bool) -> frozenset[str]:
        """What was said, or solved, or reopened changes who owes whom a word: what has changed of that."""
        if self._created_by is _AGENT and at == self.birth:  # what an agent wrote down on somebody's behalf is no message that waits
            authors = authors - {_CUSTOMER}
        said, said_too, solved = self._by_agent, self._by_agent_or_bot, self._is_solved
        self._by_agent = talk = talk_too = _converse(said, authors, at, _AGENT in authors, was_solved, solved)
        changed = _talked(said, talk)
        if said is not said_too or _BOT in authors:
            talk_too = _converse(said_too, authors, at, _AGENT in authors or _BOT in authors, was_solved, solved)
            changed |= _talked(said_too, talk_too)
        self._by_agent_or_bot = talk_too
        return changed


def walk(timeline: Timeline, dates: Sequence[datetime] = ()) -> list[TicketAt]:
    """The ticket after each instant of its timeline, oldest first; and, unchanged, at each of `dates` (sorted) after the first event."""
    if not timeline.events:
        return []
    known = Known.of(timeline)
    steps: list[TicketAt] = []
    pending = [date for date in dates if date > known.birth]
    for instant in timeline.instants():
        while pending and pending[0] <= instant[0].at:
            steps.append(known.at(pending.pop(0)))
        steps.append(known.learn(instant))
    return steps + [known.at(date) for date in pending]


def _creator(group: Events, facts: Facts) -> ActorKind:
    for event in group:
        if event.kind is _CREATED:
            return _CUSTOMER if _is_requester(event, facts) else event.actor.kind
    return _UNKNOWN


def _is_requester(event: TicketEvent, facts: Facts) -> bool:
    """Whether the event's actor is who asked for help."""
    actor, requester = event.actor.id, facts.get("requester")
    return actor is not None and requester is not None and actor.casefold() == str(requester).casefold()


def _talked(before: Conversation, after: Conversation) -> frozenset[str]:
    """What a moment has changed of a conversation."""
    if after is before:
        return _NOTHING
    changed = _NOTHING if after.last_reply_at == before.last_reply_at else _FIRST if before.first_reply_at is None else _LATER
    return changed if after.waiting_since == before.waiting_since else changed | _WAIT


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
