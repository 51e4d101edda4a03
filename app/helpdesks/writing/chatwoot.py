"""Chatwoot: a call each for labels (which replace those there are), priority, assignment and the private message.

https://developers.chatwoot.com/api-reference/conversations

Labels have to be there already, in small letters; unknown ones are put on all the same, without a colour. By itself an installation allows
3000 requests a minute.
"""

from typing import Any, ClassVar

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Order, WriteBackConfig
from app.helpdesks.writing._calls import ask, dig, fetch, has_note, missing, number, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in Chatwoot."""

    published_per_minute: ClassVar[float] = 3000
    words: ClassVar = {"low": "low", "normal": "medium", "high": "high", "urgent": "urgent"}

    url: BaseUrl = Field(default="https://app.chatwoot.com", description="Where Chatwoot is.")
    account_id: str = Field(pattern=r"^\d{1,12}$", description="The number in the address of the dashboard.")
    token: Secret = Field(description="The access token of an agent's profile.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the conversation, replace its labels by more, raise it, assign it, write the private message."""
    config: Config = desk.config
    auth = {"api_access_token": config.token.get_secret_value()}
    here = f"{config.url}/api/v1/accounts/{config.account_id}/conversations/{segment(order.ticket)}"
    conversation = yield from fetch(request("GET", here, auth))
    desk.require_open(order, dig(conversation, "status"))
    labels = words(dig(conversation, "labels"))
    if added := missing((tag.lower().replace(" ", "-") for tag in order.tags), labels):
        yield from ask(request("POST", f"{here}/labels", auth, {"labels": [*labels, *added]}))
    if (priority := desk.raised(order, dig(conversation, "priority"))) is not None:
        yield from ask(request("POST", f"{here}/toggle_priority", auth, {"priority": priority}))
    for change in _assignments(order, desk, conversation):
        yield from ask(request("POST", f"{here}/assignments", auth, change))
    if order.note is not None and not (order.is_repeat and (yield from has_note(request("GET", f"{here}/messages", auth), order.marker))):
        message = {"content": order.note, "message_type": "outgoing", "private": True}
        yield from ask(request("POST", f"{here}/messages", auth, message))


def _assignments(order: Order, desk: Desk, conversation: Any) -> list[dict[str, int]]:
    wishes = (("team_id", desk.group(order), "team", "a team"), ("assignee_id", desk.assignee(order), "assignee", "an agent"))
    return [
        {name: number(wanted, what)}
        for name, wanted, now, what in wishes
        if wanted is not None and str(dig(conversation, "meta", now, "id")) != wanted
    ]
