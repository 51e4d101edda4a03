"""Freshdesk's and Freshservice's webhooks: the body is what the rule's template makes of placeholders.

Read are our own templates (`slawatch.freshdesk.v1`, `slawatch.freshservice.v1`), the "simple" bodies Freshworks makes itself
(`{"freshdesk_webhook": {"ticket_id": ...}}`), and others as far as their names are the usual ones.

* What happened is told by our template's `event` and `actor`, which are plain words each rule writes, else by `triggered_event`, which
  looks like JSON but is not: `{status:{from:2,to:4}}`, `{note_type:public}`.
* Placeholders without value come out empty and assert nothing, except that our own template's empty agent or group is nobody.
* There is no time of the event: `updated_at` where the template has it (with a zone), else the time of receipt.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, SourceConfig, _common, _json
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, Status, TicketEvent

STATUSES: Final = {"2": "open", "3": "pending", "4": "solved", "resolved": "solved", "5": "closed"}
PRIORITIES: Final = {"1": "low", "2": "normal", "medium": "normal", "3": "high", "4": "urgent"}

_WRAPPERS: Final = ("freshdesk_webhook", "freshservice_webhook")
_CHANGE: Final = re.compile(r"(\w+):\{from:([^,{}]*),to:([^{}]*)\}")
_WORD: Final = re.compile(r"(\w+):([^,{}:]+)")
_TRIGGER_MAX: Final = 2000
_ZONED: Final = re.compile(r"(?:\d|\s)(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$|^\d{10,13}(?:\.\d+)?$", re.IGNORECASE)

Paths = tuple[tuple[str, ...], ...]


def _names(*names: str) -> Paths:
    """Where each name may stand, best name first: with `ticket_` before it, within an object `ticket`, at the top."""
    return tuple(path for name in names for path in ((f"ticket_{name}",), ("ticket", name), (name,)))


_TICKET: Final = _names("id", "display_id")
_REQUESTER: Final = (
    ("requester_email",),
    ("ticket", "requester", "email"),
    *_names("requester_email", "contact_email", "from_email", "requester"),
)
_WORDS: Final[dict[str, Paths]] = {
    "requester": _REQUESTER,
    "organization": (("ticket", "company", "name"), ("ticket", "department", "name"),
                     *_names("company_name", "company", "department_name", "department")),
    "subject": _names("subject"), "type": _names("ticket_type", "type"), "product": _names("product_name", "product"),
}  # fmt: skip
_OWNERS: Final[dict[str, Paths]] = {
    "group": (("ticket", "group", "name"), *_names("group_name", "group")),
    "assignee": (("ticket", "agent", "email"), *_names("agent_email", "agent", "agent_name", "responder_id")),
}
_ACTOR_IDS: Final = (("actor_id",), ("actor_email",), ("event_performer_email",), ("event_performer", "email"), ("event", "agent", "email"))

_ROLES: Final = {
    "agent": ActorKind.AGENT, "requester": ActorKind.CUSTOMER, "customer": ActorKind.CUSTOMER, "contact": ActorKind.CUSTOMER,
    "system": ActorKind.SYSTEM, "automation": ActorKind.SYSTEM, "bot": ActorKind.BOT,
}  # fmt: skip
_AGENT_WORDS: Final = ("note_type", "reply_sent", "agent_reply")
_CUSTOMER_WORDS: Final = ("customer_reply", "customer_replied", "requester_reply", "customer_response")
_ASSIGNMENTS: Final = frozenset({"responder_id", "agent", "agent_id", "group", "group_id"})
_CREATED: Final = ("created", "ticket created")
_REPLIES: Final = ("reply", "reply sent", "public note", "reply added")
_NOTES: Final = ("note", "private note")


@dataclass(frozen=True, slots=True)
class _Trigger:
    """What `triggered_event` says: what became of fields, and words."""

    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def read(request: HttpRequest, config: SourceConfig, received_at: datetime) -> Reading:
    """The event of one delivery. Without a time in it, the same body within ten minutes is one delivery told twice."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    body = next((body.at(name) for name in _WRAPPERS if body.look(name).is_told), body)
    return _Delivery(body, request.body, config, received_at).reading()


