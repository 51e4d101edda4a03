"""Help Scout: an app's client credentials; tags are replaced as a whole; no priorities.

https://developer.helpscout.com/mailbox-api/

A conversation that was merged answers 301 with the surviving one. 412 and 423 say that it is locked at the moment. All apps of an account
share 200 requests a minute (smallest plan), and what changes something counts twice.
"""

from typing import Any, ClassVar, Final

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Order, WriteBackConfig
from app.helpdesks.writing._calls import as_html, ask, bearer, dig, fetch, has_note, last_segment, missing, number, request, segment, words
from app.helpdesks.writing._oauth import with_token

LOCKED: Final = frozenset({412, 423})


class Config(WriteBackConfig):
    """How breaches are marked in Help Scout."""

    can: ClassVar = frozenset({"tags", "note", "assignee", "group"})
    published_per_minute: ClassVar[float] = 200
    write_cost: ClassVar[int] = 2
    busy: ClassVar = LOCKED

    url: BaseUrl = Field(default="https://api.helpscout.net", description="Where the API is.")
    app_id: str = Field(min_length=1, description="Of the app made under My Apps.")
    app_secret: Secret


def write(order: Order, desk: Desk) -> Calls[None]:
    """Get a token where there is none, read the conversation, replace its tags by more, assign it, write the note."""
    config: Config = desk.config
    secret = config.app_secret.get_secret_value()
    form = {"grant_type": "client_credentials", "client_id": config.app_id, "client_secret": secret}
    asked = request("POST", f"{config.url}/v2/oauth2/token", {}, form=form)
    yield from with_token(desk, asked, lambda token: _mark(order, desk, bearer(token)))


def _mark(order: Order, desk: Desk, auth: dict[str, str]) -> Calls[None]:
    here = f"{desk.config.url}/v2/conversations/{segment(order.ticket)}"
    conversation = yield from fetch(request("GET", here, auth), last_segment)
    desk.require_open(order, dig(conversation, "status"))
    tags = words(dig(conversation, "tags"), "tag")
    if added := missing(order.tags, tags):
        yield from ask(request("PUT", f"{here}/tags", auth, {"tags": [*tags, *added]}))
    yield from _assign(order, desk, here, auth, dig(conversation, "assignee", "id"))
    if order.note is not None:
        threads = request("GET", f"{here}/threads", auth)
        if not (order.is_repeat and (yield from has_note(threads, order.marker))):
            yield from ask(request("POST", f"{here}/notes", auth, {"text": as_html(order.note)}))


def _assign(order: Order, desk: Desk, here: str, auth: dict[str, str], now: Any) -> Calls[None]:
    """To a user or, as Help Scout has it, a team: both are assignees. The user goes before the team."""
    wanted = desk.assignee(order) or desk.group(order)
    if wanted is not None and str(now) != wanted:
        change = {"op": "replace", "path": "/assignTo", "value": number(wanted, "a user or team")}
        yield from ask(request("PATCH", here, auth, change))
