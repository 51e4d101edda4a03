"""The hot route, past the framework: most of what a busy service answers are webhooks, and what the framework does for one costs as much
as reading it. What is done with one is the operation's own function; everything else, and whatever of an address has to be decoded first,
goes on as before.
"""

import re
from types import SimpleNamespace
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import SlaError
from app.routers.deps import Parts, read_request
from app.routers.inbound import answer_webhook
from app.routers.problems import Refusal, respond

PATH: Final = "/v1/sources/{source}/webhook"
_WEBHOOK: Final = re.compile(r"/v1/sources/([^/]+)/webhook")
_ROUTE: Final = SimpleNamespace(path_format=PATH)
"""What the metrics ask a route for."""


class Service(FastAPI):
    """The framework's application, with a way past it. `hot`, once set, answers POSTs of helpdesks' webhooks."""

    hot: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.hot is not None and (source := _source(scope)) is not None:
            scope["path_params"] = {"source": source}
            await self.hot(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Webhooks:
    """Answers the POST of a helpdesk's webhook, behind an `Edge` of its own."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = _ROUTE
        try:
            response = await answer_webhook(self.parts, scope["path_params"]["source"], await read_request(scope, receive))
        except SlaError as error:
            response = respond(scope, error)
        except Refusal as refusal:
            response = respond(scope, refusal.error)
        await response(scope, receive, send)


def _source(scope: Scope) -> str | None:
    """Whose webhook is posted; None when it is another request, or its address is written in a way that has to be decoded."""
    if scope["type"] != "http" or scope["method"] != "POST" or b"%" in (scope.get("raw_path") or b""):
        return None
    found = _WEBHOOK.fullmatch(scope["path"])
    return found[1] if found is not None else None
