"""Gorgias: tags are added by name; priority and assignment are one update; a note is a message of the channel `internal-note`.

https://developers.gorgias.com/reference/update-ticket

An API key may make 40 requests in 20 seconds.
"""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Order, Subdomain, WriteBackConfig
from app.helpdesks.writing._calls import ask, basic, dig, fetch, has_note, missing, number, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in Gorgias."""

    published_per_minute: ClassVar[float] = 120
    words: ClassVar = {"low": "low", "normal": "normal", "high": "high", "urgent": "critical"}

    subdomain: Subdomain | None = Field(default=None, description="`acme` of acme.gorgias.com")
    url: BaseUrl | None = Field(default=None, description="Where the API is, if not at the subdomain.")
    email: str = Field(pattern=r"^[^@\s:]+@[^@\s:]+$", description="The API user's address: notes are written in their name.")
    api_key: Secret

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.subdomain is None and self.url is None:
            raise ValueError("write_back needs the `subdomain` (or a `url`)")
        return self

    @property
    def root(self) -> str:
        return f"{self.url or f'https://{self.subdomain}.gorgias.com'}/api"


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the ticket, add the tags that are missing, update what differs, write the note."""
    config: Config = desk.config
    auth = basic(config.email, config.api_key)
    here = f"{config.root}/tickets/{segment(order.ticket)}"
    ticket = yield from fetch(request("GET", here, auth))
    desk.require_open(order, dig(ticket, "status"))
    if added := missing(order.tags, words(dig(ticket, "tags"), "name")):
        yield from ask(request("POST", f"{here}/tags", auth, {"names": added}))
    if changes := _changes(order, desk, ticket):
        yield from ask(request("PUT", here, auth, changes))
    newest = {"ticket_id": order.ticket, "order_by": "created_datetime:desc", "limit": "30"}
    listed = request("GET", f"{config.root}/messages", auth, query=newest)
    if order.note is not None and not (order.is_repeat and (yield from has_note(listed, order.marker))):
        yield from ask(request("POST", f"{here}/messages", auth, _note(order.note, config.email)))


def _changes(order: Order, desk: Desk, ticket: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if (priority := desk.raised(order, dig(ticket, "priority"))) is not None:
        changes["priority"] = priority
    for name, wanted, what in (("assignee_team", desk.group(order), "a team"), ("assignee_user", desk.assignee(order), "a user")):
        if wanted is not None and str(dig(ticket, name, "id")) != wanted:
            changes[name] = {"id": number(wanted, what)}
    return changes


def _note(text: str, email: str) -> dict[str, Any]:
    return {
        "channel": "internal-note", "via": "api", "from_agent": True, "public": False, "body_text": text, "sender": {"email": email},
    }  # fmt: skip
