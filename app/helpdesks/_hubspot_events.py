"""The webhooks of a HubSpot app: a list of up to 100 events, of all kinds of objects, in no order.

https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide

* `eventId` is not unique: an event is told by all that it says, but for `attemptNumber`, which grows with each retry.
* Subscriptions name the object (`ticket.creation`) or not (`object.creation` with `objectTypeId` 0-5).
* A user of HubSpot is staff. Who acts by a form, a mail or a chat is not told.
* Messages of the inbox (`conversation.newMessage`) name only their thread. They are read where the source takes threads for tickets.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.helpdesks import Reading, _common, _hubspot_ticket, _json, _words
from app.helpdesks._hubspot_ticket import TICKETS
from app.helpdesks._json import Node
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent

if TYPE_CHECKING:
    from app.helpdesks.hubspot import Config

EVENTS_MAX: Final = 1000
"""HubSpot sends at most 100."""

_IDENTITY: Final = (
    "portalId", "appId", "subscriptionId", "subscriptionType", "eventId", "objectId", "objectTypeId", "occurredAt", "propertyName",
    "propertyValue", "messageId", "primaryObjectId", "newObjectId",
)  # fmt: skip
_MACHINES: Final = frozenset(
    {
        "AUTOMATION_PLATFORM", "AUTOMATION", "WORKFLOW", "WORKFLOWS", "CALCULATED", "INTEGRATION", "API", "BATCH_UPDATE", "IMPORT", "TASK",
        "CONVERSATIONS_BOT", "INTERNAL_PROCESSING", "DEFAULT", "DEDUPLICATION", "MIGRATION", "MERGE_OBJECTS", "SYNC",
    }
)  # fmt: skip


def read(body: Node, config: Config, received_at: datetime) -> Reading:
    """The events of all elements that are about tickets; ignored when none is."""
    items = body.value
    if len(items) > EVENTS_MAX:
        body.refuse(f"holds {len(items)} events; at most {EVENTS_MAX} are read")
    remarks: list[str] = []
    events: dict[tuple[str, str], TicketEvent] = {}
    passed_over: list[str] = []
    for index, value in enumerate(items):
        place = Node(value, f"/{index}")
        if not isinstance(value, dict):
            place.refuse("is not an object")
        element = _Element(place, config, received_at, remarks)
        found = list(element.events())
        if not found:
            passed_over.append(element.why_not())
        for event in found:
            events.setdefault((event.ticket, event.key), event)
    if not events:
        return Reading("ignored", reason=_common.remark(passed_over) or "The list holds no event.")
    return Reading("applied", tuple(events.values()), _common.remark(remarks))


class _Element:
    def __init__(self, place: Node, config: Config, received_at: datetime, remarks: list[str]) -> None:
        self.place, self.config, self.remarks = place, config, remarks
        self.subscription = place.at("subscriptionType").word() or ""
        about, _, self.what = self.subscription.partition(".")
        self.about = "ticket" if about == "object" and place.at("objectTypeId").word() == TICKETS else about
        told_at = place.at("occurredAt").instant()
        self.at = told_at or received_at
        self.once = "" if told_at else _common.window(received_at)

    def events(self) -> Iterator[TicketEvent]:
        if self.about == "conversation" and self.config.conversations == "tickets":
            yield from self._of_a_thread()
        elif self.about == "ticket" and self.what == "merge":
            yield from self._merged()
        elif self.about == "ticket":
            yield from self._of_a_ticket()

    def why_not(self) -> str:
        """Why this element says nothing to us."""
        if self.about == "conversation":
            return f"{_words.shown(self.subscription)} names a thread and no ticket (`conversations: tickets` takes threads for tickets)."
        if self.about != "ticket":
            return f"{_words.shown(self.subscription)} is not about a ticket."
        name = self.place.look("propertyName").word()
        return f"{_words.shown(name or self.subscription)} does not touch any promise."

    def _of_a_ticket(self) -> Iterator[TicketEvent]:
        if self.what == "creation":
            yield self._event(EventKind.TICKET_CREATED, {"created_at": self.at})
        elif self.what in ("deletion", "privacyDeletion"):
            yield self._event(EventKind.TICKET_DELETED, {"deleted": True})
        elif self.what == "restore":
            yield self._event(EventKind.TICKET_UPDATED, {"deleted": False})
        elif self.what == "propertyChange":
            name = self.place.at("propertyName").word() or ""
            said = _hubspot_ticket.read(name, self.place.at("propertyValue"), self.config, self.remarks)
            if said is not None:
                yield self._event(said.kind, dict(said.facts), said.message, said.at)

    def _of_a_thread(self) -> Iterator[TicketEvent]:
        if self.what in ("creation", "deletion", "privacyDeletion"):
            yield from self._of_a_ticket()
        elif self.what == "newMessage":
            kind = (self.place.at("messageType").word() or "").upper()
            author = ActorKind.BOT if kind == "WELCOME_MESSAGE" else ActorKind.AGENT if kind == "COMMENT" else ActorKind.UNKNOWN
            message = Message(author, kind != "COMMENT", self.place.at("messageId").id())
            yield self._event(_common.message_kind(message), {}, message)
        elif self.what == "propertyChange":
            yield from self._thread_changed()

    def _thread_changed(self) -> Iterator[TicketEvent]:
        value, name = self.place.at("propertyValue"), self.place.at("propertyName").word()
        if name == "status" and (word := value.word()) is not None:
            told = "solved" if word.upper() == "CLOSED" and self.config.status_words.get(word) == "closed" else word
            facts = _common.status_facts(told, self.config.status_words, self.remarks)
            yield self._event(EventKind.TICKET_STATUS_CHANGED, facts)
        elif name == "assignedTo":
            yield self._event(EventKind.TICKET_ASSIGNED, {"assignee": value.id()})
        elif name == "isArchived" and (gone := value.flag()) is not None:
            yield self._event(EventKind.TICKET_DELETED if gone else EventKind.TICKET_UPDATED, {"deleted": gone})

    def _merged(self) -> Iterator[TicketEvent]:
        """Each ticket that went into another. A merge may make a new ticket; then the first one is gone as well."""
        primary, new = self.place.at("primaryObjectId").id(), self.place.at("newObjectId").id()
        survivor = new or primary or self._ticket()
        merged = self.place.at("mergedObjectIds")
        gone = [one.id() for one in _common.each(merged)] + [primary]
        for ticket in dict.fromkeys(one for one in gone if one is not None and one != survivor):
            yield self._event(EventKind.TICKET_UPDATED, {"merged_into": survivor}, ticket=ticket)

    def _event(
        self,
        kind: EventKind,
        facts: dict[str, FactValue],
        message: Message | None = None,
        at: datetime | None = None,
        ticket: str | None = None,
    ) -> TicketEvent:
        named = ticket or self._ticket()
        source_id = self.place.at("sourceId").id()
        actor = self._actor(source_id, message)
        parts = [_json.plain(told.value) if (told := self.place.look(name)).is_told else "" for name in _IDENTITY]
        return TicketEvent(
            source=self.config.name,
            ticket=named,
            key=_common.digest(named, *parts, self.once),
            at=at or self.at,
            kind=kind,
            set=facts,
            message=message,
            actor=actor,
            echo=self.config.is_ours(actor.id, source_id),
        )

    def _ticket(self) -> str:
        ticket = self.place.at("objectId").id()
        if ticket is None:
            self.place.at("objectId").refuse("does not name the object")
        return ticket

    def _actor(self, source_id: str | None, message: Message | None) -> Actor:
        """A message's author; else a user of HubSpot, a machine, or nobody we know."""
        user = source_id.removeprefix("userId:") if source_id else None
        if (known := self.config.actor_kind(user, source_id)) is not None:
            return Actor(ActorKind.SYSTEM if known is ActorKind.BOT else known, user)
        if message is not None:
            return Actor(ActorKind.SYSTEM if message.author is ActorKind.BOT else message.author)
        if source_id is not None and source_id.startswith("userId:"):
            return Actor(ActorKind.AGENT, user)
        is_machine = (self.place.at("changeSource").word() or "").upper() in _MACHINES
        return Actor(ActorKind.SYSTEM if is_machine else ActorKind.UNKNOWN, user)
