"""ServiceNow: business rules call the script we ship (docs/helpdesks/servicenow.md); it posts a record, or a journal entry with its record.

ServiceNow has no webhooks and no signature of its own; the script signs. Records are read as `GlideRecord.getValue` gives them (texts,
UTC) and as the table API does (`{value, display_value}`), at the top or within `record`.

* A record is named by its `sys_id`. `sys_mod_count` grows with each change: it is the event's key and orders changes of one second.
* The script runs after the change, so the record may be newer than the insert or the journal entry that is told. These are told at their
  own instants with facts that do not change, and the record at its `sys_updated_on`.
* Customers see the journal `comments`, not `work_notes`. Who spoke is `author`, a role that the script looks up.
* Numbers of states depend on the table; with a hold reason the word is `3/1`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json, _proof, _servicenow_words
from app.helpdesks._json import MISSING, Node
from app.helpdesks._words import fold
from app.helpdesks.writing import servicenow as writing
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

SCHEMA: Final = "slawatch.servicenow.v1"

ONE_ACTION: Final = timedelta(seconds=2)
"""A record that is newer than its insert by more than this tells of more than the insert."""

_RECORDS: Final = ("record", "current", "ticket", "incident", "case", "result")
_JOURNALS: Final = {"comments": True, "additional_comments": True, "work_notes": False}
_ROLES: Final = {
    "customer": ActorKind.CUSTOMER, "caller": ActorKind.CUSTOMER, "agent": ActorKind.AGENT, "fulfiller": ActorKind.AGENT,
    "system": ActorKind.SYSTEM, "bot": ActorKind.BOT,
}  # fmt: skip
_LASTING: Final[tuple[str, ...]] = ("created_at", "number", "subject", "requester", "organization", "channel", "table", "url")


class Config(_proof.ScriptConfig):
    """A ServiceNow source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = _servicenow_words.LABELS
    built_in_priorities: ClassVar[Mapping[str, str]] = _servicenow_words.PRIORITIES

    kind: Literal["servicenow"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the script's signature is ours and everything under `verify` hold; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The journal entry or the insert, if one is told, and the record. Unreadable without the record's id."""
    body = _json.read(request.body)
    schema = body.look("schema")
    if isinstance(schema.value, str) and schema.value.startswith("slawatch.") and schema.value != SCHEMA:
        schema.refuse(f"is not {SCHEMA}")
    return _Delivery(body, request, config, received_at).reading()


class _Delivery:
    def __init__(self, body: Node, request: HttpRequest, config: Config, received_at: datetime) -> None:
        self.body, self.config, self.received_at = body, config, received_at
        self.record = next((inner for name in _RECORDS if isinstance((inner := body.look(name)).value, dict)), body)
        self.journal = inner if isinstance((inner := body.look("journal")).value, dict) else body
        self.element = fold(self.journal.look("element").word() or "").replace(" ", "_")
        if self.element and self.record is self.journal:
            self.record = Node({})  # a row of the journal alone
        self.remarks: list[str] = []
        self.ticket = self._ticket()
        self.created_at = (self.value("sys_created_on") or self.value("opened_at")).instant()
        self.updated_at = self.value("sys_updated_on").instant()
        self.at = self.updated_at or received_at
        self.version = self.value("sys_mod_count").id()
        self.hash = _common.digest(config.name, self.ticket, request.body, "" if self.updated_at else _common.window(received_at))
        self.event = fold(self.text("event") or self.text("operation") or "")
        self.now = self._facts()
        self.lasting = {name: self.now[name] for name in _LASTING if name in self.now}

    def reading(self) -> Reading:
        if self.element and self.element not in _JOURNALS:
            return Reading("ignored", reason=f"the journal {self.element!r} is no conversation")
        if self.element:
            has_record = self.updated_at is not None and "status" in self.now
            events = [self._said(_JOURNALS[self.element]), *([self._change()] if has_record else [])]
        elif self._is_new():
            created_at = self.created_at or self.at
            is_newer = abs(self.at - created_at) > ONE_ACTION
            creation = self._creation(created_at, self.lasting if is_newer else self.now)
            events = [creation, *([self._change()] if is_newer else [])]
        else:
            events = [self._change()]
        return Reading("applied", tuple(events), _common.remark(self.remarks))

    def text(self, name: str) -> str | None:
        """A word beside the record."""
        place = self.body.look(name)
        return None if isinstance(place.value, dict | list) else place.word()

    def value(self, name: str) -> "_Value":
        """A column of the record."""
        return _Value(self.record.look(name))

    def _ticket(self) -> str:
        for place in (self.journal.look("element_id"), self.record.look("sys_id"), self.record.look("number")):
            if (told := _Value(place).id()) is not None:
                return told
        return self.record.at("sys_id").refuse("does not name the record")

    def _is_gone(self) -> bool:
        return self.event in ("delete", "deleted")

    def _is_new(self) -> bool:
        return self.event in ("insert", "created", "create") or (self.version == "0" and not self._is_gone())

    def _event(
        self, key: str, kind: EventKind, at: datetime, facts: Mapping[str, FactValue], actor: Actor, message: Message | None = None
    ) -> TicketEvent:
        is_counted = kind is EventKind.TICKET_UPDATED and self.version is not None and self.version.isdecimal() and len(self.version) < 18
        order = int(self.version) if is_counted and self.version else None
        return TicketEvent(self.config.name, self.ticket, key, at, kind, facts, message, actor, order, self.config.is_ours(actor.id))

    def _said(self, public: bool) -> TicketEvent:
        entry, by = self.journal, _Value(self.journal.look("sys_created_by")).word()
        told_at = _Value(entry.look("sys_created_on")).instant()
        if told_at is None:
            self.remarks.append("the journal entry tells no readable time (sys_created_on); the record's is used")
        actor = self._actor(by, None if public else ActorKind.AGENT)
        entry_id = _Value(entry.look("sys_id")).id()
        message = Message(actor.kind, public, entry_id)
        key = f"journal:{entry_id}" if entry_id else f"{self.hash}:said"
        author = Actor(ActorKind.SYSTEM, actor.id) if actor.kind is ActorKind.BOT else actor
        return self._event(key, _common.message_kind(message), told_at or self.at, self.lasting, author, message)

    def _creation(self, at: datetime, facts: Mapping[str, FactValue]) -> TicketEvent:
        opened_by, caller = self.value("opened_by").id(), self.value("caller_id").id()
        kind = ActorKind.CUSTOMER if caller is not None and caller == opened_by else None
        return self._event("created", EventKind.TICKET_CREATED, at, facts, self._actor(self.value("sys_created_by").word(), kind))

    def _change(self) -> TicketEvent:
        """The record as it is. Who spoke is told of the journal entry, not of the change beside it."""
        if self.updated_at is None and not self._is_gone():
            self.remarks.append("sys_updated_on cannot be read or is missing; the time of receipt is used")
        by = self.value("sys_updated_by").word()
        actor = Actor(self.config.actor_kind(by) or ActorKind.UNKNOWN, by) if self.element or self._is_new() else self._actor(by)
        if self._is_gone():  # sys_updated_on is of the change before
            return self._event("deleted", EventKind.TICKET_DELETED, self.received_at, {**self.now, "deleted": True}, actor)
        kind = EventKind.TICKET_DELETED if self.now.get("deleted") else EventKind.TICKET_UPDATED
        return self._event(f"v{self.version}" if self.version else self.hash, kind, self.at, self.now, actor)

    def _actor(self, user: str | None, otherwise: ActorKind | None = None) -> Actor:
        """Who did it: by the document, by the role the script found, by what else tells."""
        known = self.config.actor_kind(user)
        told = _ROLES.get(fold(self.text("author") or ""))
        system = ActorKind.SYSTEM if user == "system" else None
        caller = self.value("caller_user_name").word()
        is_caller = ActorKind.CUSTOMER if user is not None and user == caller else None
        return Actor(known or is_caller or told or system or otherwise or ActorKind.UNKNOWN, user)

    def _facts(self) -> dict[str, FactValue]:
        facts: dict[str, FactValue] = {}
        number = self.value("number").word()
        table = _servicenow_words.table_of(self.text("table") or self.value("sys_class_name").word(), number)
        facts |= self._status(table) | self._priority() | ({"table": table} if table else {})
        for fact, names in _OWNERS.items():
            told = [value for name in names if (value := self.value(name)).is_told]
            if told:
                facts[fact] = self._name(names, told)
        for fact, names in _RELATED.items():
            if (name := self._name(names, [self.value(n) for n in names])) is not None:
                facts[fact] = name
        facts |= {fact: word for fact, name in _WORDS if (word := self.value(name).word()) is not None}
        facts |= self._custom()
        if (url := _json.web_address(self.text("url"))) is not None:
            facts["url"] = url
        return facts | ({"created_at": self.created_at} if self.created_at else {})

    def _name(self, names: tuple[str, ...], values: list["_Value"]) -> str | None:
        """What a related record is called: as the script names it, as it is displayed, else its id."""
        spelt = (_Value(self.body.look("names", name)).word() for name in names)
        shown = (value.display() for value in values)
        return next((word for word in (*spelt, *shown, *(value.word() for value in values)) if word), None)

    def _status(self, table: str | None) -> dict[str, FactValue]:
        state, hold = self.value("state"), self.value("hold_reason")
        if state.word() is None:
            state = self.value("incident_state")
        told = [
            word
            for word in (_joined(state.word(), hold.word()), state.word(), _joined(state.display(), hold.display()), state.display())
            if word
        ]
        words = _servicenow_words.status_words(table, self.config)
        word = _servicenow_words.best_word(told, words, self.config)
        if word is None:
            return {}
        if words.get(word) is None and self.value("active").flag() is False:
            self.remarks.append(f"{words.unknown(word)}; the record is not active, so it is taken for closed")
            return {"status": "closed"}
        return _common.status_and_presence(word, words, self.remarks)

    def _priority(self) -> dict[str, FactValue]:
        priority = self.value("priority")
        told = [word for word in (priority.word(), priority.display()) if word]
        if not told:
            return {}
        best = next((word for word in told if self.config.priority_words.get(word) is not None), told[0])
        return _common.priority_facts(best, self.config.priority_words, self.remarks)

    def _custom(self) -> dict[str, FactValue]:
        """The house's own columns (`u_...`, `x_...`), as words; an empty one is told to be empty."""
        if not isinstance(self.record.value, dict):
            return {}
        names = [name for name in self.record.value if name.startswith(("u_", "x_")) and len(name) <= 64 and name.isascii()][:100]
        return {name: value.display() or value.word() for name in names if (value := self.value(name)).is_scalar}


_OWNERS: Final[Mapping[str, tuple[str, ...]]] = {"assignee": ("assigned_to",), "group": ("assignment_group",)}
_RELATED: Final[Mapping[str, tuple[str, ...]]] = {
    "requester": ("caller_email", "caller_id", "contact", "consumer", "requested_for", "opened_for"),
    "organization": ("company", "account"),
}
_WORDS: Final = (
    ("number", "number"), ("subject", "short_description"), ("category", "category"), ("subcategory", "subcategory"),
    ("channel", "contact_type"), ("urgency", "urgency"), ("impact", "impact"),
)  # fmt: skip


def _joined(state: str | None, hold: str | None) -> str | None:
    return f"{state}/{hold}" if state and hold else None


class _Value:
    """A column: as a plain value, or as the table API's `{value, display_value, link}`."""

    def __init__(self, place: Node) -> None:
        is_record = isinstance(place.value, dict)
        self._plain = place.look("value") if is_record else place
        self._shown = place.look("display_value") if is_record else Node(MISSING)
        if is_record and not self._plain.is_told:
            self._plain = self._shown

    @property
    def is_told(self) -> bool:
        return self._plain.is_told

    @property
    def is_scalar(self) -> bool:
        return self._plain.is_told and not isinstance(self._plain.value, dict | list)

    def __bool__(self) -> bool:
        return not self._plain.is_blank

    def word(self) -> str | None:
        return self._plain.word() if self.is_scalar else None

    def id(self) -> str | None:
        return self._plain.id() if self.is_scalar and not isinstance(self._plain.value, bool) else None

    def display(self) -> str | None:
        return None if isinstance(self._shown.value, dict | list) else self._shown.word()

    def flag(self) -> bool | None:
        return self._plain.flag()

    def instant(self) -> datetime | None:
        return self._plain.instant()
