"""The hot route, past the framework's routing: most of what a busy service answers are webhooks, and finding their route costs as much as
reading them. What is done with one is the operation's own function; everything else goes on as before.
"""

import re
from types import SimpleNamespace
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import SlaError
from app.routers.inbound import receive_webhook
from app.routers.problems import Refusal, respond

PATH: Final = "/v1/sources/{source}/webhook"
_WEBHOOK: Final = re.compile(r"/v1/sources/([^/]+)/webhook")
_ROUTE: Final = SimpleNamespace(path_format=PATH)
"""What the metrics ask a route for."""


class Shortcut:
    """Answers POSTs of helpdesks' webhooks; hands everything else on. The innermost middleware, so that all others hold for both ways."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _WEBHOOK.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = _ROUTE
        try:
            response = await receive_webhook(found[1], Request(scope, receive))
        except SlaError as error:
            response = respond(scope, error)
        except Refusal as refusal:
            response = respond(scope, refusal.error)
        await response(scope, receive, send)
