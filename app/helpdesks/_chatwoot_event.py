"""What Chatwoot's webhooks say: a message with its conversation, or a conversation as it stands."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.helpdesks import SourceConfig, _common
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, Status, TicketEvent

_TYPES: Final = {"0": "incoming", "1": "outgoing", "2": "activity", "3": "template"}
_BOTS: Final = ("agent_bot", "agentbot", "captain_assistant", "captain::assistant")
_SENDERS: Final = {"contact": ActorKind.CUSTOMER, "user": ActorKind.AGENT}

_CHANGES: Final = (
    ("status", EventKind.TICKET_STATUS_CHANGED), ("priority", EventKind.TICKET_PRIORITY_CHANGED),
    ("assignee_id", EventKind.TICKET_ASSIGNED), ("team_id", EventKind.TICKET_ASSIGNED),
    ("assignee_agent_bot_id", EventKind.TICKET_ASSIGNED),
)  # fmt: skip
_NAMED: Final = {
    "conversation_created": EventKind.TICKET_CREATED,
    "conversation_status_changed": EventKind.TICKET_STATUS_CHANGED,
    "conversation_opened": EventKind.TICKET_STATUS_CHANGED,
    "conversation_resolved": EventKind.TICKET_STATUS_CHANGED,
}


@dataclass(slots=True)
class Webhook:
    """One delivery about one conversation. `conversation` is where it is in the body, `others` who wrote what has no sender."""

    body: Node
    conversation: Node
    config: SourceConfig
    others: ActorKind
    delivery: str | None
    received_at: datetime
    raw: bytes
    remarks: list[str] = field(default_factory=list)

    def message(self) -> tuple[TicketEvent, ...]:
        """What was said, and the conversation where it was changed later than that; nothing for what Chatwoot itself notes."""
        kind = _message_type(self.body)
        if kind == "activity":
            return ()
        facts, updated_at = self._facts(), self.conversation.at("updated_at").instant()
        said_at = self.body.at("created_at").instant() or updated_at
        then = _common.as_of(said_at, updated_at, facts)
        author, actor = self._author(kind)
        message_id = self.body.at("id").id()
        message = Message(author, not self.body.at("private").flag(), message_id)
        key = self.delivery or (f"message_created:{message_id}" if message_id else self._digest(said_at))
        event = self._event(key, _common.message_kind(message), said_at, then, actor, message)
        return (event,) if then is facts else (event, self._later(key, updated_at, facts))

    def conversation_changed(self, told: str) -> tuple[TicketEvent, ...]:
        """The conversation as it stands, and what about it is new; its creation apart from how it stands, where that was later."""
        kind, facts, key = self._kind(told), self._facts(), self.delivery
        created_at, updated_at = (self.conversation.at(name).instant() for name in ("created_at", "updated_at"))
        if kind is not EventKind.TICKET_CREATED:
            return (self._event(key or self._digest(updated_at), kind, updated_at, facts, Actor()),)
        key = key or self._digest(created_at)
        then = _common.as_of(created_at, updated_at, facts)
        event = self._event(key, kind, created_at, then, self._creator())
        return (event,) if then is facts else (event, self._later(key, updated_at, facts))

    def _later(self, key: str, updated_at: datetime | None, facts: dict[str, FactValue]) -> TicketEvent:
        """How the conversation stands, where it was changed after what the delivery is about."""
        return self._event(f"{key}:conversation", EventKind.TICKET_SNAPSHOT, updated_at, facts, Actor())

    def _event(
        self,
        key: str,
        kind: EventKind,
        at: datetime | None,
        facts: dict[str, FactValue],
        actor: Actor,
        message: Message | None = None,
    ) -> TicketEvent:
        is_guest = message is not None and message.author is ActorKind.CUSTOMER
        return TicketEvent(
            source=self.config.name,
            ticket=self._ticket(),
            key=key,
            at=at or self.received_at,
            kind=kind,
            set=facts,
            message=message,
            actor=actor,
            echo=not is_guest and message is not None and self.config.is_ours(*_names(self.body.at("sender"))),
        )

    def _ticket(self) -> str:
        """The conversation's display id: `id` in what Chatwoot sends; where `display_id` is told as well, `id` is that of the database."""
        told = self.conversation.at("display_id").id() or self.conversation.at("id").id()
        if told is None:
            self.conversation.at("id").refuse("does not name the conversation")
        return told

    def _digest(self, told_at: datetime | None) -> str:
        once = "" if told_at else _common.window(self.received_at)
        return _common.digest(self.config.name, self._ticket(), self.raw, once)

    def _author(self, kind: str) -> tuple[ActorKind, Actor]:
        """Who wrote a message of this type. Contacts and teammates count their ids apart, so an id names only teammates."""
        sender = self.body.at("sender")
        if kind == "incoming":
            who = self.config.actor_kind(*_addresses(sender)) or ActorKind.CUSTOMER
            return who, Actor(ActorKind.SYSTEM if who is ActorKind.BOT else who, sender.at("id").id())
        who = self.config.actor_kind(*_names(sender)) or self._outgoing(kind, fold(sender.at("type").word() or "").replace(" ", "_"))
        return who, Actor(ActorKind.SYSTEM if who is ActorKind.BOT else who, sender.at("id").id())

    def _outgoing(self, kind: str, sender: str) -> ActorKind:
        by_machine = (self.body.look("content_attributes", "automation_rule_id"), self.body.look("additional_attributes", "campaign_id"))
        if kind == "template" or sender in _BOTS or not all(place.is_blank for place in by_machine):
            return ActorKind.BOT
        if kind != "outgoing":
            return ActorKind.UNKNOWN
        return self.others if self.body.at("sender").is_blank else _SENDERS.get(sender, ActorKind.UNKNOWN)

    def _creator(self) -> Actor:
        """Who began the conversation, as its first message tells; not told when it has none yet."""
        first = next(iter(_common.each(self.conversation.at("messages"))), None)
        if first is None:
            return Actor()
        sender = first.at("sender")
        if _message_type(first) == "incoming":
            return Actor(ActorKind.CUSTOMER, sender.at("id").id())
        kind = _SENDERS.get(fold(sender.at("type").word() or first.at("sender_type").word() or ""), ActorKind.UNKNOWN)
        return Actor(self.config.actor_kind(*_names(sender)) or kind, sender.at("id").id())

    def _kind(self, told: str) -> EventKind:
        changes = _changes(self.body)
        if told in ("conversation_status_changed", "conversation_updated") and "status" in changes:
            former, now = (changes["status"].look(name).word() for name in ("previous_value", "current_value"))
            return EventKind.TICKET_REOPENED if self._is_reopening(former, now) else EventKind.TICKET_STATUS_CHANGED
        if told in _NAMED:
            return _NAMED[told]
        return next((kind for name, kind in _CHANGES if name in changes), EventKind.TICKET_UPDATED)

    def _is_reopening(self, former: str | None, now: str | None) -> bool:
        words = self.config.status_words
        was_solved = former is not None and words.get(former) == Status.SOLVED
        return was_solved and now is not None and words.get(now) in (Status.NEW, Status.OPEN)

    def _facts(self) -> dict[str, FactValue]:
        place, meta, facts = self.conversation, self.conversation.at("meta"), dict[str, FactValue]()
        if (status := place.at("status").word()) is not None:
            facts |= _common.status_facts(status, self.config.status_words, self.remarks)
        if (priority := place.at("priority").word()) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        elif place.at("priority").is_told:
            facts["priority"] = None
        if place.at("labels").is_told:
            facts["tags"] = _common.names(place.at("labels"), "title", "name")
        facts |= _owners(meta) | _requester(meta, self.body)
        if (channel := place.at("channel").word()) is not None:
            facts["channel"] = channel.removeprefix("Channel::").lower()
        if (subject := place.look("additional_attributes", "mail_subject").word()) is not None:
            facts["subject"] = subject
        if (created_at := place.at("created_at").instant()) is not None:
            facts["created_at"] = created_at
        return facts | _common.field_facts(place.look("custom_attributes"))