class _Delivery:
    def __init__(self, body: Node, raw: bytes, config: SourceConfig, received_at: datetime) -> None:
        self.body, self.config, self.received_at = body, config, received_at
        self.remarks: list[str] = []
        self.is_ours = _is_ours(body, config)
        self.trigger = _trigger(body.look("triggered_event").value)
        self.event = fold(body.look("event").word() or "") if not isinstance(body.look("event").value, dict | list) else ""
        told_at = self._told_at()
        self.at = told_at or received_at
        self.ticket = _first(body, _TICKET).id()
        self.key = _common.digest(config.name, self.ticket or "", raw, "" if told_at else _common.window(received_at))

    def reading(self) -> Reading:
        if self.ticket is None:
            self.body.refuse("does not name the ticket (`ticket_id`)")
        facts = self._facts()
        actor, message = self._who_said_what()
        event = TicketEvent(
            source=self.config.name,
            ticket=self.ticket,
            key=self.key,
            at=self.at,
            kind=self._kind(facts, message),
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(*self._actor_ids()),
        )
        return Reading("applied", (event,), _common.remark(self.remarks))

    def _told_at(self) -> datetime | None:
        """The ticket's `updated_at`; a time without a zone could be anywhere's, so it is not used."""
        told = _first(self.body, _names("updated_at", "updated_on"))
        text = told.word()
        if text is None:
            return None
        at = told.instant() if _ZONED.search(text) else None
        if at is None:
            self.remarks.append("updated_at is no time with a zone; the time of receipt is used")
        return at

    def _facts(self) -> dict[str, FactValue]:
        body, facts = self.body, self._state()
        facts |= {fact: word for fact, paths in _WORDS.items() if (word := _first(body, paths).word()) is not None}
        for fact, paths in _OWNERS.items():
            place = _first(body, paths)
            if (word := place.word()) is not None or (self.is_ours and place.is_told):
                facts[fact] = word
        if (tags := _first(body, _names("tags"))).is_told:
            facts["tags"] = tags.words()
        if (channel := _first(body, _names("source_name", "source")).word()) is not None:
            facts["channel"] = channel.lower()
        if (url := _json.web_address(_first(body, _names("url")).word())) is not None:
            facts["url"] = url
        created = _first(body, _names("created_at", "created_on"))
        if (created_at := created.instant()) is not None and _ZONED.search(created.word() or ""):
            facts["created_at"] = created_at
        return facts | _common.field_facts(Node(_custom_fields(body)))

    def _state(self) -> dict[str, FactValue]:
        """Status and priority: as the template tells them, else as they were changed to."""
        facts: dict[str, FactValue] = {}
        status = _first(self.body, _names("status")).word() or self._changed_to("status")
        if status is not None:
            facts |= _common.status_facts(status, self.config.status_words, self.remarks)
        priority = _first(self.body, _names("priority")).word() or self._changed_to("priority")
        if priority is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        return facts | ({"deleted": True} if self.event == "deleted" else {})

    def _changed_to(self, name: str) -> str | None:
        return self.trigger.changes.get(name, ("", ""))[1] or None

    def _actor_ids(self) -> tuple[str, ...]:
        return tuple(word for path in _ACTOR_IDS if (word := self.body.look(*path).word()) is not None)

    def _who_said_what(self) -> tuple[Actor, Message | None]:
        ids = self._actor_ids()
        kind = self.config.actor_kind(*ids) or self._role()
        public = self._public(kind)
        actor = Actor(ActorKind.SYSTEM if kind is ActorKind.BOT else kind, next(iter(ids), None))
        return actor, None if public is None else Message(kind, public)

    def _role(self) -> ActorKind:
        """Who acted: by the template's word; else only agents write notes and send replies, and whoever creates a ticket asks."""
        told = _ROLES.get(fold(_first(self.body, (("actor",), ("actor_role",), ("performed_by",))).word() or ""))
        if told is not None:
            return told
        words = self.trigger.words
        if any(word in words for word in _AGENT_WORDS) or self.event in (*_NOTES, "public note"):
            return ActorKind.AGENT
        if self._is_creation() or any(word in words for word in _CUSTOMER_WORDS):
            return ActorKind.CUSTOMER
        return ActorKind.UNKNOWN

    def _public(self, author: ActorKind) -> bool | None:
        """Whether what was said is public; None when nothing was said."""
        if self.event in (*_REPLIES, *_NOTES):
            return self.event not in _NOTES
        if self.event:
            return None
        note = fold(self.trigger.words.get("note_type", ""))
        if note:
            return note == "public" or author is ActorKind.CUSTOMER
        return True if any(word in self.trigger.words for word in (*_AGENT_WORDS, *_CUSTOMER_WORDS)) else None

    def _is_creation(self) -> bool:
        return self.event in _CREATED or fold(self.trigger.words.get("ticket_action", "")) == "created"

    def _kind(self, facts: dict[str, FactValue], message: Message | None) -> EventKind:
        if self._is_creation():
            return EventKind.TICKET_CREATED
        if message is not None:
            return _common.message_kind(message)
        if facts.get("deleted"):
            return EventKind.TICKET_DELETED
        return self._kind_of_change(facts)

    def _kind_of_change(self, facts: dict[str, FactValue]) -> EventKind:
        changes = self.trigger.changes
        if "status" in changes:
            before = self.config.status_words.get(changes["status"][0])
            back = before in (Status.SOLVED, Status.CLOSED) and facts.get("status") in (Status.NEW, Status.OPEN)
            return EventKind.TICKET_REOPENED if back else EventKind.TICKET_STATUS_CHANGED
        if "priority" in changes:
            return EventKind.TICKET_PRIORITY_CHANGED
        if _ASSIGNMENTS & changes.keys():
            return EventKind.TICKET_ASSIGNED
        return EventKind.TICKET_UPDATED if self.event or changes or self.trigger.words else EventKind.TICKET_SNAPSHOT


