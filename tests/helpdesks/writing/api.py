"""What the fakes of helpdesks' APIs share: one ticket in memory, calls that are noted, answers that tests put in the way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from app.exchange import HttpRequest, HttpResponse


@dataclass
class Ticket:
    """The one ticket there is, in the helpdesk's own words."""

    status: Any = "open"
    priority: Any = None
    tags: list[str] = field(default_factory=lambda: ["vip"])
    group: Any = None
    assignee: Any = None
    notes: list[str] = field(default_factory=list)
    gone: bool = False


@dataclass(frozen=True)
class Call:
    """One request as the API sees it."""

    method: str
    path: str
    query: Mapping[str, str]
    json: Any
    headers: Mapping[str, str]

    def at(self, method: str, pattern: str) -> re.Match[str] | None:
        return re.fullmatch(pattern, self.path) if self.method == method else None


Answer = tuple[int, Any] | HttpResponse


class Refused(Exception):
    """The API answers this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Api:
    """A helpdesk with the ticket 42. Subclasses answer `route` as the vendor documents it, and refuse what it would refuse."""

    def __init__(self) -> None:
        self.ticket = Ticket()
        self.calls: list[Call] = []
        self.instead: list[tuple[Callable[[Call], bool], HttpResponse]] = []
        """Answers given in place of the API's own, each once, to the first call that fits."""
        self.after: list[tuple[Callable[[Call], bool], HttpResponse]] = []
        """As `instead`, but what was asked is done all the same: the answer is lost."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_json = request.headers.get("content-type") == "application/json"
        body = orjson.loads(request.body) if is_json and request.body else request.body.decode()
        call = Call(request.method, unquote(parts.path), query, body, request.headers)
        self.calls.append(call)
        if (found := self._taken(self.instead, call)) is not None:
            return found
        made = self._made(call)
        return self._taken(self.after, call) or made

    def writes(self) -> list[str]:
        """The calls that changed something, such as `PUT /tickets/42`."""
        return [f"{call.method} {call.path}" for call in self.calls if self.is_write(call)]

    def is_write(self, call: Call) -> bool:
        return call.method != "GET" and "oauth" not in call.path

    def missing(self) -> Answer:
        """What is answered of a ticket that is gone."""
        return 404, {}

    def route(self, call: Call) -> Answer:
        raise NotImplementedError

    def _made(self, call: Call) -> HttpResponse:
        try:
            made = self.missing() if self.ticket.gone and "oauth" not in call.path else self.route(call)
        except Refused as refused:
            made = (refused.status, {"error": "no"})
        if isinstance(made, HttpResponse):
            return made
        status, body = made
        return HttpResponse(status, {"content-type": "application/json"}, b"" if body is None else orjson.dumps(body))

    def _taken(self, queue: list[tuple[Callable[[Call], bool], HttpResponse]], call: Call) -> HttpResponse | None:
        for place, (fits, response) in enumerate(queue):
            if fits(call):
                del queue[place]
                return response
        return None


def require(held: bool, status: int = 401) -> None:
    """Refuse the call unless this holds."""
    if not held:
        raise Refused(status)
