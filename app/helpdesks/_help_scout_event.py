"""Help Scout's webhooks, in the form of the Mailbox API 2.0 and in the older one.

* A reply's webhook brings the conversation. Its threads are told in `_embedded.threads` (or, older, `threads`), or there is only their
  number: then the message has no id, and its time is when the conversation was last touched.
* Who spoke is told by the event: customer reply, agent reply, note. A thread that a workflow wrote is a bot's, and so is what the user
  1 does, who is Help Scout itself.
* A merge is told by the conversation that stays; the threads that came from another one name it, where they are told.
* Spam is closed and cancels the clocks; any other status says that the conversation is there (again).
* A thread's id is the key of its event. Other events are told by a hash of what they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json, _words
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

if TYPE_CHECKING:
    from app.helpdesks.help_scout import Config

EVENT: Final = "x-helpscout-event"

_CHANGES: Final = {
    "convo.created": EventKind.TICKET_CREATED,
    "beacon.chat.created": EventKind.TICKET_CREATED,
    "convo.assigned": EventKind.TICKET_ASSIGNED,
    "convo.status": EventKind.TICKET_STATUS_CHANGED,
    "convo.deleted": EventKind.TICKET_DELETED,
    "convo.tags": EventKind.TICKET_UPDATED,
    "convo.moved": EventKind.TICKET_UPDATED,
    "convo.custom-fields": EventKind.TICKET_UPDATED,
    "convo.merged": EventKind.TICKET_UPDATED,
}
_SPOKEN: Final = {
    "convo.customer.reply.created": (ActorKind.CUSTOMER, ("customer", "beaconchat", "chat", "phone")),
    "beacon.chat.customer.replied": (ActorKind.CUSTOMER, ("beaconchat", "chat", "customer")),
    "convo.agent.reply.created": (ActorKind.AGENT, ("message", "reply", "chat", "beaconchat")),
    "convo.note.created": (ActorKind.AGENT, ("note",)),
}
"""Event -> who speaks, and the types of threads that may hold it."""

_NOTE: Final = "convo.note.created"
_MACHINES: Final = ("workflows", "workflow", "orchestration")
_TYPES: Final = {"customer": ActorKind.CUSTOMER, "user": ActorKind.AGENT}


def read(body: Node, request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a webhook; ignored when it is about something else than a conversation. Without header it is a snapshot."""
    name = request.headers.get(EVENT, "").strip().casefold()
    if name and name not in _CHANGES and name not in _SPOKEN:
        return Reading("ignored", reason=f"{_words.shown(name)} does not touch any promise.")
    ticket = body.at("id").id()
    if ticket is None:
        body.at("id").refuse("does not name the conversation (a webhook of the `notification` kind sends only a link)")
    return _Webhook(body, name, ticket, request.body, config, received_at).reading()


