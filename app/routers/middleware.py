"""What every request passes on its way in and out. Pure ASGI, so that the hot route pays microseconds.

From outside: `Edge` (request id, headers, metrics, the last resort), `Paths` (encoded slashes), `Bodies` (size and time).
"""

import asyncio
import logging
import re
from time import perf_counter
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import InvalidRequest, PayloadTooLarge, RequestTimeout, Unavailable
from app.ids import new_id
from app.routers.problems import REQUEST_ID, InternalError, Refusal, respond
from app.telemetry import logs, metrics

log = logs.get_logger(__name__)

ROOM: Final = 64 * 1024 * 1024
"""Bytes of all bodies together that one process takes in at a time."""
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TRACE: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_UNLESS_SET: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


class Edge:
    """Names the request, counts it, adds the headers every answer carries, and answers when nobody else could."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        request_id = _name(scope)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _headers(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            status = status or 499
        except Exception:
            log.exception("Request failed.", extra={"event": "http.failed", "method": scope["method"], "path": scope["path"]})
            if status:
                raise
            await respond(scope, InternalError("Something went wrong on our side; our log has more under this request id."))(
                scope, receive, answer
            )
        finally:
            _count(scope, status, perf_counter() - began)


class Paths:
    """Keeps an encoded slash apart from a real one: `acme:owner%2Frepo%231` is one segment of the path.

    A segment with a slash or percent sign inside reaches the routes with these two (and only these) still encoded; whoever reads it
    decodes them with `plain_segment`. An encoded NUL is refused: no name has one, and databases choke on it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw: bytes = scope.get("raw_path") or b""
            if b"%" in raw:
                scope["path"] = "/".join(_segment(part) for part in raw.partition(b"?")[0].split(b"/"))
            if b"%00" in raw or b"%00" in scope["query_string"]:
                await respond(scope, InvalidRequest("The address contains a NUL character."))(scope, receive, send)
                return
        await self.app(scope, receive, send)


class Bodies:
    """Refuses bodies that are too large (413, while they stream in), too slow (408), or too many at once (503).

    `room`: bytes that the bodies of all requests under way may have together, those that wait for their commit included; what is
    larger than that may come alone.
    """

    def __init__(self, app: ASGIApp, *, limit: int, seconds: float, room: int = ROOM) -> None:
        self.app, self.limit, self.seconds, self.room = app, limit, seconds, room
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _announced(scope) > self.limit:
            await respond(scope, self._too_large())(scope, receive, send)
            return
        size = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + self.seconds

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise Refusal(self._too_slow()) from None
            if message["type"] == "http.request":
                more = len(message.get("body", b""))
                size += more
                self.held += more
                complete = not message.get("more_body", False)
                if size > self.limit:
                    raise Refusal(self._too_large())
                if self.held > self.room and self.held > size:
                    raise Refusal(self._too_many())
            return message

        try:
            await self.app(scope, bounded, send)
        finally:
            self.held -= size

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than {self.limit} bytes.", headers={"connection": "close"})

    def _too_slow(self) -> RequestTimeout:
        return RequestTimeout(f"The body did not arrive within {self.seconds:g} seconds.", headers={"connection": "close"})

    def _too_many(self) -> Unavailable:
        return Unavailable("Too many bodies are being read or waiting to be stored.", headers={"Retry-After": "1", "connection": "close"})


def plain_segment(segment: str) -> str:
    """A path parameter as it was meant, slashes and percent signs included."""
    return segment.replace("%2F", "/").replace("%25", "%") if "%" in segment else segment


def _segment(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8", "replace").replace("%", "%25").replace("/", "%2F")


def _name(scope: Scope) -> str:
    """The request id: the caller's own when it is a sane one, else a fresh one. Also binds it to the log."""
    given = trace = None
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            given = value.decode("ascii")
        elif name == b"traceparent" and (match := _TRACE.fullmatch(value)):
            trace = match[1].decode("ascii")
    request_id = given or new_id("req")
    scope[REQUEST_ID] = request_id
    logs.bind(request_id=request_id, **({"trace_id": trace} if trace else {}))
    return request_id


def _headers(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    present = {name for name, _ in headers}
    unset = [pair for pair in _UNLESS_SET if pair[0] not in present]
    return [*headers, (b"x-request-id", request_id.encode("ascii")), *_ALWAYS, *unset]


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path_format", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.HTTP_REQUESTS.labels(method, route, str(status)).inc()
    metrics.HTTP_REQUEST_SECONDS.labels(route).observe(seconds)
    if log.isEnabledFor(logging.DEBUG):
        fields = {"event": "http.answered", "method": method, "path": scope["path"], "status": status, "seconds": round(seconds, 6)}
        log.debug("Request answered.", extra=fields)
