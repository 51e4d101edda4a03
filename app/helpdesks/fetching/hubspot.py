"""HubSpot: a ticket's properties, of which webhooks tell one at a time.

https://developers.hubspot.com/docs/api-reference/crm-tickets-v3/guide

A private app may make 100 requests in ten seconds. Threads of the inbox are no tickets of the CRM, and are not found.
"""

from collections.abc import MutableMapping
from typing import ClassVar, Final

from pydantic import Field

from app.helpdesks import Secret, SourceConfig, _hubspot_ticket
from app.helpdesks._json import Node
from app.helpdesks.fetching import ApiConfig, Walk, get
from app.helpdesks.fetching._telling import Teller
from app.helpdesks.writing import BaseUrl
from app.helpdesks.writing._calls import bearer, request, segment
from app.rules.events import FactValue

_ASKED: Final = (
    "hs_pipeline_stage", "hs_ticket_priority", "hubspot_owner_id", "hubspot_team_id", "hs_pipeline", "subject", "hs_ticket_category",
    "source_type", "hs_primary_company_name", "createdate",
)  # fmt: skip
_TOUCHED: Final = "hs_lastmodifieddate"


class Config(ApiConfig):
    """How HubSpot's API is asked."""

    published_per_minute: ClassVar[float] = 600

    url: BaseUrl = Field(default="https://api.hubapi.com", description="Where the API is.")
    token: Secret = Field(description="Of a private app that may read tickets.")


def look_up(source: SourceConfig, api: Config, ticket: str, kept: MutableMapping[str, str]) -> Walk[None]:  # noqa: ARG001
    """The ticket as it is now, in all properties that are read, those among them that the source's `fields` name."""
    wanted = [*_ASKED, *getattr(source, "fields", {}).values(), _TOUCHED]
    query = {"properties": ",".join(dict.fromkeys(wanted))}
    found = yield from get(request("GET", f"{api.url}/crm/v3/objects/tickets/{segment(ticket)}", bearer(api.token), query=query))
    if found is None:
        return
    teller, properties = Teller(source, ticket), Node(found).look("properties")
    facts: dict[str, FactValue] = {}
    for name in wanted[:-1]:
        if not (value := properties.look(name)).is_blank:
            said = _hubspot_ticket.read(name, value, source, teller.remarks)  # type: ignore[arg-type]  # a source of the kind hubspot
            facts |= said.facts if said is not None else {}
    touched = properties.look(_TOUCHED).instant() or Node(found).look("updatedAt").instant()
    teller.born(properties.look("createdate").instant(), facts)
    if touched is not None:
        teller.snapshot(touched, {name: fact for name, fact in facts.items() if name != "created_at"})
    yield teller.story(found)
