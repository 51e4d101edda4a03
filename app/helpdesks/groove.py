"""Groove: one webhook per event; the header X-Groove-Event names it, the body is the ticket or the message.

https://www.groovehq.com/docs/webhooks

* A ticket is named by its number. Messages name it only in a link; who wrote them is a link too (`/agents/...`, `/customers/...`).
* `note` beats `agent_response`: a note is written by an agent and says both.
* Groove signs nothing and names no delivery. A message is told by its id, a ticket's event by a hash of what it says.
* A ticket's body is the ticket when the job runs. When it is newer than the creation it tells of, the creation and the present state are
  two events.
* `state_changed_at` is not trusted: it has been seen older than the state beside it. Spam cancels the clocks; any other state says that the
  ticket is there.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal
from urllib.parse import unquote

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _json, _proof, _words
from app.helpdesks._json import Node
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

EVENT: Final = "x-groove-event"

ONE_ACTION: Final = timedelta(seconds=2)
"""A body of a new ticket that is newer than this tells of more than the creation."""

_TICKET_EVENTS: Final = {
    "ticket_started": EventKind.TICKET_CREATED,
    "ticket_opened": EventKind.TICKET_STATUS_CHANGED,
    "ticket_closed": EventKind.TICKET_STATUS_CHANGED,
    "ticket_state_changed": EventKind.TICKET_STATUS_CHANGED,
    "ticket_assigned": EventKind.TICKET_ASSIGNED,
    "ticket_priority_changed": EventKind.TICKET_PRIORITY_CHANGED,
    "ticket_deleted": EventKind.TICKET_DELETED,
}
_MESSAGE_EVENTS: Final = ("customer_replied", "agent_replied", "note_added")
_FOREIGN: Final = ("customer_", "agent_invited", "agent_archived")
_IMPLIED: Final = {"ticket_opened": "opened", "ticket_closed": "closed"}
"""States that an event names where the body, as in Groove's oldest format, does not."""


class Config(_proof.ProvedConfig):
    """A Groove source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "unread": "new", "opened": "open", "closed": "solved", "snoozed": "pending", "spam": "deleted", "deleted": "deleted",
    }  # fmt: skip

    kind: Literal["groove"]


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """One event, or two for a new ticket that has changed already. Unreadable when the ticket, or who sees a message, cannot be told."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    event = request.headers.get(EVENT, "").strip().casefold()
    if event.startswith(_FOREIGN) and event not in _MESSAGE_EVENTS:
        return Reading("ignored", reason=f"{_words.shown(event)} is not about a ticket.")
    message = _within(body, "message")
    if event in _MESSAGE_EVENTS or (not event.startswith("ticket_") and _is_message(message)):
        return _message_reading(message, event, config, received_at)
    return _Ticket(request, body, event, config, received_at).reading()


def _within(body: Node, name: str) -> Node:
    """The object itself, or the one it wraps under its name."""
    inner = body.look(name)
    return inner if isinstance(inner.value, dict) else body


def _is_message(body: Node) -> bool:
    return body.look("links", "ticket").is_told or body.look("agent_response").is_told or body.look("plain_text_body").is_told


def _message_reading(body: Node, event: str, config: Config, received_at: datetime) -> Reading:
    remarks: list[str] = []
    ticket = _linked(body.look("links", "ticket", "href"), "tickets") or body.look("ticket_number").id()
    if ticket is None:
        body.at("links", "ticket", "href").refuse("does not name the ticket")
    author = _author(body, event, config)
    message = Message(author.kind, _is_public(body, event), body.at("id").id() or _linked(body.look("href"), "messages"))
    url = _json.web_address(body.look("app_ticket_url").word())
    told_at = body.at("created_at").instant()
    key = message.id or _common.digest(config.name, ticket, repr(body.value), "" if told_at else _common.window(received_at))
    if told_at is None:
        remarks.append("/created_at cannot be read or is missing; the time of receipt is used")
    said = TicketEvent(
        source=config.name,
        ticket=ticket,
        key=key,
        at=told_at or received_at,
        kind=_common.message_kind(message),
        set={"url": url} if url else {},
        message=message,
        actor=author,
        echo=config.is_ours(author.id),
    )
    return Reading("applied", (said,), _common.remark(remarks))


def _is_public(body: Node, event: str) -> bool:
    note = body.at("note").flag()
    if event == "note_added" or note is not None:
        return event != "note_added" and not note
    if event not in _MESSAGE_EVENTS:
        body.at("note").refuse("does not say whether the customer sees the message")
    return True


def _author(body: Node, event: str, config: Config) -> Actor:
    """Who wrote a message: by the link to the author, else by the flag, else by the event."""
    link = body.look("links", "author", "href")
    agent, customer = _linked(link, "agents"), _linked(link, "customers")
    by_flag = {True: ActorKind.AGENT, False: ActorKind.CUSTOMER, None: None}[body.at("agent_response").flag()]
    by_event = ActorKind.CUSTOMER if event == "customer_replied" else ActorKind.AGENT if event in _MESSAGE_EVENTS else ActorKind.UNKNOWN
    told = ActorKind.AGENT if agent else ActorKind.CUSTOMER if customer else by_flag or by_event
    user_id = body.look("links", "author", "id").id()
    user = agent or customer or user_id
    return Actor(config.actor_kind(user, user_id) or told, user)


def _linked(link: Node, collection: str) -> str | None:
    """The id at the end of a link into a collection: `ann@customer.example` of `.../customers/ann@customer.example`."""
    text = link.word() if isinstance(link.value, str) else None
    _, found, rest = (text or "").rpartition(f"/{collection}/")
    name = unquote(rest.partition("/")[0].partition("?")[0]).strip()
    return name if found and name and len(name) <= _json.ID_MAX and "\x00" not in name else None


