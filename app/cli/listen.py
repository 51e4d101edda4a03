"""`slawatch listen`: a receiver of our webhooks on this machine, for those who write one."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Final

import aiohttp.web
import typer

from app import signing
from app.errors import SlaError
from app.timesource import utc_now

BODY_MAX: Final = 1_048_576
_IDS_KEPT: Final = 10_000


class CannotListen(SlaError):
    """The port cannot be listened on."""


def command(
    secret: Annotated[
        str,
        typer.Option(envvar="SLAWATCH_LISTEN_SECRET", help="whsec_... or whpk_...: verify each message. Default: verify none."),
    ] = "",
    port: Annotated[int, typer.Option(help="Port of 127.0.0.1 to listen on; 0 = any free one.", min=0, max=65535)] = 9000,
    answer: Annotated[int, typer.Option(help="Answer authentic messages with this status, to see what happens.", min=200, max=599)] = 204,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: id, verdict, repeated, event.")] = False,
) -> None:
    """Print each webhook that arrives, and whether its signature holds. Ctrl-C ends it.

    Point a channel at it: `{kind: webhook, url: "http://127.0.0.1:9000/", allow_http: true, ...}` with `delivery: {allow_networks:
    [127.0.0.0/8]}`, and send a test with `slawatch channel test NAME`. Messages that do not verify are answered 401.
    """
    asyncio.run(_listen(Ear(secret, answer, as_json=as_json), port))


@dataclass(frozen=True, slots=True)
class Heard:
    """One message. `verdict`: `verified`, `not verified` (no secret given), or why it is refused."""

    id: str
    verdict: str
    repeated: bool
    event: Any

    @property
    def accepted(self) -> bool:
        return self.verdict in ("verified", "not verified")


class Ear:
    """Takes messages and prints them."""

    def __init__(self, secret: str, answer: int, *, as_json: bool) -> None:
        self._secret = secret
        self._answer = answer
        self._as_json = as_json
        self._ids: dict[str, None] = {}

    async def __call__(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        heard = self._hear(request, await request.read())
        typer.echo(_as_json(heard) if self._as_json else _in_words(heard))
        sys.stdout.flush()
        return aiohttp.web.Response(status=self._answer if heard.accepted else 401)

    def _hear(self, request: aiohttp.web.Request, body: bytes) -> Heard:
        message_id = request.headers.get("webhook-id", "")
        verdict = self._judge(request, message_id, body)
        try:
            event = json.loads(body)
        except ValueError:
            event = body.decode("utf-8", "replace")
        repeated = message_id in self._ids
        if message_id:
            self._ids[message_id] = None
            if len(self._ids) > _IDS_KEPT:
                self._ids.pop(next(iter(self._ids)))
        return Heard(message_id, verdict, repeated, event)

    def _judge(self, request: aiohttp.web.Request, message_id: str, body: bytes) -> str:
        if not self._secret:
            return "not verified"
        stamp, signature = (request.headers.get(f"webhook-{name}", "") for name in ("timestamp", "signature"))
        try:
            signing.verify(self._secret, id=message_id, timestamp=stamp, body=body, signature=signature, now=utc_now())
        except signing.SignatureRefused as refused:
            return refused.reason
        return "verified"


async def _listen(ear: Ear, port: int) -> None:
    app = aiohttp.web.Application(client_max_size=BODY_MAX)
    app.router.add_post("/{path:.*}", ear)
    runner = aiohttp.web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await aiohttp.web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            raise CannotListen(f"127.0.0.1 port {port} cannot be listened on: {error.strerror}.") from error
        host, bound = runner.addresses[0][:2]
        typer.echo(f"listens on http://{host}:{bound}/", err=True)
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await stop.wait()
    finally:
        await runner.cleanup()


def _as_json(heard: Heard) -> str:
    found = {"id": heard.id, "verdict": heard.verdict, "repeated": heard.repeated, "event": heard.event}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _in_words(heard: Heard) -> str:
    """A line about it, and its body, indented."""
    kind = heard.event.get("type", "?") if isinstance(heard.event, dict) else "no JSON object"
    again = ", came before" if heard.repeated else ""
    mark = "✔" if heard.accepted else "✖"
    return f"{mark} {kind} {heard.id} ({heard.verdict}{again})\n{json.dumps(heard.event, ensure_ascii=False, indent=2)}"
