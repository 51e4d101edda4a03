"""Jira and Jira Service Management, Cloud and Data Center: issues by their last change, with their changelog and comments.

https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issue-search/

The changelog tells what each field was before, so the creation is told as it was. JQL reads instants as milliseconds since 1970, which no
time zone touches. Cloud pages by a token, Data Center by a number. Jira publishes no number of requests; 429 comes with Retry-After.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Secret, SourceConfig, _common
from app.helpdesks._jira_issue import Issue, status_facts, user_ids
from app.helpdesks._json import Node
from app.helpdesks.fetching import ApiConfig, Walk, get, instant, listed
from app.helpdesks.fetching._telling import Page, Teller, in_order_of_change
from app.helpdesks.writing import BaseUrl
from app.helpdesks.writing._calls import basic, bearer, dig, request, segment
from app.rules.events import EventKind, FactValue

_SIZE: Final = 50

Categories = dict[str, str]


class Config(ApiConfig):
    """How Jira's API is asked."""

    published_per_minute: ClassVar[float] = 300

    url: BaseUrl = Field(description="`https://acme.atlassian.net`, or where Data Center is.")
    email: str | None = Field(
        default=None, description="The API user's address (Cloud); without it the token is a personal one (Data Center)."
    )
    token: Secret
    jql: str | None = Field(default=None, max_length=2000, description="Only issues that meet this, such as `project = SUP`.")

    @property
    def is_cloud(self) -> bool:
        """Whether pages are asked for by a token."""
        return self.email is not None

    def get(self, path: str, **query: str) -> HttpRequest:
        """A request of the API."""
        auth = bearer(self.token) if self.email is None else basic(self.email, self.token)
        return request("GET", f"{self.url}/rest/api/2{path}", auth, query=query or None)


def walk(source: SourceConfig, api: Config, since: str) -> Walk[None]:
    """All issues that changed since an instant (RFC 3339)."""
    statuses = listed((yield from get(api.get("/status"), optional=True)))
    categories = {str(each.get("name")): str(dig(each, "statusCategory", "key")) for each in statuses}

    def ask(begin: datetime, page: str | None) -> Walk[Page]:
        answer = yield from get(_search(api, begin, page))
        issues = listed(answer, "issues")
        return issues, _behind(api, answer, len(issues), page)

    yield from in_order_of_change(
        ask,
        lambda issue: _tell(source, api, issue, categories),
        lambda issue: Node(issue).look("fields", "updated").instant(),
        instant(since),
    )


def _search(api: Config, begin: datetime, page: str | None) -> HttpRequest:
    condition = f"updated >= {int(begin.timestamp() * 1000)}"
    jql = f"({api.jql}) AND {condition}" if api.jql else condition
    query = {"jql": f"{jql} ORDER BY updated ASC", "fields": "*all", "expand": "changelog", "maxResults": str(_SIZE)}
    if api.is_cloud:
        return api.get("/search/jql", **query, **({"nextPageToken": page} if page else {}))
    return api.get("/search", **query, startAt=page or "0")


def _behind(api: Config, answer: Any, count: int, page: str | None) -> str | None:
    """What the next page is asked for with; None when there is none."""
    if api.is_cloud:
        token = dig(answer, "nextPageToken")
        return token if isinstance(token, str) and token and dig(answer, "isLast") is not True else None
    return str(int(page or "0") + count) if count >= _SIZE else None


