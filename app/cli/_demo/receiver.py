"""The receiver of the demo: takes callbacks on loopback and verifies each with the `standardwebhooks` package, which is not ours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp.web
import standardwebhooks
from standardwebhooks.webhooks import WebhookVerificationError

from app.timesource import utc_now


@dataclass(frozen=True, slots=True)
class Callback:
    """One request as it arrived. `refused` says why it is not authentic; None: verified. `event` is the body, {} when not verified."""

    id: str
    received_at: datetime
    body: bytes
    refused: str | None
    event: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.event.get("type", ""))

    @property
    def data(self) -> dict[str, Any]:
        found = self.event.get("data")
        return found if isinstance(found, dict) else {}


class Receiver:
    """A web server on a free port of loopback. `start` returns the address to post to; `callbacks` fills in order of arrival."""

    def __init__(self, secret: str, heard: Callable[[Callback], None] = lambda _: None) -> None:
        self.callbacks: list[Callback] = []
        self._webhook = standardwebhooks.Webhook(secret)
        self._heard = heard
        app = aiohttp.web.Application()
        app.router.add_post("/hooks/sla", self._receive)
        self._runner = aiohttp.web.AppRunner(app, access_log=None)

    async def start(self) -> str:
        await self._runner.setup()
        site = aiohttp.web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/hooks/sla"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _receive(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        body = await request.read()
        callback = self._verify(request.headers.get("webhook-id", ""), dict(request.headers), body)
        self.callbacks.append(callback)
        self._heard(callback)
        return aiohttp.web.Response(status=204 if callback.refused is None else 401)

    def _verify(self, message_id: str, headers: dict[str, str], body: bytes) -> Callback:
        received_at = utc_now()
        try:
            event = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            return Callback(message_id, received_at, body, str(error) or type(error).__name__, {})
        return Callback(message_id, received_at, body, None, event if isinstance(event, dict) else {})
