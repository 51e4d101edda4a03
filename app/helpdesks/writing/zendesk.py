"""Zendesk: one update does it all, and is refused (409) when the ticket was changed since it was read.

https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#update-ticket

Tags of an update replace those there are, so they are read first. A closed ticket cannot be changed any more. Updates are limited to 100 a
minute for an account and 30 in ten minutes for a ticket and user.
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, Subdomain, WriteBackConfig
from app.helpdesks.writing._calls import ask, basic, dig, fetch, has_note, missing, number, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in Zendesk."""

    published_per_minute: ClassVar[float] = 100

    subdomain: Subdomain | None = Field(default=None, description="`acme` of acme.zendesk.com")
    url: BaseUrl | None = Field(default=None, description="Where the API is, if not at the subdomain: a gateway of your own.")
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s:]+@[^@\s:]+$")] = Field(description="The API user's address.")
    token: Secret

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.subdomain is None and self.url is None:
            raise ValueError("write_back needs the `subdomain` (or a `url`)")
        return self

    def at(self, ticket: str, rest: str) -> str:
        """An address of the API that is about a ticket."""
        return f"{self.url or f'https://{self.subdomain}.zendesk.com'}/api/v2/tickets/{segment(ticket)}{rest}"


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the ticket, then update what differs; on a repeat the newest comments are read before a note is written."""
    config: Config = desk.config
    auth = basic(f"{config.email}/token", config.token)
    ticket = dig((yield from fetch(request("GET", config.at(order.ticket, ".json"), auth))), "ticket")
    status = dig(ticket, "status")
    if status == "closed":
        raise Stop(Done("the ticket is closed, and Zendesk changes nothing of closed tickets", dropped=True))
    desk.require_open(order, status)
    changes = _changes(order, desk, ticket)
    if order.note is not None:
        comments = request("GET", config.at(order.ticket, "/comments.json"), auth, query={"sort_order": "desc", "per_page": "30"})
        if not (order.is_repeat and (yield from has_note(comments, order.marker))):
            changes["comment"] = {"body": order.note, "public": False}
    if changes:
        changes |= {"safe_update": True, "updated_stamp": dig(ticket, "updated_at")}
        yield from ask(request("PUT", config.at(order.ticket, ".json"), auth, {"ticket": changes}))


def _changes(order: Order, desk: Desk, ticket: Any) -> dict[str, Any]:
    """The fields that are not yet as they are wanted."""
    changes: dict[str, Any] = {}
    tags = words(dig(ticket, "tags"))
    if added := missing((tag.replace(" ", "_") for tag in order.tags), tags):
        changes["tags"] = [*tags, *added]
    if (priority := desk.raised(order, dig(ticket, "priority"))) is not None:
        changes["priority"] = priority
    for name, wanted, what in (("group_id", desk.group(order), "a group"), ("assignee_id", desk.assignee(order), "an agent")):
        if wanted is not None and str(dig(ticket, name)) != wanted:
            changes[name] = number(wanted, what)
    return changes
