"""What the walks of all helpdesks are made of: stories, and lists in the order of change."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from app.helpdesks import SourceConfig, _common
from app.helpdesks.fetching import Mark, Story, Walk
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

LAG: Final = timedelta(minutes=2)
"""What helpdesks search may be older than what they hold: a walk begins this much before its mark."""

Page = tuple[list[dict[str, Any]], str | None]
"""Records in the order of their change, and what to ask for the page behind; None: this is the last."""


_SOMEBODY: Final = Actor()


class Teller:
    """Makes the events of one ticket."""

    def __init__(self, source: SourceConfig, ticket: str) -> None:
        self._source = source
        self._ticket = ticket
        self.events: list[TicketEvent] = []
        self.remarks: list[str] = []

    def say(
        self,
        key: str,
        at: datetime,
        kind: EventKind,
        facts: Mapping[str, FactValue],
        *,
        actor: Actor = _SOMEBODY,
        message: Message | None = None,
        order: int | None = None,
        echo: bool = False,
    ) -> None:
        """One event; nothing when it says nothing."""
        if facts or message is not None or kind is EventKind.TICKET_CREATED:
            self.events.append(TicketEvent(self._source.name, self._ticket, key, at, kind, facts, message, actor, order, echo))

    def snapshot(self, at: datetime, facts: Mapping[str, FactValue]) -> None:
        """How the ticket is since its last change; told again, it is the same event."""
        self.say(f"seen:{at.isoformat()}:{digest(facts)}", at, EventKind.TICKET_SNAPSHOT, facts)

    def born(self, at: datetime | None, facts: Mapping[str, FactValue], actor: Actor = _SOMEBODY) -> None:
        """Its creation, with what a ticket has from its creation on; the first telling counts."""
        if at is not None:
            lasting = {name: fact for name, fact in facts.items() if name in _common.LASTING}
            self.say("born", at, EventKind.TICKET_CREATED, {**lasting, "created_at": at}, actor=actor)

    def spoke(self, message: Message, at: datetime, user: str | None) -> None:
        """Something was said; told by the message's id."""
        kind = ActorKind.SYSTEM if message.author is ActorKind.BOT else message.author
        self.say(
            f"said:{message.id}", at, _common.message_kind(message), {}, actor=Actor(kind, user), message=message,
            echo=self._source.is_ours(user),
        )  # fmt: skip

    def story(self, record: Any) -> Story:
        """All that was said of it."""
        return Story(self._ticket, tuple(self.events), orjson.dumps(record))


def digest(facts: Mapping[str, FactValue]) -> str:
    """A short name of facts, the same for the same ones."""
    return _common.digest(orjson.dumps({name: facts[name] for name in sorted(facts)}, default=str))[:12]


def in_order_of_change(
    ask: Callable[[datetime, str | None], Walk[Page]],
    tell: Callable[[dict[str, Any]], Walk[None]],
    changed_at: Callable[[dict[str, Any]], datetime | None],
    since: datetime,
) -> Walk[None]:
    """Tell every record that `ask(begin, page)` lists, with a mark behind each page. It begins a little before `since`.

    The next page is asked for by the last change that was seen, so that what changes meanwhile shifts nothing; only records that share
    that instant are paged through. A record without an instant of its change is told where it stands.
    """
    told: set[tuple[str, datetime | None]] = set()
    page: str | None = None
    begin = since - LAG
    while True:
        records, more = yield from ask(begin, page)
        last = begin
        for record in records:
            at = changed_at(record)
            last = max(last, at or last)
            if (identity := (str(record.get("id") or record.get("key")), at)) not in told:
                told.add(identity)
                yield from tell(record)
        yield Mark(max(last, since).isoformat())
        if more is None:
            return
        told = {identity for identity in told if identity[1] is None or identity[1] >= last}
        begin, page = (last, None) if last > begin else (begin, more)
