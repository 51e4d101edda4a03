"""Freshdesk and Freshservice: much the same API. Tags replace those there are; priorities and statuses are numbers."""

from typing import Any, ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, Subdomain, WriteBackConfig
from app.helpdesks.writing._calls import as_html, ask, basic, dig, fetch, missing, number, request, segment, words

_PAGES = 5  # of a hundred conversations each: so far our own note is looked for
_X = SecretStr("X")  # the password beside an API key: anything


class FreshworksConfig(WriteBackConfig):
    """What both take."""

    domain: ClassVar[str]
    words: ClassVar = {"low": "1", "normal": "2", "high": "3", "urgent": "4"}

    subdomain: Subdomain | None = Field(default=None, description="`acme` of the account's address.")
    url: BaseUrl | None = Field(default=None, description="Where the API is, if not at the subdomain.")
    api_key: Secret

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.subdomain is None and self.url is None:
            raise ValueError("write_back needs the `subdomain` (or a `url`)")
        return self

    def at(self, ticket: str, rest: str = "") -> str:
        """An address of the API that is about a ticket."""
        return f"{self.url or f'https://{self.subdomain}.{self.domain}'}/api/v2/tickets/{segment(ticket)}{rest}"


def mark(order: Order, desk: Desk, wrapper: str | None) -> Calls[None]:
    """Read the ticket, update what differs, write the note. `wrapper`: the key an answer's ticket stands under."""
    config: FreshworksConfig = desk.config
    auth = basic(config.api_key.get_secret_value(), _X)
    told = yield from fetch(request("GET", config.at(order.ticket), auth))
    ticket = told if wrapper is None else dig(told, wrapper)
    if dig(ticket, "deleted") is True or dig(ticket, "spam") is True:
        raise Stop(Done("the ticket is deleted", dropped=True))
    desk.require_open(order, dig(ticket, "status"))
    changes = _changes(order, desk, ticket)
    if changes:
        yield from ask(request("PUT", config.at(order.ticket), auth, changes))
    if order.note is not None and not (order.is_repeat and (yield from _is_noted(order, config, auth))):
        note = {"body": as_html(order.note), "private": True}
        yield from ask(request("POST", config.at(order.ticket, "/notes"), auth, note))


def _changes(order: Order, desk: Desk, ticket: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    tags = words(dig(ticket, "tags"))
    if added := missing(order.tags, tags):
        changes["tags"] = [*tags, *added]
    if (priority := desk.raised(order, dig(ticket, "priority"))) is not None:
        changes["priority"] = int(priority) if priority.isdigit() else priority
    for name, wanted, what in (("group_id", desk.group(order), "a group"), ("responder_id", desk.assignee(order), "an agent")):
        if wanted is not None and str(dig(ticket, name)) != wanted:
            changes[name] = number(wanted, what)
    return changes


def _is_noted(order: Order, config: FreshworksConfig, auth: dict[str, str]) -> Calls[bool]:
    """Conversations come oldest first, so page by page."""
    for page in range(1, _PAGES + 1):
        listed = request("GET", config.at(order.ticket, "/conversations"), auth, query={"per_page": "100", "page": str(page)})
        response = yield from ask(listed)
        if order.marker.encode() in response.body:
            return True
        if 'rel="next"' not in response.headers.get("link", ""):
            return False
    return False
