"""Intercom's notifications: the topic says what happened, the item is the conversation or ticket after it, with the part that did it.

* A reply is a part with words: its `part_type` says nothing (a reply that also assigns is an `assignment`). The same part comes with
  several topics under several notification ids; it has one part id, which is the message's.
* An admin is a human of ours, a bot is not, and neither is an admin's part that an AI agent wrote.
* A closed conversation opens again with the customer's next word, so closed means solved.
"""

from datetime import datetime
from typing import Final

from app.helpdesks import Reading, SourceConfig, _common, _words
from app.helpdesks._intercom_item import Item, role
from app.helpdesks._json import Node
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, Status, TicketEvent

_KINDS: Final = {
    "conversation.user.created": EventKind.TICKET_CREATED,
    "conversation.admin.single.created": EventKind.TICKET_CREATED,
    "ticket.created": EventKind.TICKET_CREATED,
    "conversation.user.replied": EventKind.MESSAGE_CUSTOMER,
    "conversation.admin.replied": EventKind.MESSAGE_AGENT_PUBLIC,
    "conversation.admin.single.reply": EventKind.MESSAGE_AGENT_PUBLIC,
    "conversation.operator.replied": EventKind.MESSAGE_BOT,
    "ticket.contact.replied": EventKind.MESSAGE_CUSTOMER,
    "ticket.admin.replied": EventKind.MESSAGE_AGENT_PUBLIC,
    "conversation.admin.noted": EventKind.MESSAGE_PRIVATE_NOTE,
    "ticket.note.created": EventKind.MESSAGE_PRIVATE_NOTE,
    "conversation.admin.assigned": EventKind.TICKET_ASSIGNED,
    "conversation.admin.open.assigned": EventKind.TICKET_ASSIGNED,
    "ticket.admin.assigned": EventKind.TICKET_ASSIGNED,
    "ticket.team.assigned": EventKind.TICKET_ASSIGNED,
    "conversation.admin.closed": EventKind.TICKET_STATUS_CHANGED,
    "conversation.admin.opened": EventKind.TICKET_REOPENED,
    "conversation.admin.snoozed": EventKind.TICKET_STATUS_CHANGED,
    "conversation.admin.unsnoozed": EventKind.TICKET_STATUS_CHANGED,
    "ticket.state.updated": EventKind.TICKET_STATUS_CHANGED,
    "ticket.closed": EventKind.TICKET_STATUS_CHANGED,
    "ticket.resolved": EventKind.TICKET_STATUS_CHANGED,
    "conversation.priority.updated": EventKind.TICKET_PRIORITY_CHANGED,
    "conversation.deleted": EventKind.TICKET_DELETED,
    "ticket.deleted": EventKind.TICKET_DELETED,
    "conversation.rating.added": EventKind.TICKET_UPDATED,
    "conversation.company.updated": EventKind.TICKET_UPDATED,
    "conversation.contact.attached": EventKind.TICKET_UPDATED,
    "ticket.attribute.updated": EventKind.TICKET_UPDATED,
    "ticket.contact.attached": EventKind.TICKET_UPDATED,
    "ticket.rating.provided": EventKind.TICKET_UPDATED,
}
_MESSAGES: Final = {EventKind.MESSAGE_CUSTOMER, EventKind.MESSAGE_AGENT_PUBLIC, EventKind.MESSAGE_BOT, EventKind.MESSAGE_PRIVATE_NOTE}
_CLOSING: Final = ("conversation.admin.closed", "conversation.admin.opened", "conversation.admin.snoozed", "conversation.admin.unsnoozed")
"""Topics whose part may hold words that were sent along."""


def read(body: Node, raw: bytes, config: SourceConfig, received_at: datetime) -> Reading:
    """The one event of a notification; ignored when it is about something else or without meaning for promises."""
    topic = body.at("topic").word()
    if topic is None:
        body.at("topic").refuse("is missing")
    delivery = body.at("id").id()
    if topic not in _KINDS:
        return Reading("ignored", reason=f"{_words.shown(topic)} does not touch any promise.", delivery_id=delivery)
    return _Notification(body, topic, delivery, raw, config, received_at).reading()


