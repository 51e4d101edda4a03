"""Front: tags by their ids, teammates as assignees, inboxes as groups, comments as notes; no priorities.

https://dev.frontapp.com/reference/conversations

Tags are added, not replaced. A merged conversation answers 301 with the surviving one. The smallest plan allows 50 requests a minute for
the whole company.
"""

from typing import Any, ClassVar

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, bearer, dig, fetch, has_note, last_segment, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in Front."""

    can: ClassVar = frozenset({"tags", "note", "group", "assignee"})
    published_per_minute: ClassVar[float] = 50

    url: BaseUrl = Field(default="https://api2.frontapp.com", description="Where the API is.")
    token: Secret
    tags: dict[str, str] = Field(default_factory=dict, description="A tag as ladders name it -> Front's id of it (`tag_...`).")

    def tag_id(self, name: str) -> str:
        """The id of a tag. Stop when the document does not tell it."""
        found = self.tags.get(name, name)
        if not found.startswith("tag_"):
            raise Stop(Done(f"Front tags by id; name the id of {name!r} under write_back.tags"))
        return found


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the conversation, add the tags that are missing, assign or move it, comment."""
    config: Config = desk.config
    auth = bearer(config.token)
    wanted = [config.tag_id(name) for name in order.tags]
    here = f"{config.url}/conversations/{segment(order.ticket)}"
    conversation = yield from fetch(request("GET", here, auth), last_segment)
    desk.require_open(order, dig(conversation, "status"))
    known = words(dig(conversation, "tags"), "id")
    if added := [tag for tag in wanted if tag not in known]:
        yield from ask(request("POST", f"{here}/tags", auth, {"tag_ids": added}))
    inboxes = words((yield from _inboxes(order, here, auth)), "id")
    if changes := _changes(order, desk, conversation, inboxes):
        yield from ask(request("PATCH", here, auth, changes))
    if order.note is not None and not (order.is_repeat and (yield from has_note(request("GET", f"{here}/comments", auth), order.marker))):
        author = {"author_id": config.our_user_id} if config.our_user_id else {}
        yield from ask(request("POST", f"{here}/comments", auth, {"body": order.note, **author}))


def _inboxes(order: Order, here: str, auth: dict[str, str]) -> Calls[Any]:
    """The inboxes it is in; asked for only where that matters."""
    return dig((yield from fetch(request("GET", f"{here}/inboxes", auth))), "_results") if order.group is not None else None


def _changes(order: Order, desk: Desk, conversation: Any, inboxes: list[str]) -> dict[str, str]:
    inbox, teammate = desk.group(order), desk.assignee(order)
    changes = {"inbox_id": inbox} if inbox is not None and inbox not in inboxes else {}
    if teammate is not None and dig(conversation, "assignee", "id") != teammate:
        changes["assignee_id"] = teammate
    return changes
