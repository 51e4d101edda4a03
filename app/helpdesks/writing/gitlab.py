"""GitLab issues: labels are added by name, a note is internal, assignees are replaced.

https://docs.gitlab.com/api/issues/

An issue that was moved names the new one by its id alone, so it is left alone: the new one has clocks of its own. On gitlab.com notes are
limited to 60 a minute.
"""

from typing import Any, ClassVar

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, dig, fetch, has_note, missing, number, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in GitLab."""

    can: ClassVar = frozenset({"tags", "note", "assignee"})
    published_per_minute: ClassVar[float] = 60

    url: BaseUrl = Field(default="https://gitlab.com", description="Where GitLab is.")
    token: Secret = Field(description="A token with the scope `api`; its user needs the role Reporter, to write internal notes.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the issue, add labels and assign it in one update, write the internal note."""
    config: Config = desk.config
    auth = {"private-token": config.token.get_secret_value()}
    project, hash_mark, issue_number = order.ticket.rpartition("#")
    if not hash_mark:
        raise Stop(Done("this is no issue: group/project#number"))
    here = f"{config.url}/api/v4/projects/{segment(project)}/issues/{segment(issue_number)}"
    issue = yield from fetch(request("GET", here, auth))
    if dig(issue, "moved_to_id") is not None:
        raise Stop(Done("the issue was moved to another project", dropped=True))
    desk.require_open(order, dig(issue, "state"))
    if changes := _changes(order, desk, issue):
        yield from ask(request("PUT", here, auth, changes))
    if order.note is not None:
        newest = request("GET", f"{here}/notes", auth, query={"sort": "desc", "order_by": "created_at", "per_page": "50"})
        if not (order.is_repeat and (yield from has_note(newest, order.marker))):
            yield from ask(request("POST", f"{here}/notes", auth, {"body": order.note, "internal": True}))


def _changes(order: Order, desk: Desk, issue: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if added := missing(order.tags, words(dig(issue, "labels"))):
        changes["add_labels"] = ",".join(added)
    wanted = desk.assignee(order)
    if wanted is not None and wanted not in words(dig(issue, "assignees"), "id"):
        changes["assignee_ids"] = [number(wanted, "a user")]
    return changes
