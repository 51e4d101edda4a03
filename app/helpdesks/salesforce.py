"""Salesforce: outbound messages (SOAP) of cases, case comments and e-mails; the same as JSON from a flow, Apex or Change Data Capture.

* An outbound message carries up to 100 notifications and has to be answered with `<Ack>true</Ack>`, else it comes again for 24 hours. It is
  acknowledged once it is stored, whatever became of it. A notification's id stays the same over the repetitions.
* Deliveries are out of order, and what is sent is the record of the moment: the event's time is `LastModifiedDate`. Fields without a value
  are left out, so what is not there is not asserted.
* A closed case can be opened again, so `Closed` is solved. Owners whose id begins with `00G` are queues: nobody is assigned.
* Nothing says who is an agent but the ids: published comments are nobody's we know unless the document says whose they are.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Answer, Reading, _common, _json, _proof, _salesforce_records, _words
from app.helpdesks._json import Node
from app.helpdesks._salesforce_records import Record
from app.helpdesks.writing import salesforce as writing
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, Status, TicketEvent

ONE_ACTION: Final = timedelta(seconds=2)
"""A record changed no later than this after its creation is as it was created."""

ACKNOWLEDGEMENT: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>\n"
)

_CASE, _QUEUE = "500", "00G"
_DRAFT: Final = "5"
_WORDS: Final = (
    ("number", "CaseNumber"), ("subject", "Subject"), ("channel", "Origin"), ("category", "Type"), ("reason", "Reason"),
    ("organization", "AccountId"), ("entitlement", "EntitlementId"),
)  # fmt: skip
_REQUESTERS: Final = ("ContactEmail", "SuppliedEmail", "ContactId")
_LASTING: Final[tuple[str, ...]] = ("created_at", "number", "subject", "channel", "requester", "organization", "url")


class Config(_proof.ProvedConfig):
    """A Salesforce source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "working": "open", "escalated": "open", "in progress": "open", "assigned": "open", "reopened": "open",
        "on hold": "on_hold", "waiting on customer": "pending", "waiting for customer": "pending", "awaiting customer": "pending",
        "customer action required": "pending", "awaiting response": "pending", "pending customer": "pending",
        "resolved": "solved", "closed": "solved", "merged": "closed", "duplicate": "closed",
    }  # fmt: skip
    built_in_priorities: ClassVar[Mapping[str, str]] = {"medium": "normal", "critical": "urgent"}

    kind: Literal["salesforce"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    comment_author: Literal["agent", "customer", "unknown"] = Field(
        default="unknown",
        description="Who writes published case comments, where `actor_map` does not know the author; without a portal: agent.",
    )


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def answer(request: HttpRequest, config: Config) -> Answer | None:  # noqa: ARG001
    """The SOAP acknowledgement of an outbound message; None for JSON."""
    if not _salesforce_records.is_xml(request.body):
        return None
    return Answer(200, {"content-type": "text/xml; charset=utf-8"}, ACKNOWLEDGEMENT)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The events of all records. Unreadable when one of them cannot be read; ignored when none is about a case."""
    records = _salesforce_records.read(request.body)
    events: dict[tuple[str, str], TicketEvent] = {}
    remarks: list[str] = []
    ignored: list[str] = []
    for record in records:
        for event in _read(record, config, received_at, remarks, ignored):
            events.setdefault((event.ticket, event.key), event)
    delivery_id = records[0].key if len(records) == 1 else None
    if not events:
        return Reading("ignored", reason=_common.remark(ignored) or "there is no record in it", delivery_id=delivery_id)
    return Reading("applied", tuple(events.values()), _common.remark(remarks), delivery_id)


def _read(record: Record, config: Config, received_at: datetime, remarks: list[str], ignored: list[str]) -> tuple[TicketEvent, ...]:
    if record.change.startswith("GAP_") and record.change != "GAP_DELETE":
        ignored.append("a gap event holds no fields")
        return ()
    if record.type == "Case":
        return _Case(record, config, received_at, remarks).events()
    if record.change in ("DELETE", "GAP_DELETE"):
        ignored.append(f"the deletion of {_words.shown(record.type)} touches no promise")
        return ()
    said = {"CaseComment": _comment, "EmailMessage": _email}.get(record.type)
    if said is None:
        ignored.append(f"{_words.shown(record.type)} is not about a case" if record.type else "the record does not say of which type it is")
        return ()
    event = said(record, config, received_at, remarks)
    if event is None:
        ignored.append(f"the {record.type} belongs to no case, or is a draft")
        return ()
    return (event,)


def _comment(record: Record, config: Config, received_at: datetime, remarks: list[str]) -> TicketEvent | None:
    fields = record.fields
    case = fields.at("ParentId").id()
    if case is None:
        fields.at("ParentId").refuse("does not name the case")
    public = fields.at("IsPublished").flag()
    if public is None:
        fields.at("IsPublished").refuse("does not say whether the customer sees the comment")
    author = fields.at("CreatedById").id() or record.user
    kind = config.actor_kind(author) or (ActorKind(config.comment_author) if public else ActorKind.AGENT)
    if public and kind is ActorKind.UNKNOWN:
        remarks.append("nothing says who wrote the comment (`actor_map`, `comment_author`)")
    return _said(record, case, Actor(kind, author), public, ("CreatedDate", "LastModifiedDate"), config, received_at, remarks)


def _email(record: Record, config: Config, received_at: datetime, remarks: list[str]) -> TicketEvent | None:
    """An e-mail; None for a draft, and for one that belongs to no case."""
    fields = record.fields
    case = next((told for name in ("ParentId", "RelatedToId") if (told := fields.at(name).id()) and told.startswith(_CASE)), None)
    if case is None or fields.at("Status").word() in (_DRAFT, "Draft"):
        return None
    incoming = fields.at("Incoming").flag()
    told = {True: ActorKind.CUSTOMER, False: ActorKind.AGENT, None: ActorKind.UNKNOWN}[incoming]
    address, user = fields.at("FromAddress").word(), fields.at("CreatedById").id() or record.user
    kind = config.actor_kind(address, user) or told
    actor = Actor(kind, address if incoming or user is None else user)
    public = fields.at("IsExternallyVisible").flag() is not False
    return _said(record, case, actor, public, ("MessageDate", "CreatedDate", "LastModifiedDate"), config, received_at, remarks)


def _said(
    record: Record,
    case: str,
    actor: Actor,
    public: bool,
    times: tuple[str, ...],
    config: Config,
    received_at: datetime,
    remarks: list[str],
) -> TicketEvent:
    at = next((told for name in times if (told := record.fields.at(name).instant()) is not None), None) or record.committed_at.instant()
    if at is None:
        remarks.append(f"{record.fields.pointer}/{times[0]} cannot be read or is missing; the time of receipt is used")
    message = Message(actor.kind, public, record.fields.at("Id").id())
    return TicketEvent(
        source=config.name,
        ticket=case,
        key=record.key or f"{record.type}:{message.id or _salesforce_records.fingerprint(record)}",
        at=at or received_at,
        kind=_common.message_kind(message),
        message=message,
        actor=Actor(ActorKind.SYSTEM, actor.id) if actor.kind is ActorKind.BOT else actor,
        echo=config.is_ours(actor.id, record.user),
    )


class _Case:
    """A record of the type Case."""

    def __init__(self, record: Record, config: Config, received_at: datetime, remarks: list[str]) -> None:
        self.record, self.fields, self.config, self.remarks = record, record.fields, config, remarks
        case = self.fields.at("Id").id()
        if case is None:
            self.fields.at("Id").refuse("does not name the case")
        self.case = case
        self.created_at = self.fields.at("CreatedDate").instant()
        told = [record.committed_at, self.fields.at("LastModifiedDate"), self.fields.at("SystemModstamp")]
        told_at = next((at for place in told if (at := place.instant()) is not None), None)
        self.at = told_at or received_at
        if told_at is None:
            remarks.append(f"{self.fields.pointer}/LastModifiedDate cannot be read or is missing; the time of receipt is used")
        once = "" if told_at else _common.window(received_at)
        self.key = record.key or _common.digest(case, record.change, _salesforce_records.fingerprint(record), once)
        self.now = self._facts()

    def events(self) -> tuple[TicketEvent, ...]:
        if self.record.change in ("DELETE", "GAP_DELETE"):
            return (self._event(self.key, EventKind.TICKET_DELETED, self.at, {"deleted": True}, self._changer()),)
        is_unchanged = self.created_at is not None and abs(self.at - self.created_at) <= ONE_ACTION
        if is_unchanged or self.record.change == "CREATE":
            created_at = self.created_at or self.at
            facts = self.now if is_unchanged or self.created_at is None else {n: self.now[n] for n in _LASTING if n in self.now}
            created = self._event(self.key, EventKind.TICKET_CREATED, created_at, {"created_at": created_at, **facts}, self._creator())
            return (created,) if facts is self.now else (created, self._change(f"{self.key}:case"))
        return (self._change(self.key),)

    def _change(self, key: str) -> TicketEvent:
        kind = EventKind.TICKET_DELETED if self.now.get("deleted") else EventKind.TICKET_UPDATED
        return self._event(key, kind, self.at, self.now, self._changer())

    def _event(self, key: str, kind: EventKind, at: datetime, facts: Mapping[str, FactValue], actor: Actor) -> TicketEvent:
        echo = self.config.is_ours(actor.id, self.record.user)
        return TicketEvent(self.config.name, self.case, key, at, kind, facts, None, actor, echo=echo)

    def _changer(self) -> Actor:
        user = self.record.user or self.fields.at("LastModifiedById").id()
        return Actor(self.config.actor_kind(user) or ActorKind.UNKNOWN, user)

    def _creator(self) -> Actor:
        """A case with the address somebody wrote from, or typed into a web form, is that customer's; else nobody's we know."""
        supplied, user = self.fields.at("SuppliedEmail").word(), self.fields.at("CreatedById").id() or self.record.user
        known = self.config.actor_kind(user)
        if known is None and supplied is not None:
            return Actor(self.config.actor_kind(supplied) or ActorKind.CUSTOMER, supplied)
        return Actor(known or ActorKind.UNKNOWN, user)

    def _facts(self) -> dict[str, FactValue]:
        fields = self.fields
        facts = self._status()
        if (priority := fields.at("Priority").word()) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        facts |= _owner(fields.at("OwnerId"))
        requesters = (fields.at(name).word() for name in _REQUESTERS)
        if (requester := next((word for word in requesters if word), None)) is not None:
            facts["requester"] = requester
        facts |= {fact: word for fact, name in _WORDS if (word := fields.at(name).word()) is not None}
        for fact, name in (("escalated", "IsEscalated"), ("deleted", "IsDeleted")):
            if (flag := fields.at(name).flag()) is not None:
                facts[fact] = flag
        if self.record.change == "UNDELETE":
            facts["deleted"] = False
        if (master := fields.at("MasterRecordId").id()) is not None:
            facts["merged_into"] = master
        if self.record.host and (url := _json.web_address(f"https://{self.record.host}/{self.case}")) is not None:
            facts["url"] = url
        return facts | _custom(fields) | ({"created_at": self.created_at} if self.created_at else {})

    def _status(self) -> dict[str, FactValue]:
        status = self.fields.at("Status").word()
        if status is None:
            return {}
        if self.config.status_words.get(status) is None and self.fields.at("IsClosed").flag():
            self.remarks.append(f"{self.config.status_words.unknown(status)}; the case is closed, so it is taken for solved")
            return {"status": Status.SOLVED.value}
        return _common.status_and_presence(status, self.config.status_words, self.remarks)


def _owner(place: Node) -> dict[str, FactValue]:
    """A user, or a queue: then nobody is assigned."""
    owner = place.id()
    if owner is None:
        return {}
    return {"group": owner, "assignee": None} if owner.startswith(_QUEUE) else {"assignee": owner}


def _custom(fields: Node) -> dict[str, FactValue]:
    """The house's own fields (`..._c`) by their names; one that was emptied is told to be nothing."""
    names = [
        name for name in fields.value if name.endswith("__c") and name.isascii() and name.replace("_", "").isalnum() and len(name) <= 64
    ]
    return {name: fields.at(name).word() for name in names[:100] if not isinstance(fields.value[name], dict | list)}
