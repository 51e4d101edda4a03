"""Jira and Jira Service Management, Cloud and Data Center (REST API 2, which both have).

https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/

Labels are added by an operation, not replaced. A note is a comment with the property `sd.public.comment: internal`, which service
projects keep from customers; other projects have no such thing, so there the comment is for one project role. Jira publishes no number of
requests; a cost is counted, and 429 comes with Retry-After.
"""

from typing import Any, ClassVar

from pydantic import Field

from app.helpdesks import Secret
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, basic, bearer, dig, fetch, has_note, missing, request, segment, words


class Config(WriteBackConfig):
    """How breaches are marked in Jira."""

    can: ClassVar = frozenset({"tags", "priority", "note", "assignee"})
    published_per_minute: ClassVar[float] = 300
    words: ClassVar = {"urgent": "Highest", "high": "High", "normal": "Medium", "low": "Low"}

    url: BaseUrl = Field(description="`https://acme.atlassian.net`, or where Data Center is.")
    email: str | None = Field(
        default=None, description="The API user's address (Cloud); without it the token is a personal one (Data Center)."
    )
    token: Secret
    comment_role: str | None = Field(
        default=None, description="The project role that may read our notes, in projects that are no service projects."
    )
    notify_users: bool = Field(default=True, description="Whether Jira mails our changes to watchers; `false` needs an administrator.")

    def at(self, ticket: str, rest: str = "") -> str:
        """An address of the API that is about an issue."""
        return f"{self.url}/rest/api/2/issue/{segment(ticket)}{rest}"

    @property
    def auth(self) -> dict[str, str]:
        return bearer(self.token) if self.email is None else basic(self.email, self.token)


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the issue (by the key it has now), edit what differs, assign it, comment."""
    config: Config = desk.config
    issue = yield from fetch(request("GET", config.at(order.ticket), config.auth, query={"fields": "labels,priority,status,assignee"}))
    key, fields = str(dig(issue, "key") or order.ticket), dig(issue, "fields")
    if dig(fields, "status", "statusCategory", "key") == "done" and not order.was_solved:
        raise Stop(Done("the issue is done by now", dropped=True))
    change = _change(order, desk, fields)
    if change:
        quiet = None if config.notify_users else {"notifyUsers": "false"}
        yield from ask(request("PUT", config.at(key), config.auth, change, query=quiet))
    yield from _assign(order, desk, key, dig(fields, "assignee"))
    if order.note is not None:
        newest = request("GET", config.at(key, "/comment"), config.auth, query={"orderBy": "-created", "maxResults": "50"})
        if not (order.is_repeat and (yield from has_note(newest, order.marker))):
            yield from ask(request("POST", config.at(key, "/comment"), config.auth, _comment(order.note, config)))


def _change(order: Order, desk: Desk, fields: Any) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if added := missing((tag.replace(" ", "_") for tag in order.tags), words(dig(fields, "labels"))):
        change["update"] = {"labels": [{"add": label} for label in added]}
    if (priority := desk.raised(order, dig(fields, "priority", "name"))) is not None:
        change["fields"] = {"priority": {"name": priority}}
    return change


def _assign(order: Order, desk: Desk, key: str, now: Any) -> Calls[None]:
    wanted, config = desk.assignee(order), desk.config
    if wanted is not None and wanted not in (dig(now, "accountId"), dig(now, "name")):
        by = "accountId" if config.email is not None else "name"
        yield from ask(request("PUT", config.at(key, "/assignee"), config.auth, {by: wanted}))


def _comment(note: str, config: Config) -> dict[str, Any]:
    body: dict[str, Any] = {"body": note, "properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}
    return body | ({"visibility": {"type": "role", "value": config.comment_role}} if config.comment_role else {})