def _message_type(message: Node) -> str:
    told = message.at("message_type").word() or ""
    return _TYPES.get(told, told.casefold())


def _changes(body: Node) -> dict[str, Node]:
    """What changed, by name: Chatwoot sends a list of `{name: {previous_value, current_value}}`; an object is read as well."""
    place = body.at("changed_attributes")
    parts = [place] if isinstance(place.value, dict) else _common.each(place)
    return {name: part.look(name) for part in parts if isinstance(part.value, dict) for name in part.value}


def _owners(meta: Node) -> dict[str, FactValue]:
    """The assignee by id, the team by name; None is nobody."""
    facts: dict[str, FactValue] = {}
    if (assignee := meta.at("assignee")).is_told:
        facts["assignee"] = assignee.at("id").id()
        kind = fold(meta.at("assignee_type").word() or assignee.at("type").word() or "").replace(" ", "_")
        if facts["assignee"] is not None and kind:
            facts["assignee_is_bot"] = kind in _BOTS
    if (team := meta.at("team")).is_told:
        facts["group"] = _common.name_of(team, "name", "id")
    return facts


def _requester(meta: Node, body: Node) -> dict[str, FactValue]:
    """The contact by address, identifier or id, and the company it belongs to."""
    contact = meta.at("sender")
    if not contact.is_told and _message_type(body) == "incoming":
        contact = body.at("sender")
    told = _common.name_of(contact, "email", "identifier", "phone_number", "id")
    company = contact.look("additional_attributes", "company_name").word()
    return {fact: word for fact, word in (("requester", told), ("organization", company)) if word is not None}


def _addresses(user: Node) -> tuple[str, ...]:
    return tuple(word for name in ("email", "identifier", "phone_number") if (word := user.at(name).word()) is not None)


def _names(user: Node) -> tuple[str, ...]:
    return tuple(word for name in ("id", "email") if (word := user.at(name).word()) is not None)
