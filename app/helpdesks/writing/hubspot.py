"""HubSpot: a ticket's properties; the note is an object of its own, tied to the ticket.

https://developers.hubspot.com/docs/api-reference/crm-tickets-v3/guide

There are no tags: a tag is the name of a property of the kind *single checkbox*, or, with `tag_property`, a choice of a property of the
kind *multiple checkboxes*. A merged ticket answers with the surviving one. A private app may make 100 requests in ten seconds.
"""

from typing import Any, ClassVar, Final

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Order, WriteBackConfig
from app.helpdesks.writing._calls import as_html, ask, bearer, dig, fetch, has_note, missing, request, segment
from app.schemas.events_out import rfc3339

NOTE_TO_TICKET: Final = 228
"""HubSpot's number for this kind of association."""


class Config(WriteBackConfig):
    """How breaches are marked in HubSpot."""

    can: ClassVar = frozenset({"tags", "priority", "note", "assignee"})
    published_per_minute: ClassVar[float] = 600
    words: ClassVar = {"low": "LOW", "normal": "MEDIUM", "high": "HIGH", "urgent": "URGENT"}

    url: BaseUrl = Field(default="https://api.hubapi.com", description="Where the API is.")
    token: Secret = Field(description="Of a private app that may read and write tickets.")
    tag_property: str | None = Field(default=None, description="A multiple-choice property that holds the tags.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the properties, change those that differ, write the note."""
    config: Config = desk.config
    auth, root = bearer(config.token), f"{config.url}/crm/v3/objects"
    asked = ["hs_ticket_priority", "hs_pipeline_stage", "hubspot_owner_id", *([config.tag_property] if config.tag_property else order.tags)]
    told = yield from fetch(request("GET", f"{root}/tickets/{segment(order.ticket)}", auth, query={"properties": ",".join(asked)}))
    ticket, properties = str(dig(told, "id") or order.ticket), dig(told, "properties")
    desk.require_open(order, dig(properties, "hs_pipeline_stage"))
    if changes := _changes(order, desk, properties):
        yield from ask(request("PATCH", f"{root}/tickets/{segment(ticket)}", auth, {"properties": changes}))
    if order.note is not None and not (order.is_repeat and (yield from has_note(_notes(root, auth, ticket), order.marker))):
        yield from ask(request("POST", f"{root}/notes", auth, _note(order, ticket)))


def _changes(order: Order, desk: Desk, properties: Any) -> dict[str, str]:
    changes = _tags(order, desk.config.tag_property, properties)
    if (priority := desk.raised(order, dig(properties, "hs_ticket_priority"))) is not None:
        changes["hs_ticket_priority"] = priority
    owner = desk.assignee(order)
    if owner is not None and dig(properties, "hubspot_owner_id") != owner:
        changes["hubspot_owner_id"] = owner
    return changes


def _tags(order: Order, held_by: str | None, properties: Any) -> dict[str, str]:
    if held_by is None:
        return {tag: "true" for tag in order.tags if dig(properties, tag) != "true"}
    now = [word for word in str(dig(properties, held_by) or "").split(";") if word]
    added = missing(order.tags, now)
    return {held_by: ";".join([*now, *added])} if added else {}


def _notes(root: str, auth: dict[str, str], ticket: str) -> Any:
    of_ticket = {"propertyName": "associations.ticket", "operator": "EQ", "value": ticket}
    newest = [{"propertyName": "hs_createdate", "direction": "DESCENDING"}]
    search = {"filterGroups": [{"filters": [of_ticket]}], "properties": ["hs_note_body"], "sorts": newest, "limit": 50}
    return request("POST", f"{root}/notes/search", auth, search)


def _note(order: Order, ticket: str) -> dict[str, Any]:
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_TICKET}
    return {
        "properties": {"hs_timestamp": rfc3339(order.at), "hs_note_body": as_html(order.note or "")},
        "associations": [{"to": {"id": ticket}, "types": [kind]}],
    }
