"""Zammad: tags are added one by one, the rest is one update with the note as an internal article.

https://docs.zammad.org/en/latest/api/ticket/index.html

The article is of type `note`: one of type `email` would be mailed out although it is internal. Zammad has no limit of its own.
"""

from typing import Any, ClassVar

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, dig, fetch, has_note, missing, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in Zammad."""

    published_per_minute: ClassVar[float] = 600
    words: ClassVar = {"low": "1 low", "normal": "2 normal", "high": "3 high", "urgent": "3 high"}

    url: BaseUrl = Field(description="`https://support.example.com`")
    token: Secret = Field(description="An access token with the permission `ticket.agent`.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the ticket and its tags, add the tags that are missing, update what differs."""
    config: Config = desk.config
    auth = {"authorization": f"Token token={config.token.get_secret_value()}"}
    here = f"{config.url}/api/v1/tickets/{segment(order.ticket)}"
    ticket = yield from fetch(request("GET", here, auth, query={"expand": "true"}))
    if dig(ticket, "state") == "merged":
        raise Stop(Done("the ticket was merged into another one", dropped=True))
    desk.require_open(order, dig(ticket, "state"))
    yield from _tag(order, config.url, auth)
    changes = _changes(order, desk, ticket)
    if order.note is not None:
        articles = request("GET", f"{config.url}/api/v1/ticket_articles/by_ticket/{segment(order.ticket)}", auth)
        if not (order.is_repeat and (yield from has_note(articles, order.marker))):
            changes["article"] = {
                "subject": "SLA", "body": order.note, "content_type": "text/plain", "type": "note", "sender": "Agent", "internal": True,
            }  # fmt: skip
    if changes:
        yield from ask(request("PUT", here, auth, changes))


def _tag(order: Order, url: str, auth: dict[str, str]) -> Calls[None]:
    if order.tags:
        told = yield from fetch(request("GET", f"{url}/api/v1/tags", auth, query={"object": "Ticket", "o_id": order.ticket}))
        for tag in missing(order.tags, words(dig(told, "tags"))):
            yield from ask(request("POST", f"{url}/api/v1/tags/add", auth, {"item": tag, "object": "Ticket", "o_id": order.ticket}))


def _changes(order: Order, desk: Desk, ticket: Any) -> dict[str, Any]:
    """Groups and agents may be given by id or by name (of agents: login or address)."""
    changes: dict[str, Any] = {}
    if (priority := desk.raised(order, dig(ticket, "priority"))) is not None:
        changes["priority"] = priority
    for name, wanted in (("group", desk.group(order)), ("owner", desk.assignee(order))):
        if wanted is not None and wanted not in (str(dig(ticket, name)), str(dig(ticket, f"{name}_id"))):
            changes |= {f"{name}_id": int(wanted)} if wanted.isdigit() else {name: wanted}
    return changes
