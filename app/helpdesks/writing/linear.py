"""Linear: GraphQL. Labels are put on by id, which is asked for by name with the issue itself; comments are read by the team alone.

https://linear.app/developers/graphql

Errors come with status 200 or 400 and a list `errors`; past the limit of 1500 requests an hour their code is RATELIMITED.
"""

from typing import Any, ClassVar, Final

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import dig, missing, number, parsed, request, words

_READ: Final = """query($id: String!, $names: [String!]!) {
  issue(id: $id) {
    id priority state { type } assignee { id } team { id }
    labels { nodes { id name } }
    comments(last: 50) { nodes { body } }
  }
  issueLabels(filter: {name: {in: $names}}, first: 50) { nodes { id name team { id } } }
}"""
_LABEL: Final = "mutation($id: String!, $label: String!) { issueAddLabel(id: $id, labelId: $label) { success } }"
_UPDATE: Final = "mutation($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }"
_COMMENT: Final = "mutation($id: String!, $body: String!) { commentCreate(input: {issueId: $id, body: $body}) { success } }"


class Config(WriteBackConfig):
    """How breaches are marked in Linear."""

    published_per_minute: ClassVar[float] = 25
    words: ClassVar = {"low": "4", "normal": "3", "high": "2", "urgent": "1"}

    url: BaseUrl = Field(default="https://api.linear.app", description="Where the API is.")
    token: Secret = Field(description="A personal API key, or `Bearer` and an OAuth token.")


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the issue and the labels of these names, put them on, update what differs, comment."""
    told = yield from _query(desk, _READ, {"id": order.ticket, "names": list(order.tags)})
    issue = dig(told, "issue")
    if issue is None:
        raise Stop(Done("there is no such issue, or our user may not see it", dropped=True))
    if dig(issue, "state", "type") in ("completed", "canceled") and not order.was_solved:
        raise Stop(Done("the issue is done by now", dropped=True))
    issue_id = str(dig(issue, "id"))
    for name in missing(order.tags, words(dig(issue, "labels", "nodes"), "name")):
        yield from _query(desk, _LABEL, {"id": issue_id, "label": _label(name, told)})
    if changes := _changes(order, desk, issue):
        yield from _query(desk, _UPDATE, {"id": issue_id, "input": changes})
    written = " ".join(words(dig(issue, "comments", "nodes"), "body"))
    if order.note is not None and order.marker not in written:
        yield from _query(desk, _COMMENT, {"id": issue_id, "body": order.note})


def _query(desk: Desk, text: str, variables: dict[str, Any]) -> Calls[Any]:
    """The `data` of an answer. Stop when it has errors."""
    auth = {"authorization": desk.config.token.get_secret_value()}
    response = yield request("POST", f"{desk.config.url}/graphql", auth, {"query": text, "variables": variables})
    if response.status not in (200, 400):
        raise Stop(Done(f"POST was answered {response.status}", response=response))
    told = parsed(response)
    errors = dig(told, "errors")
    if not errors:
        return dig(told, "data")
    codes = {dig(error, "extensions", "code") for error in errors if isinstance(error, dict)}
    if "RATELIMITED" in codes:
        raise Stop(Done("Linear asks for patience", again=True, response=response))
    said = " ".join(words(errors, "message"))[:200]
    if "not found" in said.lower():
        raise Stop(Done(f"Linear does not know it: {said}", dropped=True, response=response))
    raise Stop(Done(f"Linear refuses it: {said}", response=response))


def _label(name: str, told: Any) -> str:
    """The id of a label of the issue's team, or of the whole workspace."""
    team = dig(told, "issue", "team", "id")
    for label in dig(told, "issueLabels", "nodes") or []:
        if str(dig(label, "name")).casefold() == name.casefold() and dig(label, "team", "id") in (None, team):
            return str(dig(label, "id"))
    raise Stop(Done(f"there is no label {name!r} in Linear; make it first"))


def _changes(order: Order, desk: Desk, issue: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    now = dig(issue, "priority")
    if (priority := desk.raised(order, None if now in (0, None) else int(now))) is not None:
        changes["priority"] = number(priority, "a priority")
    for name, wanted, key in (("teamId", desk.group(order), "team"), ("assigneeId", desk.assignee(order), "assignee")):
        if wanted is not None and dig(issue, key, "id") != wanted:
            changes[name] = wanted
    return changes
