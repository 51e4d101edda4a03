"""Freshdesk: tickets by their last change, each with its conversations.

https://developers.freshdesk.com/api/#tickets

Groups and agents are ids there and names in webhooks, so they are listed first; what cannot be named is not asserted. There is no history:
when the status changed last, and when the ticket was resolved, is told by its `stats`. The smallest plan with an API allows 200 requests a
minute; refused ones count too, and embedding costs a request for each thing embedded.
"""

from datetime import datetime
from typing import Any, ClassVar, Final, Self

from pydantic import Field, SecretStr, model_validator

from app.exchange import HttpRequest
from app.helpdesks import Secret, SourceConfig, _common
from app.helpdesks._json import Node
from app.helpdesks.fetching import ApiConfig, Walk, get, instant, listed
from app.helpdesks.fetching._telling import Page, Teller, in_order_of_change
from app.helpdesks.writing import BaseUrl, Subdomain
from app.helpdesks.writing._calls import basic, dig, request, segment
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message
from app.schemas.events_out import rfc3339

_SIZE: Final = 100
_X: Final = SecretStr("X")  # the password beside an API key: anything
_OUTBOUND: Final = "10"
"""The `source` of a ticket that an agent began with a mail."""

Names = dict[str, str]


class Config(ApiConfig):
    """How Freshdesk's API is asked."""

    published_per_minute: ClassVar[float] = 200

    subdomain: Subdomain | None = Field(default=None, description="`acme` of acme.freshdesk.com")
    url: BaseUrl | None = Field(default=None, description="Where the API is, if not at the subdomain.")
    api_key: Secret

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.subdomain is None and self.url is None:
            raise ValueError("the API needs the `subdomain` (or a `url`)")
        return self

    def get(self, path: str, **query: str) -> HttpRequest:
        """A request of the API."""
        base = self.url or f"https://{self.subdomain}.freshdesk.com"
        return request("GET", f"{base}/api/v2{path}", basic(self.api_key.get_secret_value(), _X), query=query or None)


def walk(source: SourceConfig, api: Config, since: str) -> Walk[None]:
    """All tickets that changed since an instant (RFC 3339)."""
    groups = yield from _names(api, "/groups", "name")
    agents = yield from _names(api, "/agents", "contact", "email")

    def ask(begin: datetime, page: str | None) -> Walk[Page]:
        query = {"updated_since": rfc3339(begin), "order_by": "updated_at", "order_type": "asc"}
        found = listed((yield from get(api.get("/tickets", **query, per_page=str(_SIZE), page=page or "1"))))
        return found, str(int(page or "1") + 1) if len(found) >= _SIZE else None

    yield from in_order_of_change(
        ask,
        lambda ticket: _tell(source, api, ticket, groups, agents),
        lambda ticket: Node(ticket).at("updated_at").instant(),
        instant(since),
    )


def _names(api: Config, path: str, *place: str) -> Walk[Names]:
    """What the groups or agents are called, by id; nobody when we may not see them."""
    names: Names = {}
    for page in range(1, 101):
        found = listed((yield from get(api.get(path, per_page=str(_SIZE), page=str(page)), optional=True)))
        names |= {str(each.get("id")): str(name) for each in found if (name := dig(each, *place))}
        if len(found) < _SIZE:
            break
    return names


def _tell(source: SourceConfig, api: Config, listed_ticket: dict[str, Any], groups: Names, agents: Names) -> Walk[None]:
    ticket_id = Node(listed_ticket).at("id").id()
    if ticket_id is None:
        return
    found = yield from get(api.get(f"/tickets/{segment(ticket_id)}", include="requester,company,stats"))
    if found is None:
        return
    teller, ticket = Teller(source, ticket_id), Node(found)
    facts = _facts(source, teller, ticket, groups, agents)
    requester = ticket.at("requester_id").id()
    by_agent = ticket.at("source").word() == _OUTBOUND
    teller.born(
        ticket.at("created_at").instant(),
        facts,
        Actor(ActorKind.AGENT if by_agent else ActorKind.CUSTOMER, None if by_agent else requester),
    )
    yield from _tell_conversations(teller, source, api, ticket_id, requester)
    _tell_status(teller, ticket, facts)
    if (updated_at := ticket.at("updated_at").instant()) is not None:
        teller.snapshot(updated_at, facts)
    yield teller.story(found)


def _facts(source: SourceConfig, teller: Teller, ticket: Node, groups: Names, agents: Names) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    if (status := ticket.at("status").word()) is not None:
        facts |= _common.status_facts(status, source.status_words, teller.remarks)
    if (priority := ticket.at("priority").word()) is not None:
        facts |= _common.priority_facts(priority, source.priority_words, teller.remarks)
    facts |= _owner("group", ticket.at("group_id"), groups) | _owner("assignee", ticket.at("responder_id"), agents)
    texts = {
        "requester": ticket.look("requester", "email").word(),
        "organization": ticket.look("company", "name").word(),
        "subject": ticket.at("subject").word(),
        "type": ticket.at("type").word(),
    }
    facts |= {name: text for name, text in texts.items() if text is not None}
    if (tags := ticket.at("tags")).is_told:
        facts["tags"] = tags.words()
    if ticket.at("deleted").flag() is True or ticket.at("spam").flag() is True:
        facts["deleted"] = True
    return facts | _common.field_facts(ticket.at("custom_fields"))


def _owner(fact: str, place: Node, names: Names) -> dict[str, FactValue]:
    """Who has it; nothing when nobody can say what they are called."""
    owner = place.id()
    if owner is None:
        return {fact: None} if place.is_told else {}
    return {fact: names[owner]} if owner in names else {}


def _tell_conversations(teller: Teller, source: SourceConfig, api: Config, ticket: str, requester: str | None) -> Walk[None]:
    for page in range(1, 101):
        found = listed((yield from get(api.get(f"/tickets/{segment(ticket)}/conversations", per_page=str(_SIZE), page=str(page)))))
        for place in map(Node, found):
            said_at, user = place.at("created_at").instant(), place.at("user_id").id()
            if said_at is None or place.at("id").is_blank:
                continue
            by_customer = place.at("incoming").flag() is True or (user is not None and user == requester)
            kind = source.actor_kind(user) or (ActorKind.CUSTOMER if by_customer else ActorKind.AGENT)
            teller.spoke(Message(kind, place.at("private").flag() is not True, place.at("id").id()), said_at, user)
        if len(found) < _SIZE:
            return


def _tell_status(teller: Teller, ticket: Node, facts: dict[str, FactValue]) -> None:
    """When it became what it is: by the statistics, which know the last change and the resolution."""
    stats, status = ticket.look("stats"), facts.get("status")
    resolved_at, changed_at = stats.look("resolved_at").instant(), stats.look("status_updated_at").instant()
    if status == "closed" and resolved_at is not None:
        teller.say(f"resolved:{resolved_at.isoformat()}", resolved_at, EventKind.TICKET_STATUS_CHANGED, {"status": "solved"})
    if status == "solved" and resolved_at is not None:
        changed_at = min(resolved_at, changed_at or resolved_at)
    if changed_at is not None and status is not None:
        teller.say(f"status:{changed_at.isoformat()}:{status}", changed_at, EventKind.TICKET_STATUS_CHANGED, {"status": status})
