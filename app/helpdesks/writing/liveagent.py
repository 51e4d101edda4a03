"""LiveAgent: tags and assignment are one update, by ids; tags replace those there are. A note is a message of the type N.

https://faq.liveagent.com/113754-Updating-Ticket-Custom-Fields-and-Tags-Using-the-LiveAgent-API-v3

Priorities cannot be set. The names of a message's fields are not in the public reference of version 3, so they can be told. 180 requests
a minute.
"""

from typing import Any, ClassVar

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Order, WriteBackConfig
from app.helpdesks.writing._calls import ask, dig, fetch, has_note, missing, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in LiveAgent."""

    can: ClassVar = frozenset({"tags", "note", "group", "assignee"})
    published_per_minute: ClassVar[float] = 180

    url: BaseUrl = Field(description="`https://acme.ladesk.com`")
    api_key: Secret
    tags: dict[str, str] = Field(default_factory=dict, description="A tag as ladders name it -> LiveAgent's id of it.")
    note_type: str = Field(default="N", description="The type of a message that is a note.")
    note_field: str = Field(default="text", description="What the text of a message is called.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the ticket, update what differs, write the note."""
    config: Config = desk.config
    auth = {"apikey": config.api_key.get_secret_value()}
    here = f"{config.url}/api/v3/tickets/{segment(order.ticket)}"
    ticket = yield from fetch(request("GET", here, auth))
    desk.require_open(order, dig(ticket, "status"))
    if changes := _changes(order, desk, ticket):
        yield from ask(request("PUT", here, auth, changes))
    if order.note is not None and not (order.is_repeat and (yield from has_note(request("GET", f"{here}/messages", auth), order.marker))):
        message = {"type": config.note_type, config.note_field: order.note}
        message |= {"userid": config.our_user_id} if config.our_user_id else {}
        yield from ask(request("POST", f"{here}/messages", auth, message))


def _changes(order: Order, desk: Desk, ticket: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    tags = words(dig(ticket, "tags"))
    if added := missing((desk.config.tags.get(tag, tag) for tag in order.tags), tags):
        changes["tags"] = [*tags, *added]
    for name, wanted in (("departmentid", desk.group(order)), ("agentid", desk.assignee(order))):
        if wanted is not None and str(dig(ticket, name)) != wanted:
            changes[name] = wanted
    return changes
