"""GitHub issues: labels and assignees are added, never replaced. There is no private note: notes are public, so off by default.

https://docs.github.com/en/rest/issues

A transferred issue answers 301 with the new one. 5000 requests an hour; past a secondary limit the answer is 403 or 429 with Retry-After.
"""

import re
from typing import ClassVar, Final

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Secret
from app.helpdesks.writing import Action, BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, bearer, dig, fetch, has_note, missing, request, segment, words

_ISSUE: Final = re.compile(r"([^/#]+)/([^/#]+)#(\d+)")
_ADDRESS: Final = re.compile(r"/repos/([^/]+)/([^/]+)/issues/(\d+)")


class Config(WriteBackConfig):
    """How breaches are marked in GitHub."""

    can: ClassVar = frozenset({"tags", "note", "assignee"})
    published_per_minute: ClassVar[float] = 80

    url: BaseUrl = Field(default="https://api.github.com", description="Where the API is; Enterprise: `https://HOST/api/v3`.")
    token: Secret = Field(description="A token that may read and write issues.")
    public_notes: bool = Field(default=False, description="Write notes although everybody who sees the issue can read them.")

    @property
    def actions(self) -> frozenset[Action]:
        return self.can if self.public_notes else self.can - {"note"}


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the issue, add the labels that are missing, assign it; comment only where that is allowed."""
    config: Config = desk.config
    auth = bearer(config.token) | {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
    here = _address(order.ticket, config.url)
    try:
        yield from _mark(order, desk, here, auth)
    except Stop as stop:
        response = stop.done.response
        if response is not None and response.status == 403 and _is_limited(response.headers):
            seconds = response.headers.get("retry-after", "")
            wait = float(seconds) if seconds.isdigit() else 60.0
            raise Stop(Done("GitHub asks for patience", again=True, seconds=wait, response=response)) from None
        raise


def _mark(order: Order, desk: Desk, here: str, auth: dict[str, str]) -> Calls[None]:
    issue = yield from fetch(request("GET", here, auth), _named)
    desk.require_open(order, dig(issue, "state"))
    if added := missing(order.tags, words(dig(issue, "labels"), "name")):
        yield from ask(request("POST", f"{here}/labels", auth, {"labels": added}))
    wanted = desk.assignee(order)
    if wanted is not None and missing([wanted], words(dig(issue, "assignees"), "login")):
        yield from ask(request("POST", f"{here}/assignees", auth, {"assignees": [wanted]}))
    if order.note is None or not desk.config.public_notes:
        return
    if not (order.is_repeat and (yield from has_note(_comments(here, auth, order), order.marker))):
        yield from ask(request("POST", f"{here}/comments", auth, {"body": order.note}))


def _comments(here: str, auth: dict[str, str], order: Order) -> HttpRequest:
    """Those written since the order was given."""
    since = order.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return request("GET", f"{here}/comments", auth, query={"since": since, "per_page": "100"})


def _address(ticket: str, url: str) -> str:
    found = _ISSUE.fullmatch(ticket)
    if found is None:
        raise Stop(Done("this is no issue: owner/repository#number"))
    owner, repository, issue = found.groups()
    return f"{url}/repos/{segment(owner)}/{segment(repository)}/issues/{issue}"


def _named(location: str) -> str:
    """What the issue at an address of the API is called."""
    found = _ADDRESS.search(location)
    if found is None:
        raise Stop(Done("the issue was moved where it cannot be followed", dropped=True))
    return f"{found[1]}/{found[2]}#{found[3]}"


def _is_limited(headers: object) -> bool:
    told = headers if isinstance(headers, dict) else {}
    return "retry-after" in told or told.get("x-ratelimit-remaining") == "0"
