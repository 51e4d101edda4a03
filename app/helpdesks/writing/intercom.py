"""Intercom: conversations and tickets, whose calls differ. What an id names is found out by asking for the conversation first.

https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations

A tag is put on by its id; `POST /tags` gives the id of a name, and makes the tag where there is none. Everything is done in the name of
an admin, so `our_user_id` has to be told. Priorities cannot be set by the API. A private app may make 10 000 calls a minute.
"""

from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import as_html, ask, bearer, dig, fetch, missing, parsed, request, segment, words

_HOSTS: Final = {"us": "https://api.intercom.io", "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io"}


class Config(WriteBackConfig):
    """How breaches are marked in Intercom."""

    can: ClassVar = frozenset({"tags", "note", "group", "assignee"})
    published_per_minute: ClassVar[float] = 10_000

    region: Literal["us", "eu", "au"] = "us"
    url: BaseUrl | None = Field(default=None, description="Where the API is, if not at the region's address.")
    token: Secret
    our_user_id: str = Field(min_length=1, description="The admin in whose name it is done; their events are echoes of our own.")
    version: str = Field(default="2.11", pattern=r"^\d+\.\d+$", description="The version of the API to ask for.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the conversation or ticket, put the tags on, assign it, write the note."""
    config: Config = desk.config
    auth = bearer(config.token) | {"intercom-version": config.version}
    root = config.url or _HOSTS[config.region]
    here, item, raw = yield from _item(order, root, auth)
    desk.require_open(order, _status(item))
    for name in missing(order.tags, words(dig(item, "tags", "tags"), "name")):
        tag = yield from _tag_id(name, desk, root, auth)
        yield from ask(request("POST", f"{here}/tags", auth, {"id": tag, "admin_id": config.our_user_id}))
    for kind, wanted, now in (("team", desk.group(order), "team_assignee_id"), ("admin", desk.assignee(order), "admin_assignee_id")):
        if wanted is not None and str(dig(item, now)) != wanted:
            yield from ask(_assignment(here, kind, wanted, config.our_user_id, auth))
    if order.note is not None and not (order.is_repeat and order.marker.encode() in raw):
        note = {"message_type": "note", "type": "admin", "admin_id": config.our_user_id, "body": as_html(order.note)}
        yield from ask(request("POST", f"{here}/reply", auth, note))


def _item(order: Order, root: str, auth: dict[str, str]) -> Calls[tuple[str, Any, bytes]]:
    """Where it is, what it says, and that as bytes: the latest notes are in it."""
    here = f"{root}/conversations/{segment(order.ticket)}"
    try:
        response = yield from ask(request("GET", here, auth))
    except Stop as stop:
        if not stop.done.dropped:
            raise
        here = f"{root}/tickets/{segment(order.ticket)}"
        response = yield from ask(request("GET", here, auth))
    return here, parsed(response), response.body


def _status(item: Any) -> Any:
    state = dig(item, "ticket_state")
    return dig(state, "category") or state or dig(item, "state")


def _tag_id(name: str, desk: Desk, root: str, auth: dict[str, str]) -> Calls[str]:
    known = f"tag:{name}"
    if known not in desk.kept:
        desk.kept[known] = str(dig((yield from fetch(request("POST", f"{root}/tags", auth, {"name": name}))), "id"))
    return desk.kept[known]


def _assignment(here: str, kind: str, wanted: str, admin: str, auth: dict[str, str]) -> Any:
    if "/tickets/" in here:
        return request("PUT", here, auth, {"assignment": {"admin_id": admin, "assignee_id": wanted}})
    part = {"message_type": "assignment", "type": kind, "admin_id": admin, "assignee_id": wanted}
    return request("POST", f"{here}/parts", auth, part)
