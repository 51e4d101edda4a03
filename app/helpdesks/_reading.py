"""The generic mapping at work: one rule over one context yields one event."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.helpdesks import SourceConfig, _common, _json
from app.helpdesks._lookup import NOTHING, Lookup
from app.helpdesks._mapping import FLAGS, NAMES, TIMES, EventRule, MessageRule, Value, actor_word
from app.helpdesks._words import DELETED, priority_word, status_word, unknown_word
from app.rules.events import Actor, ActorKind, EventKind, Facts, FactValue, Message, TicketEvent

_KINDS: Final = {
    "status": EventKind.TICKET_STATUS_CHANGED,
    "priority": EventKind.TICKET_PRIORITY_CHANGED,
    "assignee": EventKind.TICKET_ASSIGNED,
    "group": EventKind.TICKET_ASSIGNED,
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What one rule is read over."""

    rule: EventRule
    look: Lookup
    config: SourceConfig
    received_at: datetime
    delivery: str
    """Tells deliveries apart whose events tell no time of their own."""

    def event(self) -> TicketEvent | None:
        """The event; None when `when` is false or nothing would be asserted. Unreadable names the rule, the expression and the word."""
        rule, look = self.rule, self.look
        if not look.is_true("when", rule.when):
            return None
        ticket = look.id("ticket", rule.ticket)
        if ticket is None:
            look.refuse("ticket", rule.ticket, "yields no ticket")
        told_at = look.instant("at", rule.at)
        actor = self._actor()
        message = self._message(rule.message, actor)
        facts, is_creation = self._facts(told_at or self.received_at)
        if not facts and message is None:
            return None
        order = look.order(rule.order)
        key = look.id("key", rule.key) or self._content_key(ticket, told_at, facts, message, actor, order)
        return TicketEvent(
            source=self.config.name,
            ticket=ticket,
            key=key,
            at=told_at or self.received_at,
            kind=EventKind.TICKET_CREATED if is_creation and rule.kind is None else self._kind(facts, message),
            set=facts,
            message=message,
            actor=actor,
            order=order,
            echo=self.config.is_ours(actor.id),
        )

    def _content_key(
        self, ticket: str, told_at: datetime | None, facts: Facts, message: Message | None, actor: Actor, order: int | None
    ) -> str:
        """A hash of what the event says: told again, it is the same event."""
        spoken = None if message is None else [message.author, message.public, message.id]
        said = json.dumps([facts, spoken, actor.kind, actor.id, order], sort_keys=True, default=str)
        return _common.digest(ticket, told_at.isoformat() if told_at else self.delivery, said)

    def _actor(self) -> Actor:
        rule = self.rule.actor
        user = self.look.id("actor.id", rule.id)
        known = self.config.actor_kind(user)
        if known is None and rule.role is not None:
            known = self._role("actor.role", rule.role)
        return Actor(known or ActorKind.UNKNOWN, user)

    def _role(self, name: str, value: Value) -> ActorKind:
        role = self.look.closed(name, value, self.rule.actor.words, actor_word)
        return ActorKind.UNKNOWN if role is NOTHING or role is None else ActorKind(role)

    def _message(self, rule: MessageRule | None, actor: Actor) -> Message | None:
        if rule is None or not self.look.is_true("message.when", rule.when):
            return None
        public = self.look.flag("message.public", rule.public)
        if public is None:
            self.look.refuse("message.public", rule.public.source, "does not say whether the customer can see the message")
        author = actor.kind if rule.author is None else self._role("message.author", rule.author)
        return Message(author, public, self.look.id("message.id", rule.id))

    def _facts(self, at: datetime) -> tuple[dict[str, FactValue], bool]:
        """What is asserted, and whether the rule says that this event is the ticket's creation."""
        facts: dict[str, FactValue] = {}
        for name, value in self.rule.set.items():
            facts |= self._fact(name, value)
        if self.rule.url is not None:
            facts |= _link(self.look.eval("url", self.rule.url))
        if (created := self.rule.created) is None:
            return facts, False
        told = self.look.free("created", created)
        if told is NOTHING or told is None or told is False:
            return facts, False
        if told is True:
            return {"created_at": at, **facts}, True
        return {**facts, "created_at": self.look.instant_of("created", created.source, told)}, False

    def _fact(self, name: str, value: Value) -> dict[str, FactValue]:
        place, look = f"set.{name}", self.look
        if name == "status":
            return self._status(look.closed(place, value, self.config.status_words, status_word), value)
        if name in FLAGS:
            flag = look.flag(place, value)
            return {} if flag is None else {name: flag}
        if name == "priority":
            fact = look.closed(place, value, self.config.priority_words, priority_word)
        elif name == "tags":
            fact = look.tags(place, value)
        else:
            fact = look.name(place, value) if name in NAMES else look.free(place, value)
        if name in TIMES and fact is not NOTHING and fact is not None:
            fact = look.instant_of(place, value.source, fact)
        if name == "url":
            return _link(fact)
        return {} if fact is NOTHING else {name: fact}

    def _status(self, status: object, value: Value) -> dict[str, FactValue]:
        """`deleted` is no status but says that the ticket is gone; where a map knows it, every other word says that it is not."""
        if status is NOTHING or status is None:
            return {}
        if status == DELETED:
            return {"deleted": True}
        knows_deleted = DELETED in (*self.config.status_map.values(), *(value.map or {}).values())
        return {"status": str(status)} | ({"deleted": False} if knows_deleted else {})

    def _kind(self, facts: Facts, message: Message | None) -> EventKind:
        """The rule's word, else what a single driving fact or the message makes of it."""
        if self.rule.kind is not None and (told := self.look.eval("kind", self.rule.kind)) is not None:
            if told not in set(EventKind):
                unknown = unknown_word(str(told), "the kinds of events", [kind.value for kind in EventKind])
                self.look.refuse("kind", self.rule.kind, f"yields none: {unknown}")
            return EventKind(told)
        if message is not None:
            return _common.message_kind(message)
        if facts.get("deleted"):
            return EventKind.TICKET_DELETED
        driving = [kind for fact, kind in _KINDS.items() if fact in facts]
        return driving[0] if len(driving) == 1 else EventKind.TICKET_UPDATED


def _link(told: object) -> dict[str, FactValue]:
    """The fact `url`; whatever is no web address is no link and asserts nothing."""
    url = _json.web_address(told.strip()) if isinstance(told, str) else None
    return {"url": url} if url else {}
