"""Helpdesks with an API, in memory: each answers GET requests as its vendor documents. No socket: a server may be put around them."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from app.exchange import HttpRequest, HttpResponse
from app.helpdesks.fetching import Mark, Story, Walk

Json = dict[str, Any]


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@dataclass
class Desk:
    """`tickets` are the vendor's own records; `extra` what else there is, by path. `asked` are the paths that were asked for."""

    authorization: str
    tickets: list[Json] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    size: int = 2
    """Records of a page, whatever is asked for."""
    trouble: list[HttpResponse] = field(default_factory=list)
    """Answers that come before all others."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        url = urlsplit(request.url)
        path, query = unquote(url.path), {name: values[0] for name, values in parse_qs(url.query).items()}
        self.asked.append(path)
        if self.trouble:
            return self.trouble.pop(0)
        if request.headers.get("authorization") != self.authorization:
            return HttpResponse(401, {}, b'{"error": "who are you?"}')
        found = self.find(path, query)
        if found is None:
            return HttpResponse(404, {}, b"{}")
        return HttpResponse(200, {"content-type": "application/json"}, json.dumps(found).encode())

    def find(self, path: str, query: Mapping[str, str]) -> Any:
        return self.extra.get(path)

    def changed_since(self, since: datetime, place: Callable[[Json], str]) -> list[Json]:
        found = [ticket for ticket in self.tickets if datetime.fromisoformat(place(ticket)) >= since]
        return sorted(found, key=lambda ticket: datetime.fromisoformat(place(ticket)))


class Zendesk(Desk):
    """A cursor is the number of tickets that were told, in the order of their change."""

    def find(self, path: str, query: Mapping[str, str]) -> Any:
        if path == "/api/v2/incremental/tickets/cursor.json":
            start = int(query["cursor"].removeprefix("c")) if "cursor" in query else 0
            since = datetime.fromisoformat("2000-01-01T00:00:00Z")
            found = self.changed_since(since, lambda ticket: str(ticket["updated_at"]))
            page = found[start : start + self.size]
            end = start + len(page)
            return {"tickets": page, "after_cursor": f"c{end}", "end_of_stream": end == len(found)}
        if path.endswith("/audits.json"):
            audits = self.extra.get(path, {"audits": [], "users": []})
            start = int(query.get("page[after]", "0"))
            page = audits["audits"][start : start + self.size]
            more = start + len(page) < len(audits["audits"])
            return {
                "audits": page,
                "users": audits["users"],
                "meta": {"has_more": more, "after_cursor": str(start + len(page))},
            }
        return self.extra.get(path)


class Freshdesk(Desk):
    def find(self, path: str, query: Mapping[str, str]) -> Any:
        page = int(query.get("page", "1"))
        size = int(query.get("per_page", "30"))
        found: Any = self.extra.get(path)
        if path == "/api/v2/tickets":
            found = self.changed_since(datetime.fromisoformat(query["updated_since"]), lambda ticket: str(ticket["updated_at"]))
        return found[(page - 1) * size : page * size] if isinstance(found, list) else found


class Zammad(Desk):
    def find(self, path: str, query: Mapping[str, str]) -> Any:
        if path == "/api/v1/tickets/search":
            since = datetime.fromisoformat(query["query"].removeprefix("updated_at:[").partition(" ")[0])
            page, size = int(query["page"]), int(query["limit"])
            return self.changed_since(since, lambda ticket: str(ticket["updated_at"]))[(page - 1) * size : page * size]
        return self.extra.get(path)


class Jira(Desk):
    def find(self, path: str, query: Mapping[str, str]) -> Any:
        if path.endswith(("/search", "/search/jql")):
            since = datetime.fromtimestamp(int(query["jql"].partition("updated >= ")[2].partition(" ")[0]) / 1000).astimezone()
            found = self.changed_since(since, lambda issue: str(issue["fields"]["updated"]))
            start = int(query.get("nextPageToken") or query.get("startAt") or "0")
            page = found[start : start + int(query["maxResults"])]
            end = start + len(page)
            return {"issues": page, "startAt": start, "isLast": end == len(found)} | (
                {"nextPageToken": str(end)} if end < len(found) else {}
            )
        return self.extra.get(path)


def drive(walk: Walk[None], desk: Desk) -> tuple[list[Story], list[str]]:
    """Walk through a desk; what was told, and the marks."""
    stories: list[Story] = []
    marks: list[str] = []
    answer: HttpResponse | None = None
    while True:
        try:
            said = walk.send(answer)
        except StopIteration:
            return stories, marks
        answer = None
        if isinstance(said, HttpRequest):
            answer = desk.answer(said)
        elif isinstance(said, Mark):
            marks.append(said.cursor)
        else:
            stories.append(said)