class _Ticket:
    """A body that is a ticket, or wraps one."""

    def __init__(self, request: HttpRequest, body: Node, event: str, config: Config, received_at: datetime) -> None:
        self.ticket = _within(body, "ticket")
        self.config, self.event = config, event
        self.remarks: list[str] = []
        self.id = self._number(body)
        self.created_at = self.ticket.at("created_at").instant()
        updated_at = self._updated_at()
        if updated_at is None:
            self.remarks.append("/updated_at cannot be read or is missing; the time of receipt is used")
        self.at = updated_at or received_at
        self.key = _common.digest(config.name, self.id, event, request.body, "" if updated_at else _common.window(received_at))
        self.now = self._facts(body)

    def _updated_at(self) -> datetime | None:
        names = ("deleted_at", "updated_at", "system_updated_at") if self.event == "ticket_deleted" else ("updated_at", "system_updated_at")
        return next((at for name in names if (at := self.ticket.at(name).instant()) is not None), None)

    def reading(self) -> Reading:
        kind = EventKind.TICKET_DELETED if self.now.get("deleted") else _TICKET_EVENTS.get(self.event, EventKind.TICKET_UPDATED)
        if kind is not EventKind.TICKET_CREATED or self.created_at is None:
            return self._applied(self._event("", kind, self.at, self.now, self._actor()))
        if abs(self.at - self.created_at) <= ONE_ACTION:
            return self._applied(self._event("", kind, self.created_at, self.now, self._creator()))
        lasting = {name: self.now[name] for name in _LASTING if name in self.now}
        return self._applied(
            self._event("", kind, self.created_at, lasting, self._creator()),
            self._event(":ticket", EventKind.TICKET_SNAPSHOT, self.at, self.now, Actor()),
        )

    def _applied(self, *events: TicketEvent) -> Reading:
        return Reading("applied", events, _common.remark(self.remarks))

    def _event(self, suffix: str, kind: EventKind, at: datetime, facts: dict[str, FactValue], actor: Actor) -> TicketEvent:
        echo = self.config.is_ours(actor.id)
        return TicketEvent(self.config.name, self.id, self.key + suffix, at, kind, facts, None, actor, echo=echo)

    def _number(self, body: Node) -> str:
        ticket = self.ticket
        told = ticket.at("number").id() or body.look("ticket_number").id()
        told = told or _linked(ticket.look("href"), "tickets") or _linked(ticket.look("links", "messages", "href"), "tickets")
        if told is None:
            ticket.at("number").refuse("does not name the ticket")
        return told

    def _actor(self) -> Actor:
        """Groove says who closed a ticket, and nothing of who did anything else."""
        closed_by = _name(self.ticket.at("closed_by"))
        if closed_by is None or self.now.get("status") != "solved" or self.event not in ("ticket_closed", "ticket_state_changed"):
            return Actor()
        return Actor(self.config.actor_kind(closed_by) or ActorKind.AGENT, closed_by)

    def _creator(self) -> Actor:
        """Whose message is the last one of a new ticket, by its type; `last_message_author` has been seen to name an agent beside a
        customer's message."""
        requester = self.now.get("requester")
        kind = {"enduser": ActorKind.CUSTOMER, "agent": ActorKind.AGENT}.get(
            (self.ticket.at("last_message_type").word() or "").casefold(), ActorKind.UNKNOWN
        )
        user = str(requester) if kind is ActorKind.CUSTOMER and requester else None
        return Actor(self.config.actor_kind(user) or kind, user)

    def _facts(self, body: Node) -> dict[str, FactValue]:
        ticket, facts = self.ticket, dict[str, FactValue]()
        state = ticket.at("state").word() or _state_of(body) or _IMPLIED.get(self.event)
        if state is not None:
            facts |= _common.status_and_presence(state, self.config.status_words, self.remarks)
        if self.event == "ticket_deleted" or not ticket.at("deleted_at").is_blank:
            facts["deleted"] = True
        if (priority := ticket.at("priority").word()) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        facts |= {fact: _name(told) for fact, place in _OWNERS if (told := ticket.at(place)).is_told}
        if (requester := _linked(ticket.look("links", "customer", "href"), "customers")) is not None:
            facts["requester"] = requester
        if (tags := ticket.at("tags")).is_told:
            facts["tags"] = _tags(tags)
        facts |= {fact: word for fact, place in _WORDS if (word := ticket.at(place).word()) is not None}
        if (url := _json.web_address(ticket.look("app_url").word())) is not None:
            facts["url"] = url
        return facts | ({"created_at": self.created_at} if self.created_at else {})


_OWNERS: Final = (("assignee", "assignee"), ("group", "assigned_group"))
_WORDS: Final = (("subject", "title"), ("mailbox", "mailbox"), ("channel", "type"))
_LASTING: Final[tuple[str, ...]] = ("created_at", "requester", "subject", "mailbox", "channel", "url")
"""Facts that were true at the creation already."""


def _state_of(body: Node) -> str | None:
    """The state beside a wrapped ticket."""
    told = body.look("state")
    return told.word() if isinstance(told.value, str) else None


def _name(place: Node) -> str | None:
    """What a person or a group is called: it may be an address, a name, an object of them, or nobody."""
    if not isinstance(place.value, dict):
        return place.word()
    return next((word for name in ("email", "name", "id") if (word := place.look(name).word()) is not None), None)


def _tags(place: Node) -> tuple[str, ...]:
    """Tags as words, or as objects with a name."""
    if isinstance(place.value, list) and any(isinstance(tag, dict) for tag in place.value):
        named = [tag.get("name") if isinstance(tag, dict) else tag for tag in place.value]
        return Node(named, place.pointer).words()
    return place.words()