@dataclass(frozen=True)
class _Webhook:
    body: Node
    name: str
    ticket: str
    raw: bytes
    config: Config
    received_at: datetime
    remarks: list[str] = field(default_factory=list)

    def reading(self) -> Reading:
        facts = self._facts()
        actor, message = self._who_said_what()
        thread_id = message.id if message else None
        once = "" if self._told_at else _common.window(self.received_at)
        event = TicketEvent(
            source=self.config.name,
            ticket=self.ticket,
            key=thread_id or _common.digest(self.config.name, self.name, self.ticket, self.raw, once),
            at=self._told_at or self.received_at,
            kind=_common.message_kind(message) if message and self.name in _SPOKEN else _CHANGES.get(self.name, EventKind.TICKET_SNAPSHOT),
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(*_ids(self._speaker)),
        )
        events = (event, *self._merged(event))
        return Reading("applied", events, _common.remark(self.remarks))

    def _merged(self, event: TicketEvent) -> Iterator[TicketEvent]:
        """The conversations that went into this one, where the body brings the line items that name them."""
        if self.name != "convo.merged":
            return
        items = (thread.look("action") for thread in self._threads() if thread.look("action", "type").value == "merged")
        gone = dict.fromkeys(item.look("associatedEntities", "originalConversation").id() for item in items)
        for ticket in gone:
            if ticket is not None and ticket != self.ticket:
                yield replace(event, ticket=ticket, key=f"{event.key}:merged", set={"merged_into": self.ticket})
        if not gone:
            self.remarks.append("Help Scout does not tell which conversation was merged into this one")

    @cached_property
    def _told_at(self) -> datetime | None:
        """A message's or a creation's own time, else when the conversation was last touched; None when nothing is told."""
        body = self.body
        if self._thread is not None and (at := self._thread.look("createdAt").instant()) is not None:
            return at
        if _CHANGES.get(self.name) is EventKind.TICKET_CREATED:
            return body.at("createdAt").instant()
        touched = [body.at(name).instant() for name in ("modifiedAt", "userModifiedAt", "userUpdatedAt")]
        if _SPOKEN.get(self.name, (None,))[0] is ActorKind.CUSTOMER:
            touched.append(body.look("customerWaitingSince", "time").instant())
        return max((at for at in touched if at is not None), default=None)

    @cached_property
    def _thread(self) -> Node | None:
        """The newest thread that can be what the event tells of; None when no threads are told."""
        if self.name not in _SPOKEN:
            return None
        _, types = _SPOKEN[self.name]
        found = [thread for thread in self._threads() if fold(thread.look("type").word() or "") in types]
        return max(found, key=lambda thread: _seconds(thread.look("createdAt").instant()), default=None)

    def _threads(self) -> Iterator[Node]:
        for place in (self.body.look("_embedded", "threads"), self.body.look("threads")):
            if isinstance(place.value, list):
                yield from _common.each(place)

    @cached_property
    def _speaker(self) -> Node:
        """Who acted, as a record; a place without value when the body does not tell."""
        if self._thread is not None:
            names = ("createdBy", "author", "customer") if _SPOKEN[self.name][0] is ActorKind.CUSTOMER else ("createdBy", "author")
            return next((place for name in names if isinstance((place := self._thread.look(name)).value, dict)), Node(None))
        if _SPOKEN.get(self.name, (None,))[0] is ActorKind.CUSTOMER:
            return self._customer
        return self.body.look("createdBy") if _CHANGES.get(self.name) is EventKind.TICKET_CREATED else Node(None)

    def _who_said_what(self) -> tuple[Actor, Message | None]:
        kind, user = self._role(), next(iter(_ids(self._speaker)), None)
        actor = Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, user)
        if self.name in _SPOKEN:
            thread_id = self._thread.look("id").id() if self._thread else None
            return actor, Message(kind, self.name != _NOTE, thread_id)
        if _CHANGES.get(self.name) is EventKind.TICKET_CREATED and kind is ActorKind.AGENT and self.body.look("type").value != "phone":
            return actor, Message(kind, public=True)  # a conversation that an agent begins is a mail to the customer
        return actor, None

    def _role(self) -> ActorKind:
        ids = _ids(self._speaker)
        if (known := self.config.actor_kind(*ids)) is not None:
            return known
        if self.name in _SPOKEN:
            kind, _ = _SPOKEN[self.name]
            by_machine = self._thread is not None and fold(self._thread.look("source", "type").word() or "") in _MACHINES
            if by_machine or _is_help_scout(self._speaker):
                return ActorKind.BOT
            asks = {user.casefold() for user in _ids(self._customer)}
            return ActorKind.CUSTOMER if any(user.casefold() in asks for user in ids) else kind
        if _CHANGES.get(self.name) is not EventKind.TICKET_CREATED:
            return ActorKind.UNKNOWN
        if _is_help_scout(self._speaker):
            return ActorKind.BOT
        told = self._speaker.look("type").word() or self.body.look("source", "via").word() or ""
        return _TYPES.get(fold(told), ActorKind.UNKNOWN)

    @property
    def _customer(self) -> Node:
        return next(
            (place for name in ("primaryCustomer", "customer") if isinstance((place := self.body.look(name)).value, dict)), Node(None)
        )

    def _facts(self) -> dict[str, FactValue]:
        body = self.body
        if self.name == "convo.deleted":
            return {"deleted": True}
        facts = self._state() | self._owners() | self._texts()
        if (tags := body.at("tags")).is_told:
            facts["tags"] = _common.names(tags, "tag", "name")
        if (created_at := body.at("createdAt").instant()) is not None:
            facts["created_at"] = created_at
        if (url := _json.web_address(body.look("_links", "web", "href").word())) is not None:
            facts["url"] = url
        return facts | self._custom()

    def _state(self) -> dict[str, FactValue]:
        word = self.body.at("status").word()
        if word is None:
            return {}
        facts = _common.status_facts(word, self.config.status_words, self.remarks)
        gone = fold(word) == "spam" or self.body.look("state").value == "deleted"
        return {"deleted": gone} | facts

    def _owners(self) -> dict[str, FactValue]:
        """Who has it: a person, or a team. Older bodies call it owner; nobody is told by null."""
        place = next((p for name in ("assignee", "owner") if (p := self.body.look(name)).is_told), None)
        if place is None:
            return {}
        if place.look("type").value == "team":
            return {"group": _common.name_of(place, "name", "first", "id"), "assignee": None}
        return {"assignee": None if _is_help_scout(place) else next(iter(_ids(place)), None)}

    def _texts(self) -> dict[str, FactValue]:
        body = self.body
        texts = {
            "number": body.look("number").word(),
            "subject": body.look("subject").word(),
            "channel": body.look("source", "type").word() or body.look("type").word(),
            "mailbox": body.look("mailbox", "name").word() or body.look("mailboxId").word(),
            "requester": next(iter(_ids(self._customer)), None),
        }
        return {fact: text for fact, text in texts.items() if text is not None}

    def _custom(self) -> dict[str, FactValue]:
        """Custom fields, as `field_<id>`; and as the facts the source names."""
        facts: dict[str, FactValue] = {}
        wanted = {fold(name): fact for fact, name in self.config.fields.items()}
        place = self.body.look("customFields")
        for entry in _common.each(place) if isinstance(place.value, list) else ():
            field_id = entry.look("id").id() or entry.look("fieldId").id()
            text = entry.look("text").word() or entry.look("value").word()
            if text is None:
                continue
            if field_id is not None:
                facts[f"field_{field_id}"] = text
            for name in (field_id, entry.look("name").word()):
                if name is not None and fold(name) in wanted:
                    facts |= self._named(wanted[fold(name)], text)
        return facts

    def _named(self, fact: str, text: str) -> dict[str, FactValue]:
        if fact == "priority":
            return _common.priority_facts(text, self.config.priority_words, self.remarks)
        if fact == "status":
            return _common.status_facts(text, self.config.status_words, self.remarks)
        return {fact: text}


def _ids(user: Node) -> tuple[str, ...]:
    """Address and id of a person, as `our_user_ids` and `actor_map` may say them; the address first: bodies of all ages have it."""
    return tuple(found for name in ("email", "id") if (found := user.look(name).id()) is not None)


def _is_help_scout(user: Node) -> bool:
    return user.look("id").id() in ("0", "1") or user.look("email").value == "none@nowhere.com"


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
