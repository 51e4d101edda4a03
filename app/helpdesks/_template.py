"""Bodies made from a template we ship: the helpdesk's own rules, or a script of ours, fill it in (docs/helpdesks/<kind>.md).

The keys are the same for every kind: `ticket_id`, `event`, `at`, `status`, `priority`, `group`, `assignee`, `requester`, `organization`,
`subject`, `number`, `channel`, `category`, `tags`, `url`, `created_at`, `merged_into`; who did it, `author` (a role word) and `author_id`;
what was said, `message_id` and `public`; and `event_id`, the identity of what is told. A kind adds the names its helpdesk uses itself, so
that bodies somebody else has templated are read as far as they can be.

An empty value asserts nothing, except that nobody is assigned. A variable that the helpdesk did not fill in is no value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, SourceConfig, _common, _json
from app.helpdesks._json import MISSING, Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

Names = tuple[str, ...]

_NAMES: Final[dict[str, Names]] = {
    "ticket": ("ticket_id", "conversation_id", "id"),
    "event": ("event", "event_type", "event_name"),
    "event_id": ("event_id", "delivery_id"),
    "at": ("at", "occurred_at", "updated_at"),
    "created_at": ("created_at", "ticket_created_at"),
    "status": ("status", "state"),
    "priority": ("priority",),
    "author": ("author", "author_role", "actor"),
    "author_id": ("author_id", "author_email", "actor_id"),
    "message_id": ("message_id", "note_id"),
    "public": ("public", "is_public"),
    "private": ("private", "is_private", "internal"),
    "url": ("url", "link"),
    "tags": ("tags",),
}
_OWNERS: Final = ("assignee", "group")
_NOBODY: Final = frozenset({"0", "-", "none", "nobody", "unassigned"})
_TEXTS: Final = ("requester", "organization", "subject", "number", "channel", "category", "merged_into")

_ROLES: Final = {
    "customer": ActorKind.CUSTOMER, "user": ActorKind.CUSTOMER, "end user": ActorKind.CUSTOMER, "contact": ActorKind.CUSTOMER,
    "visitor": ActorKind.CUSTOMER, "requester": ActorKind.CUSTOMER, "client": ActorKind.CUSTOMER,
    "agent": ActorKind.AGENT, "staff": ActorKind.AGENT, "admin": ActorKind.AGENT, "owner": ActorKind.AGENT, "teammate": ActorKind.AGENT,
    "bot": ActorKind.BOT, "system": ActorKind.SYSTEM, "rule": ActorKind.SYSTEM, "automation": ActorKind.SYSTEM,
}  # fmt: skip
_SIDES: Final = _ROLES | {
    "inbound": ActorKind.CUSTOMER, "incoming": ActorKind.CUSTOMER, "received": ActorKind.CUSTOMER,
    "outbound": ActorKind.AGENT, "outgoing": ActorKind.AGENT, "sent": ActorKind.AGENT,
}  # fmt: skip
"""Words in the name of an event that tell whose doing it is."""
_OBJECTS: Final = frozenset({"ticket", "conversation", "new"})
_NOTES: Final = frozenset({"note", "notes"})
_MESSAGES: Final = frozenset({"message", "reply", "replied", "response", "comment", "email"})
_NOTHING_SAID: Final = frozenset({"deleted", "edited", "updated", "removed"})
_KINDS: Final = {
    "status": EventKind.TICKET_STATUS_CHANGED, "state": EventKind.TICKET_STATUS_CHANGED, "reopened": EventKind.TICKET_REOPENED,
    "resolved": EventKind.TICKET_STATUS_CHANGED, "closed": EventKind.TICKET_STATUS_CHANGED, "priority": EventKind.TICKET_PRIORITY_CHANGED,
    "assigned": EventKind.TICKET_ASSIGNED, "assignee": EventKind.TICKET_ASSIGNED, "transferred": EventKind.TICKET_ASSIGNED,
}  # fmt: skip

_PLACEHOLDER: Final = re.compile(r"\{\$?[\w.|]+\}|\{\{.*\}\}|\$\{.*\}|%\{.*\}")


@dataclass(frozen=True, slots=True)
class Template:
    """What the bodies of one kind look like beside the common keys."""

    schema: str
    wrappers: Names = ()
    """Objects the ticket may stand in."""
    names: Mapping[str, Names] = field(default_factory=dict)
    """Key -> the helpdesk's own names for it, tried after the common ones."""
    roles: Mapping[str, ActorKind] = field(default_factory=dict)
    """Role words that mean something else in this helpdesk."""

    def names_of(self, key: str) -> Names:
        return (*_NAMES.get(key, (key,)), *self.names.get(key, ()))


def read(request: HttpRequest, config: SourceConfig, template: Template, zone: tzinfo, received_at: datetime) -> Reading:
    """The one event of a body. `zone` is for times that name none. Unreadable without a ticket, for another kind's template, and for a
    message that does not say whether the customer sees it.
    """
    body = _json.read(request.body)
    schema = body.look("schema")
    if isinstance(schema.value, str) and schema.value.startswith("slawatch.") and schema.value != template.schema:
        schema.refuse(f"is not {template.schema}")
    return _Filled(body, request, config, template, zone, received_at).reading()


