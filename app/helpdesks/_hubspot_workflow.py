"""What HubSpot's workflows send: one ticket with its properties, each with its value and its history; or the properties the admin chose.

It is a snapshot, as of the request's signed time. Dates of messages among the properties are messages of their own, at their instants.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _hubspot_ticket, _json, _words
from app.helpdesks._hubspot_signature import SIGNED_AT
from app.helpdesks._hubspot_ticket import TICKETS
from app.helpdesks._json import Node
from app.rules.events import Actor, EventKind, FactValue, TicketEvent

if TYPE_CHECKING:
    from app.helpdesks.hubspot import Config

CORRELATION: Final = "x-hubspot-correlation-id"


def read(body: Node, request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The snapshot and the messages it tells of; ignored when it is about another kind of object."""
    delivery = request.headers.get(CORRELATION, "").strip()[: _json.ID_MAX] or None
    kind = body.look("objectTypeId").word() or body.look("objectType").word() or TICKETS
    if kind.upper() not in (TICKETS, "TICKET"):
        return Reading("ignored", reason=f"{_words.shown(kind)} is not about a ticket.", delivery_id=delivery)
    properties = _properties(body)
    ticket = next((found for place in _names(body, properties) if (found := place.id()) is not None), None)
    if ticket is None:
        body.refuse("does not name the ticket (`objectId`, or the property `hs_object_id`)")
    return _Snapshot(body, properties, ticket, delivery, request, config, received_at).reading()


class _Snapshot:
    def __init__(
        self,
        body: Node,
        properties: dict[str, Node],
        ticket: str,
        delivery: str | None,
        request: HttpRequest,
        config: Config,
        received_at: datetime,
    ) -> None:
        self.properties, self.ticket, self.delivery, self.config = properties, ticket, delivery, config
        self.remarks: list[str] = []
        told_at = Node(request.headers.get(SIGNED_AT)).instant()
        self.at = told_at or received_at
        self.key = delivery or _common.digest(config.name, ticket, request.body, "" if told_at else _common.window(received_at))
        self.is_deleted = body.look("isDeleted").flag() or body.look("properties", "hs_is_deleted").flag()

    def reading(self) -> Reading:
        facts: dict[str, FactValue] = {}
        messages: list[TicketEvent] = []
        for name, place in self.properties.items():
            if _hubspot_ticket.ENTERED.fullmatch(name):
                continue  # all stages the ticket has ever seen; where it is now is told by `hs_pipeline_stage`
            said = _hubspot_ticket.read(name, place, self.config, self.remarks)
            if said is None:
                continue
            facts |= said.facts
            if said.message is not None and said.at is not None:
                messages.append(self._event(f"{self.ticket}:{said.message.id}", said.kind, said.at, said))
        if self.is_deleted:
            facts["deleted"] = True
        kind = EventKind.TICKET_DELETED if self.is_deleted else EventKind.TICKET_SNAPSHOT
        state = self._event(self.key, kind, self.at, _hubspot_ticket.Said(kind, facts))
        return Reading("applied", (state, *messages), _common.remark(self.remarks), self.delivery)

    def _event(self, key: str, kind: EventKind, at: datetime, said: _hubspot_ticket.Said) -> TicketEvent:
        actor = Actor(said.message.author) if said.message else Actor()
        return TicketEvent(self.config.name, self.ticket, key, at, kind, said.facts, said.message, actor)


def _properties(body: Node) -> dict[str, Node]:
    """Name -> value, whether each property is an object with its history, or a bare value."""
    place = body.look("properties")
    told = place if isinstance(place.value, dict) else body
    return {name: _value(told.at(name)) for name in told.value}


def _value(place: Node) -> Node:
    return place.at("value") if isinstance(place.value, dict) else place


def _names(body: Node, properties: dict[str, Node]) -> Iterator[Node]:
    yield body.look("objectId")
    yield properties.get("hs_object_id", Node(None))
    yield properties.get("hs_ticket_id", Node(None))
