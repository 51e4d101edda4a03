"""Zammad: tickets by their last change, each with its articles.

https://docs.zammad.org/en/latest/api/ticket/index.html

A ticket and its article are told with `expand` as webhooks tell them, so they are read by the same translator. The search needs
Elasticsearch, as Zammad itself recommends; without it Zammad finds nothing by time. When a ticket was closed is told by the ticket itself.
Zammad has no limit of its own.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

import orjson
from pydantic import Field

from app import helpdesks
from app.errors import Unreadable
from app.exchange import HttpRequest
from app.helpdesks import Secret, SourceConfig
from app.helpdesks._json import Node
from app.helpdesks.fetching import ApiConfig, Walk, get, instant, listed
from app.helpdesks.fetching._telling import Page, Teller, in_order_of_change
from app.helpdesks.writing import BaseUrl
from app.helpdesks.writing._calls import request, segment
from app.rules.events import Actor, ActorKind, EventKind, Status, TicketEvent
from app.schemas.events_out import rfc3339

_SIZE: Final = 50
_DELIVERY: Final = "x-zammad-delivery"


class Config(ApiConfig):
    """How Zammad's API is asked."""

    published_per_minute: ClassVar[float] = 600

    url: BaseUrl = Field(description="`https://support.example.com`")
    token: Secret = Field(description="An access token with the permission `ticket.agent`.")

    def get(self, path: str, **query: str) -> HttpRequest:
        """A request of the API."""
        auth = {"authorization": f"Token token={self.token.get_secret_value()}"}
        return request("GET", f"{self.url}/api/v1{path}", auth, query={"expand": "true", **query})


def walk(source: SourceConfig, api: Config, since: str) -> Walk[None]:
    """All tickets that changed since an instant (RFC 3339)."""

    def ask(begin: datetime, page: str | None) -> Walk[Page]:
        query = {"query": f"updated_at:[{rfc3339(begin)} TO *]", "sort_by": "updated_at", "order_by": "asc"}
        answer = yield from get(api.get("/tickets/search", **query, limit=str(_SIZE), page=page or "1"))
        found = listed(answer) or listed(answer, "tickets")
        return found, str(int(page or "1") + 1) if len(found) >= _SIZE else None

    yield from in_order_of_change(
        ask, lambda ticket: _tell(source, api, ticket), lambda ticket: Node(ticket).at("updated_at").instant(), instant(since)
    )


def _tell(source: SourceConfig, api: Config, ticket: dict[str, Any]) -> Walk[None]:
    place = Node(ticket)
    ticket_id, updated_at = place.at("id").id(), place.at("updated_at").instant()
    if ticket_id is None or updated_at is None:
        return
    articles = listed((yield from get(api.get(f"/ticket_articles/by_ticket/{segment(ticket_id)}"))))
    teller = Teller(source, ticket_id)
    now = _read(source, ticket, None, "ticket", updated_at)
    spoken = [event for article in articles if (event := _said(source, ticket, article, updated_at)) is not None]
    if now is not None:
        first = spoken[0].actor if spoken else Actor()
        created_at = place.at("created_at").instant()
        teller.born(created_at, now.set, Actor(first.kind, first.id) if first.kind is not ActorKind.SYSTEM else Actor())
        _tell_close(teller, place, now)
        teller.snapshot(updated_at, {name: fact for name, fact in now.set.items() if name != "created_at"})
    teller.events += spoken
    yield teller.story(ticket)


def _said(source: SourceConfig, ticket: dict[str, Any], article: dict[str, Any], at: datetime) -> TicketEvent | None:
    """What an article says, without what the ticket is by now; None when it says nothing."""
    article_id = Node(article).at("id").id()
    event = _read(source, ticket, article, f"said:{article_id}", at) if article_id is not None else None
    if event is None or event.message is None:
        return None
    return TicketEvent(event.source, event.ticket, event.key, event.at, event.kind, {}, event.message, event.actor, None, event.echo)


def _read(source: SourceConfig, ticket: dict[str, Any], article: dict[str, Any] | None, key: str, at: datetime) -> TicketEvent | None:
    """The first event of the webhook that would tell this; None when it cannot be read."""
    body = orjson.dumps({"ticket": ticket, "article": article or {}})
    try:
        reading = helpdesks.load(source.kind).parse(HttpRequest("POST", "", {_DELIVERY: key}, body), source, at)
    except Unreadable:
        return None
    return reading.events[0] if reading.events else None


def _tell_close(teller: Teller, ticket: Node, now: TicketEvent) -> None:
    """When it was solved: what is changed later does not move that."""
    closed_at = ticket.at("last_close_at").instant() or ticket.at("close_at").instant()
    status = now.set.get("status")
    if closed_at is not None and status in (Status.SOLVED, Status.CLOSED):
        teller.say(f"closed:{closed_at.isoformat()}", closed_at, EventKind.TICKET_STATUS_CHANGED, {"status": status})