def _is_ours(body: Node, config: SourceConfig) -> bool:
    schema = body.look("schema")
    ours = f"slawatch.{config.kind}.v1"
    if isinstance(schema.value, str) and schema.value.startswith("slawatch.") and schema.value != ours:
        schema.refuse(f"is not {ours}")
    return bool(schema.value == ours)


def _trigger(value: Any) -> _Trigger:
    """What the pseudo-JSON says, also where somebody quoted it or it came as an object; nothing when it is neither."""
    text = re.sub(r"[\s\"']|=>", lambda match: ":" if match[0] == "=>" else "", str(value)[:_TRIGGER_MAX]) if value else ""
    changes = {name: (before, after) for name, before, after in _CHANGE.findall(text)}
    return _Trigger(changes, dict(_WORD.findall(_CHANGE.sub("", text))))


def _first(body: Node, paths: Paths) -> Node:
    """The first of these places that holds a scalar; else the first that is told at all; else nothing."""
    places = [body.look(*path) for path in paths]
    flat = [place for place in places if not isinstance(place.value, dict)]
    return next((p for p in flat if not p.is_blank), next((p for p in flat if p.is_told), Node(_json.MISSING)))


def _custom_fields(body: Node) -> dict[str, Any]:
    """Custom fields by name: `ticket_cf_tier` and `cf_tier` at the top, or an object `custom_fields`."""
    top = {name.removeprefix("ticket_"): value for name, value in body.value.items()} if isinstance(body.value, dict) else {}
    inner = next((p.value for path in _names("custom_fields") if isinstance((p := body.look(*path)).value, dict)), {})
    told = {name: value for name, value in top.items() if name.startswith("cf_")} | inner
    return {name: value for name, value in told.items() if value not in ("", None)}