def _tell(source: SourceConfig, api: Config, raw: dict[str, Any], categories: Categories) -> Walk[None]:
    remarks: list[str] = []
    issue = Issue(Node(raw), source, remarks)  # type: ignore[arg-type]  # a source of the kind jira
    if issue.key is None:
        return
    teller = Teller(source, issue.key)
    told = yield from _histories(api, raw, issue.key)
    histories = sorted(map(Node, told), key=lambda each: str(each.at("created").instant()))
    before = _before(issue, histories, categories, remarks)
    creator = issue.actor(issue.creator)
    if issue.created_at is not None:
        lasting = {name: fact for name, fact in issue.facts.items() if name in _common.LASTING}
        teller.say("born", issue.created_at, EventKind.TICKET_CREATED, lasting | before, actor=creator)
    for history in histories:
        _tell_history(teller, issue, history, categories, remarks)
    yield from _tell_comments(teller, api, issue)
    if issue.updated_at is not None:
        teller.snapshot(issue.updated_at, {name: fact for name, fact in issue.facts.items() if name != "created_at"})
    yield teller.story(raw)


def _histories(api: Config, raw: dict[str, Any], key: str) -> Walk[list[dict[str, Any]]]:
    """All changes: those the search brings along, or all by themselves when it brings only some (Cloud cuts long ones)."""
    told, total = listed(dig(raw, "changelog", "histories")), dig(raw, "changelog", "total")
    if not api.is_cloud or not isinstance(total, int) or total <= len(told):
        return told
    found: list[dict[str, Any]] = []
    while len(found) < total:
        query = {"startAt": str(len(found)), "maxResults": "100"}
        more = listed((yield from get(api.get(f"/issue/{segment(key)}/changelog", **query))), "values")
        found += more
        if not more:
            break
    return found or told


def _before(issue: Issue, histories: list[Node], categories: Categories, remarks: list[str]) -> dict[str, FactValue]:
    """What was so at the creation: what the first change of a field says it was before, or what it is still."""
    facts: dict[str, FactValue] = {name: issue.facts[name] for name in ("status", "priority", "assignee") if name in issue.facts}
    for history in reversed(histories):
        for item in map(Node, listed(history.at("items").value)):
            facts |= _change(issue, item, "from", "fromString", categories, remarks)
    facts.pop("deleted", None)
    return facts


def _tell_history(teller: Teller, issue: Issue, history: Node, categories: Categories, remarks: list[str]) -> None:
    at, history_id = history.at("created").instant(), history.at("id").id()
    if at is None or history_id is None:
        return
    facts: dict[str, FactValue] = {}
    for item in map(Node, listed(history.at("items").value)):
        facts |= _change(issue, item, "to", "toString", categories, remarks)
    author = history.at("author")
    if facts:
        kind = EventKind.TICKET_STATUS_CHANGED if "status" in facts else EventKind.TICKET_UPDATED
        echo = issue.config.is_ours(*user_ids(author))
        teller.say(f"history:{history_id}", at, kind, facts, actor=issue.actor(author), echo=echo)


def _change(issue: Issue, item: Node, value: str, word: str, categories: Categories, remarks: list[str]) -> dict[str, FactValue]:
    """One end of one change; nothing when it is of a field that is not read."""
    field = str(item.look("field").value).casefold()
    name = item.look(word).word()
    if field == "status":
        return status_facts(name, categories.get(name or ""), issue.config, remarks)
    if field == "priority" and name is not None:
        return _common.priority_facts(name, issue.config.priority_words, remarks)
    return {"assignee": item.look(value).word()} if field == "assignee" else {}


def _tell_comments(teller: Teller, api: Config, issue: Issue) -> Walk[None]:
    """All comments: those the search brings along, or all by themselves when it brings only some."""
    comments = issue.comments()
    total = issue.place.look("fields", "comment", "total").value
    if isinstance(total, int) and total > len(comments):
        comments = []
        while len(comments) < total:
            query = {"startAt": str(len(comments)), "maxResults": "100", "orderBy": "created"}
            more = listed((yield from get(api.get(f"/issue/{segment(str(issue.key))}/comment", **query))), "comments")
            comments += [Node(each) for each in more]
            if not more:
                break
    for comment in comments:
        said_at = comment.at("created").instant()
        if said_at is not None and not comment.at("id").is_blank:
            _, message = issue.spoken(comment)
            teller.spoke(message, said_at, next(iter(user_ids(comment.at("author"))), None))
