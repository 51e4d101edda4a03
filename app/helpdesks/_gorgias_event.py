"""Gorgias' ticket and message, wherever in a body they are."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from app.helpdesks import SourceConfig, _common, _json
from app.helpdesks._json import MISSING, Node
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

JUST_CREATED: Final = timedelta(seconds=5)
"""Gorgias creates a ticket, and then saves its first message."""

_KINDS: Final = {
    "ticket-created": EventKind.TICKET_CREATED,
    "ticket-status-updated": EventKind.TICKET_STATUS_CHANGED,
    "ticket-self-unsnoozed": EventKind.TICKET_STATUS_CHANGED,
    "ticket-assignment-updated": EventKind.TICKET_ASSIGNED,
    "ticket-handed-over": EventKind.TICKET_ASSIGNED,
}
"""Trigger of the integration -> kind; every other one is an update."""

_EVENT_NAMES: Final = ("event", "trigger", "event_type", "type")


@dataclass(slots=True)
class Webhook:
    """One delivery."""

    body: Node
    config: SourceConfig
    received_at: datetime
    raw: bytes
    remarks: list[str] = field(default_factory=list)

    def events(self) -> tuple[TicketEvent, ...]:
        """The message first, where one is told; the ticket with it, or apart where it changed later. Nothing for a message that failed."""
        ticket, message = self._ticket(), self._told_message()
        if message.value is MISSING:
            return (self._state(ticket),)
        if not message.at("failed_datetime").is_blank or self._name() == "ticket-message-failed":
            return () if ticket.value is MISSING else (self._state(ticket),)
        said = self._said(message, ticket)
        updated_at = ticket.look("updated_datetime").instant()
        if ticket.value is MISSING:
            return (said,)
        if self._name() == "ticket-created":
            return (self._state(ticket), said)
        together = updated_at is None or updated_at - said.at <= _common.ONE_ACTION
        return (said,) if together else (said, self._state(ticket))

    def _name(self) -> str:
        """The integration's trigger, if the body tells it."""
        told = next((word for name in _EVENT_NAMES if isinstance(word := self.body.look(name).value, str)), "")
        return told.strip().casefold().replace("_", "-")

    def _place(self, name: str) -> Node:
        for holder in (self.body, self.body.look("context"), self.body.look("data")):
            if isinstance(holder.look(name).value, dict):
                return holder.look(name)
        return Node(MISSING, f"/{name}")

    def _ticket(self) -> Node:
        """The ticket: under its name, or the body itself; nothing when the body is a message."""
        told = self._place("ticket")
        is_ticket = not self.body.look("id").is_blank and self.body.look("ticket_id").is_blank
        return self.body if told.value is MISSING and is_ticket else told

    def _told_message(self) -> Node:
        """The message: under its name, or the body itself; nothing when there is none (our template leaves its id empty)."""
        told = self._place("message")
        if told.value is MISSING and not self.body.look("ticket_id").is_blank and not self.body.look("id").is_blank:
            told = self.body
        return Node(MISSING) if told.look("id").is_blank else told

    def _id_of(self, ticket: Node, message: Node) -> str:
        told = ticket.look("id").id() or message.look("ticket_id").id() or self.body.look("ticket_id").id()
        if told is None:
            self.body.refuse("names no ticket (`ticket.id`, or `ticket_id` of a message)")
        return told

    def _said(self, message: Node, ticket: Node) -> TicketEvent:
        """The message, with what the ticket was then."""
        said_at = message.at("created_datetime").instant()
        if said_at is None:
            self.remarks.append("the message tells no readable time; the time of receipt is used")
        at = said_at or self.received_at
        author, sender = self._author(message), message.at("sender")
        public = message.at("public").flag() is not False and message.at("channel").value != "internal-note"
        message_id = message.at("id").id()
        spoken = Message(author, public, message_id)
        facts = _common.as_of(at, ticket.look("updated_datetime").instant(), self._facts(ticket, at))
        user = sender.look("id").id()
        return TicketEvent(
            source=self.config.name,
            ticket=self._id_of(ticket, message),
            key=str(message_id),
            at=at,
            kind=_common.message_kind(spoken),
            set=facts,
            message=spoken,
            actor=Actor(ActorKind.SYSTEM if author is ActorKind.BOT else author, user),
            echo=self.config.is_ours(user, sender.look("email").word()),
        )

    def _author(self, message: Node) -> ActorKind:
        sender, from_agent = message.at("sender"), message.at("from_agent").flag()
        told = self.config.actor_kind(sender.look("id").id(), sender.look("email").word())
        if told is not None:
            return told
        if from_agent is None:
            return ActorKind.UNKNOWN
        if not from_agent:
            return ActorKind.CUSTOMER
        return ActorKind.BOT if not message.at("rule_id").is_blank or message.at("via").value == "rule" else ActorKind.AGENT

    def _state(self, ticket: Node) -> TicketEvent:
        """The ticket as it stands."""
        created_at, updated_at = (ticket.look(name).instant() for name in ("created_datetime", "updated_datetime"))
        kind = self._kind(created_at, updated_at)
        at = created_at if kind is EventKind.TICKET_CREATED else updated_at
        if at is None:
            self.remarks.append("the ticket tells no readable time; the time of receipt is used")
        ticket_id, facts = self._id_of(ticket, Node(MISSING)), self._facts(ticket, at or self.received_at)
        once = "" if at else _common.window(self.received_at)
        return TicketEvent(
            source=self.config.name,
            ticket=ticket_id,
            key=_common.digest(self.config.name, "ticket", ticket_id, self.raw, once),
            at=at or self.received_at,
            kind=EventKind.TICKET_DELETED if facts.get("deleted") else kind,
            set=facts,
            actor=self._creator(ticket) if kind is EventKind.TICKET_CREATED else Actor(),
        )

    def _kind(self, created_at: datetime | None, updated_at: datetime | None) -> EventKind:
        """What the trigger says; without one, a ticket that did not change since its creation was just created."""
        if name := self._name():
            return _KINDS.get(name, EventKind.TICKET_UPDATED)
        unchanged = updated_at is None or (created_at is not None and updated_at - created_at <= JUST_CREATED)
        return EventKind.TICKET_CREATED if unchanged and created_at is not None else EventKind.TICKET_UPDATED

    def _creator(self, ticket: Node) -> Actor:
        from_agent = ticket.at("from_agent").flag()
        if from_agent is None:
            return Actor()
        return Actor(ActorKind.AGENT if from_agent else ActorKind.CUSTOMER, None if from_agent else _requester(ticket))

    def _facts(self, ticket: Node, at: datetime) -> dict[str, FactValue]:
        """What the ticket tells; its snooze is judged at the instant `at`."""
        if ticket.value is MISSING:
            return {}
        facts: dict[str, FactValue] = {}
        if (status := self._status(ticket, at)) is not None:
            facts |= _common.status_facts(status, self.config.status_words, self.remarks)
        if (priority := ticket.at("priority").word()) is not None:
            facts |= _common.priority_facts(priority, self.config.priority_words, self.remarks)
        facts |= _presence(ticket) | _owners(ticket)
        if ticket.at("tags").is_told:
            tags = ticket.at("tags")
            facts["tags"] = tags.words() if isinstance(tags.value, str) else _common.names(tags, "name")
        for fact, word in (
            ("requester", _requester(ticket)), ("subject", ticket.at("subject").word()), ("channel", ticket.at("channel").word()),
            ("language", ticket.at("language").word()), ("url", _link(ticket)),
        ):  # fmt: skip
            if word is not None:
                facts[fact] = word
        if (created_at := ticket.at("created_datetime").instant()) is not None:
            facts["created_at"] = created_at
        return facts

    def _status(self, ticket: Node, at: datetime) -> str | None:
        snoozed_until = ticket.at("snooze_datetime").instant()
        return "snoozed" if snoozed_until is not None and snoozed_until > at else ticket.at("status").word()