class _Filled:
    """One filled-in template."""

    def __init__(
        self, body: Node, request: HttpRequest, config: SourceConfig, template: Template, zone: tzinfo, received_at: datetime
    ) -> None:
        self.body, self.request, self.config, self.template, self.zone = body, request, config, template, zone
        self.received_at = received_at
        self.remarks: list[str] = []
        event = self.text("event") or ""
        self.tokens = frozenset(re.split(r"[\s._:/-]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event).casefold())) - {""}

    def places(self, key: str) -> list[Node]:
        """Everything that is told for a key, best name first."""
        paths = [path for name in self.template.names_of(key) for path in (*((w, name) for w in self.template.wrappers), (name,))]
        return [place for path in paths if (place := self._plain(self.body.look(*path))).is_told]

    def find(self, key: str) -> Node:
        """The first place that holds something for a key; else the first that is told at all; else nothing."""
        told = self.places(key)
        return next((place for place in told if not place.is_blank), told[0] if told else Node(MISSING))

    def _plain(self, place: Node) -> Node:
        """The place, or what names a record there. A variable that was not filled in is nothing."""
        if isinstance(place.value, dict):
            inner = [place.look(name) for name in ("email", "name", "id")]
            place = next((p for p in inner if not p.is_blank and not isinstance(p.value, dict | list)), Node(MISSING))
        if isinstance(place.value, str) and _PLACEHOLDER.fullmatch(place.value.strip()):
            self.remarks.append(f"{place.pointer} holds a variable that was not filled in")
            return Node(MISSING, place.pointer)
        return place

    def text(self, key: str) -> str | None:
        place = self.find(key)
        return None if isinstance(place.value, list) else place.word()

    def instant(self, key: str) -> datetime | None:
        return self.find(key).instant(self.zone)

    def reading(self) -> Reading:
        ticket = self.find("ticket").id()
        if ticket is None:
            self.body.refuse("does not name the ticket (`ticket_id`)")
        told_at = self.instant("at")
        if told_at is None:
            self.remarks.append("the body tells no readable time (`at`); the time of receipt is used")
        facts, actor, message = self._facts(told_at), self._actor(), self._message()
        event_id = self.find("event_id").id()
        once = "" if told_at else _common.window(self.received_at)
        event = TicketEvent(
            source=self.config.name,
            ticket=ticket,
            key=event_id or (message and message.id) or _common.digest(self.config.name, ticket, self.request.body, once),
            at=told_at or self.received_at,
            kind=self._kind(facts, message),
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(actor.id),
        )
        return Reading("applied", (event,), _common.remark(self.remarks), event_id)

    @property
    def is_creation(self) -> bool:
        return self.tokens - _OBJECTS in (frozenset(), frozenset({"created"})) and bool(self.tokens & {"created", "new"})

    @property
    def is_deletion(self) -> bool:
        return self.tokens - _OBJECTS in (frozenset({"deleted"}), frozenset({"purged"}))

    def _facts(self, told_at: datetime | None) -> dict[str, FactValue]:
        facts: dict[str, FactValue] = {}
        if (status := self._status()) is not None:
            facts |= _common.status_and_presence(status, self.config.status_words, self.remarks)
        if (priority := self.text("priority")) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        facts |= {fact: self._owner(fact) for fact in _OWNERS if self.find(fact).is_told}
        facts |= {fact: word for fact in _TEXTS if (word := self.text(fact)) is not None}
        if (tags := self.find("tags")).is_told:
            facts["tags"] = tags.words()
        if (url := _json.web_address(self.text("url"))) is not None:
            facts["url"] = url
        created_at = self.instant("created_at") or (told_at if self.is_creation else None)
        return facts | ({"created_at": created_at} if created_at else {}) | ({"deleted": True} if self.is_deletion else {})

    def _status(self) -> str | None:
        """Of several words for the status the first that `status_map` names, else the first that is known, else the first."""
        words = [place.word() for place in self.places("status") if not place.is_blank and not isinstance(place.value, list)]
        told = [word for word in words if word is not None]
        named = {fold(word) for word in self.config.status_map}
        best = [word for word in told if self.config.status_words.get(word) is not None] or told
        return next((word for word in told if fold(word) in named), best[0] if best else None)

    def _owner(self, fact: str) -> str | None:
        name = self.text(fact)
        return None if name is None or fold(name) in _NOBODY else name

    def _actor(self) -> Actor:
        kind = self._author()
        return Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, self.text("author_id"))

    def _author(self) -> ActorKind:
        """Who did it, by the document, by the role word, by the event's name. Staff who ask for themselves are customers."""
        user, requester = self.text("author_id"), self.text("requester")
        if (known := self.config.actor_kind(user)) is not None:
            return known
        role, sides = fold(self.text("author") or ""), {**_SIDES, **self.template.roles}
        found = {sides[word] for word in ({role} if role else self.tokens) if word in sides}
        kind = found.pop() if len(found) == 1 else ActorKind.UNKNOWN
        is_requester = user is not None and requester is not None and user.casefold() == requester.casefold()
        return ActorKind.CUSTOMER if is_requester and kind in (ActorKind.UNKNOWN, ActorKind.AGENT) else kind

    def _message(self) -> Message | None:
        """What was said. An event without a name says something when it tells who can see it."""
        says_so = bool(self.tokens & (_NOTES | _MESSAGES))
        if self.is_creation or self.tokens & _NOTHING_SAID or (self.tokens and not says_so):
            return None
        public = self._public()
        if public is None and says_so:
            self.find("public").refuse("does not say whether the customer sees the message (`public`)")
        return None if public is None else Message(self._author(), public, self.find("message_id").id())

    def _public(self) -> bool | None:
        if (private := self.find("private").flag()) is not None:
            return not private
        if (public := self.find("public").flag()) is not None or not self.tokens:
            return public
        return False if self.tokens & _NOTES else None if "comment" in self.tokens else True

    def _kind(self, facts: Mapping[str, FactValue], message: Message | None) -> EventKind:
        if self.is_creation:
            return EventKind.TICKET_CREATED
        if message is not None:
            return _common.message_kind(message)
        if facts.get("deleted"):
            return EventKind.TICKET_DELETED
        return next((kind for word, kind in _KINDS.items() if word in self.tokens), EventKind.TICKET_UPDATED)