class _Notification:
    def __init__(self, body: Node, topic: str, delivery: str | None, raw: bytes, config: SourceConfig, received_at: datetime) -> None:
        self.body, self.topic, self.delivery, self.config = body, topic, delivery, config
        self.remarks: list[str] = []
        self.kind = _KINDS[topic]
        self.item = Item(body.at("data", "item"), topic.partition(".")[0], config, self.remarks)
        self.part = self._part()
        told_at = self._told_at()
        self.at = told_at or received_at
        self.key = delivery or _common.digest(config.name, raw, "" if told_at else _common.window(received_at))

    def reading(self) -> Reading:
        ticket = self.item.id()
        if ticket is None:
            self.item.place.at("id").refuse("does not name the conversation or ticket")
        facts = self._facts()
        author = self.part.look("author") if self.part else Node(None)
        kind = self._author(author)
        actor_id = author.look("id").id()
        message = self._message(kind)
        event = TicketEvent(
            source=self.config.name,
            ticket=ticket,
            key=self.key,
            at=self.at,
            kind=self._event_kind(message, facts),
            set=facts,
            message=message,
            actor=Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, actor_id),
            echo=self.config.is_ours(actor_id, author.look("email").word()),
        )
        return Reading("applied", (event,), _common.remark(self.remarks), self.delivery)

    def _part(self) -> Node | None:
        """What did it: of a message the last part with words, of a beginning what it began with, else the last part."""
        parts = self.item.parts()
        first = self.item.first_message()
        if self.kind is EventKind.TICKET_CREATED:
            wanted = ActorKind.AGENT if ".admin." in self.topic else ActorKind.CUSTOMER
            if first is not None and role(first.look("author")) in (wanted, None):
                return first
            return next((part for part in parts if role(part.look("author")) is wanted), parts[0] if parts else None)
        if self.kind in _MESSAGES:
            return next((part for part in reversed(parts) if _has_words(part)), parts[-1] if parts else None)
        return parts[-1] if parts else None

    def _told_at(self) -> datetime | None:
        """When it happened; notifications are made a second later. Of what has no part, the notification's own time is the nearest."""
        part = self.part.look("created_at").instant() if self.part else None
        if self.kind is EventKind.TICKET_CREATED:
            return self.item.created_at or part or self.body.at("created_at").instant()
        if self.kind in (EventKind.TICKET_UPDATED, EventKind.TICKET_DELETED):
            return self.body.at("created_at").instant() or self.item.updated_at
        return part or self.item.updated_at or self.body.at("created_at").instant()

    def _facts(self) -> dict[str, FactValue]:
        facts = dict(self.item.facts)
        if self.topic == "ticket.closed" and facts.get("status") not in (Status.SOLVED, Status.CLOSED):
            facts |= _common.status_facts("closed", self.config.status_words, self.remarks)
        return facts | ({"deleted": True} if self.kind is EventKind.TICKET_DELETED else {})

    def _author(self, author: Node) -> ActorKind:
        """By the document, by the author's type, else by the topic's name."""
        if (known := self.config.actor_kind(author.look("id").id(), author.look("email").word())) is not None:
            return known
        told = role(author)
        if told is None and not author.look("type").is_blank:
            return ActorKind.UNKNOWN
        if told is ActorKind.AGENT and author.look("id").id() == self.item.requester:
            return ActorKind.CUSTOMER
        return told or next((kind for word, kind in _BY_TOPIC.items() if word in self.topic), ActorKind.UNKNOWN)

    def _message(self, author: ActorKind) -> Message | None:
        if self.part is None or not self._speaks(self.part, author):
            return None
        private = self.kind is EventKind.MESSAGE_PRIVATE_NOTE or (self.part.look("part_type").word() or "").startswith("note")
        return Message(author, not private, self.part.look("id").id())

    def _speaks(self, part: Node, author: ActorKind) -> bool:
        if self.kind in (EventKind.MESSAGE_CUSTOMER, EventKind.MESSAGE_PRIVATE_NOTE):
            return True
        if self.kind in _MESSAGES or self.topic in _CLOSING:
            return _has_words(part)
        if self.topic == "ticket.created" and author is not ActorKind.CUSTOMER:
            return False  # what an agent writes into a new ticket is its description
        return self.kind is EventKind.TICKET_CREATED and (part == self.item.first_message() or _has_words(part))

    def _event_kind(self, message: Message | None, facts: dict[str, FactValue]) -> EventKind:
        if self.kind in _MESSAGES:
            return EventKind.TICKET_UPDATED if message is None else _common.message_kind(message)
        if self.topic == "ticket.state.updated" and self._was_done() and facts.get("status") in (Status.NEW, Status.OPEN):
            return EventKind.TICKET_REOPENED
        return self.kind

    def _was_done(self) -> bool:
        before = self.part.look("previous_ticket_state") if self.part else Node(None)
        word = _common.name_of(before, "category")
        return word is not None and self.config.status_words.get(word) in (Status.SOLVED, Status.CLOSED)


_BY_TOPIC: Final = {
    ".user.": ActorKind.CUSTOMER,
    ".contact.replied": ActorKind.CUSTOMER,
    ".admin.": ActorKind.AGENT,
    ".operator.": ActorKind.BOT,
}


def _has_words(part: Node) -> bool:
    return not part.look("body").is_blank or bool(part.look("attachments").value not in (None, []) and part.look("attachments").is_told)