def _presence(ticket: Node) -> dict[str, FactValue]:
    """Whether the ticket is in the trash or in the spam; nothing when neither is told."""
    trashed, spam = ticket.at("trashed_datetime"), ticket.at("spam")
    if not trashed.is_told and not spam.is_told:
        return {}
    return {"deleted": not trashed.is_blank or bool(spam.flag())}


def _owners(ticket: Node) -> dict[str, FactValue]:
    """Assignee and team by id, in all their forms; None is nobody."""
    facts: dict[str, FactValue] = {}
    for fact, name in (("assignee", "assignee_user"), ("group", "assignee_team")):
        whole, alone = ticket.at(name), ticket.at(f"{name}_id")
        if whole.is_told or alone.is_told:
            facts[fact] = whole.look("id").id() or alone.id()
    return facts


def _requester(ticket: Node) -> str | None:
    """The customer by address, else by id."""
    for name in ("customer", "requester"):
        if (told := _common.name_of(ticket.at(name), "email", "id")) is not None:
            return told
    return ticket.at("customer_id").id()


def _link(ticket: Node) -> str | None:
    """The ticket in Gorgias' helpdesk, where the account is told."""
    domain, number = ticket.look("account", "domain").word(), ticket.look("id").id()
    return _json.web_address(f"https://{domain}.gorgias.com/app/ticket/{number}") if domain and number else None
