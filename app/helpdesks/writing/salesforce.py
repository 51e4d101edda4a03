"""Salesforce: a case is patched, its note is an unpublished case comment. The token comes from the client-credentials flow of an app.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/

A tag is a checkbox field of your own: its name with `__c`, or what `tag_fields` names. The owner of a case is a user or a queue. An
organization has a number of requests a day, 100 000 in the smallest edition with an API; past it the answer is 403
REQUEST_LIMIT_EXCEEDED.
"""

import re
from typing import Any, ClassVar, Final

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, bearer, dig, fetch, has_note, request, segment
from app.helpdesks.writing._oauth import with_token

_ID: Final = re.compile(r"[A-Za-z0-9]{15,18}")
_FIELDS: Final = ("Id", "Status", "Priority", "IsClosed", "OwnerId")
_LIMIT: Final = b"REQUEST_LIMIT_EXCEEDED"


class Config(WriteBackConfig):
    """How breaches are marked in Salesforce."""

    published_per_minute: ClassVar[float] = 69  # 100 000 a day
    words: ClassVar = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "Critical"}

    url: BaseUrl = Field(description="`https://acme.my.salesforce.com`")
    client_id: str = Field(min_length=1, description="The consumer key of the connected app.")
    client_secret: Secret
    version: str = Field(default="61.0", pattern=r"^\d{2,3}\.0$", description="The version of the REST API.")
    tag_fields: dict[str, str] = Field(default_factory=dict, description="A tag as ladders name it -> the checkbox that holds it.")

    def field(self, tag: str) -> str:
        """The field that holds a tag."""
        return self.tag_fields.get(tag) or re.sub(r"[^A-Za-z0-9]+", "_", tag.removesuffix("__c")) + "__c"


def write(order: Order, desk: Desk) -> Calls[None]:
    """Get a token where there is none, read the case, patch what differs, comment."""
    config: Config = desk.config
    secret = config.client_secret.get_secret_value()
    form = {"grant_type": "client_credentials", "client_id": config.client_id, "client_secret": secret}
    asked = request("POST", f"{config.url}/services/oauth2/token", {}, form=form)
    try:
        yield from with_token(desk, asked, lambda token: _mark(order, desk, bearer(token)))
    except Stop as stop:
        response = stop.done.response
        if response is not None and response.status == 403 and _LIMIT in response.body:
            raise Stop(Done("the organization's requests of the day are used up", again=True, response=response)) from None
        raise


def _mark(order: Order, desk: Desk, auth: dict[str, str]) -> Calls[None]:
    config: Config = desk.config
    root = f"{config.url}/services/data/v{config.version}"
    if not _ID.fullmatch(order.ticket):
        raise Stop(Done("this is no id of a case"))
    here = f"{root}/sobjects/Case/{segment(order.ticket)}"
    fields = ",".join([*_FIELDS, *(config.field(tag) for tag in order.tags)])
    case = yield from fetch(request("GET", here, auth, query={"fields": fields}))
    if dig(case, "IsClosed") is True and not order.was_solved:
        raise Stop(Done("the case is closed by now", dropped=True))
    if changes := _changes(order, desk, case):
        yield from ask(request("PATCH", here, auth, changes))
    if order.note is not None and not (order.is_repeat and (yield from has_note(_comments(root, order.ticket, auth), order.marker))):
        comment = {"ParentId": order.ticket, "CommentBody": order.note, "IsPublished": False}
        yield from ask(request("POST", f"{root}/sobjects/CaseComment", auth, comment))


def _changes(order: Order, desk: Desk, case: Any) -> dict[str, Any]:
    config: Config = desk.config
    changes: dict[str, Any] = {name: True for tag in order.tags if dig(case, name := config.field(tag)) is not True}
    if (priority := desk.raised(order, dig(case, "Priority"))) is not None:
        changes["Priority"] = priority
    owner = desk.assignee(order) or desk.group(order)
    if owner is not None and dig(case, "OwnerId") != owner:
        changes["OwnerId"] = owner
    return changes


def _comments(root: str, case: str, auth: dict[str, str]) -> Any:
    wanted = f"SELECT CommentBody FROM CaseComment WHERE ParentId = '{case}' ORDER BY CreatedDate DESC LIMIT 20"  # noqa: S608  the id was checked
    return request("GET", f"{root}/query", auth, query={"q": wanted})
