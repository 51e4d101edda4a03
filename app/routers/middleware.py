"""What every request passes on its way in and out. Pure ASGI, so that the hot route pays microseconds.

`Edge` does all of it: request id, headers, metrics, the last resort; encoded slashes; size and time of bodies.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Generator
from functools import lru_cache, partial
from time import perf_counter
from types import coroutine
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import InvalidRequest, PayloadTooLarge, RequestTimeout, SlaError, Unavailable
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


class Bodies:
    """What bodies may be: not too large (413), too slow (408), or too many at once (503).

    `limit`: bytes of one. `seconds`: within which it must have arrived. `room`: bytes that the bodies of all requests under way may have
    together, those that wait for their commit included; what is larger than that may come alone. `held`: how many they have now.
    """

    def __init__(self, *, limit: int, seconds: float, room: int = ROOM) -> None:
        self.limit, self.seconds, self.room = limit, seconds, room
        self.held = 0

    def too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than {self.limit} bytes.", headers={"connection": "close"})

    def too_slow(self) -> RequestTimeout:
        return RequestTimeout(f"The body did not arrive within {self.seconds:g} seconds.", headers={"connection": "close"})

    def too_many(self) -> Unavailable:
        return Unavailable("Too many bodies are being read or waiting to be stored.", headers={"Retry-After": "1", "connection": "close"})


class Edge:
    """Names the request, bounds its body, counts it, adds the headers every answer carries, and answers when nobody else could.

    It also keeps an encoded slash apart from a real one: `acme:owner%2Frepo%231` is one segment of the path. A segment with a slash or
    percent sign inside reaches the routes with these two (and only these) still encoded; whoever reads it decodes them with
    `plain_segment`. An encoded NUL is refused: no name has one, and databases choke on it.
    """

    def __init__(self, app: ASGIApp, bodies: Bodies) -> None:
        self.app, self.bodies = app, bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        exchange = _Exchange(scope, receive, send, self.bodies)
        try:
            if (refusal := exchange.refusal(scope)) is not None:
                await respond(scope, refusal)(scope, receive, exchange.send)
            else:
                await self.app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = exchange.status or 499
        except Exception:
            log.exception("Request failed.", extra={"event": "http.failed", "method": scope["method"], "path": scope["path"]})
            if exchange.status:
                raise
            wrong = InternalError("Something went wrong on our side; our log has more under this request id.")
            await respond(scope, wrong)(scope, receive, exchange.send)
        finally:
            self.bodies.held -= exchange.size
            _count(scope, exchange.status, perf_counter() - began)


class _Exchange:
    """One request and its answer: `receive` and `send` as the application behind the edge has them. `status` is 0 until it answers;
    `size` is how many bytes of the body have come."""

    __slots__ = ("_announced", "_bodies", "_complete", "_deadline", "_receive", "_request_id", "_send", "size", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, bodies: Bodies) -> None:
        self._receive, self._send, self._bodies = receive, send, bodies
        self._complete = False
        self._deadline = asyncio.get_running_loop().time() + bodies.seconds
        self.size = self.status = 0
        self._read(scope)

    def _read(self, scope: Scope) -> None:
        """From the headers: the announced size of the body, and the request id: the caller's own when it is a sane one, else a fresh one.
        Also binds it to the log."""
        given = trace = None
        self._announced = 0
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                self._announced = self._announced or int(value[:20])
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                given = value.decode("ascii")
            elif name == b"traceparent" and (match := _TRACE.fullmatch(value)):
                trace = match[1].decode("ascii")
        scope[REQUEST_ID] = request_id = given or new_id("req")
        self._request_id = request_id.encode("ascii")
        logs.bind(request_id=request_id, **({"trace_id": trace} if trace else {}))

    def refusal(self, scope: Scope) -> SlaError | None:
        """What is wrong already with the head."""
        raw: bytes = scope.get("raw_path") or b""
        if b"%" in raw:
            scope["path"] = "/".join(_segment(part) for part in raw.partition(b"?")[0].split(b"/"))
        if b"%00" in raw or b"%00" in scope["query_string"]:
            return InvalidRequest("The address contains a NUL character.")
        return self._bodies.too_large() if self._announced > self._bodies.limit else None

    async def receive(self) -> Message:
        """The next message. Refusal when the body is not what it may be."""
        if self._complete:
            return await self._receive()
        try:
            message = await _in_time(self._receive(), self._deadline)
        except TimeoutError:
            raise Refusal(self._bodies.too_slow()) from None
        if message["type"] == "http.request":
            self._take(message)
        return message

    def _take(self, message: Message) -> None:
        bodies, more = self._bodies, len(message.get("body", b""))
        self.size += more
        bodies.held += more
        self._complete = not message.get("more_body", False)
        if self.size > bodies.limit:
            raise Refusal(bodies.too_large())
        if bodies.held > bodies.room and bodies.held > self.size:
            raise Refusal(bodies.too_many())

    async def send(self, message: Message) -> None:
        """Send on, with the headers of every answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.get("headers", ())
            present = {name for name, _ in headers}
            unset = [pair for pair in _UNLESS_SET if pair[0] not in present]
            message["headers"] = [*headers, (b"x-request-id", self._request_id), *_ALWAYS, *unset]
        await self._send(message)


async def _in_time(coming: Awaitable[Message], deadline: float) -> Message:
    """The message, by `deadline` of the loop's clock; TimeoutError. What is there already, as the body of nearly every webhook is, needs
    no timer, which would cost more than all else here."""
    steps = coming.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as there:
        return cast(Message, there.value)
    async with asyncio.timeout_at(deadline):
        return await _rest(steps, waits_for)


@coroutine
def _rest(steps: Generator[Any, Any, Message], waits_for: Any) -> Generator[Any, Any, Message]:
    """What is left of something awaited that has made its first step."""
    while True:
        try:
            yield waits_for
        except BaseException as thrown:  # noqa: BLE001  it is for whatever waits
            step = partial(steps.throw, thrown)
        else:
            step = partial(next, steps)
        try:
            waits_for = step()
        except StopIteration as there:
            return cast(Message, there.value)


def plain_segment(segment: str) -> str:
    """A path parameter as it was meant, slashes and percent signs included."""
    return segment.replace("%2F", "/").replace("%25", "%") if "%" in segment else segment


def _segment(raw: bytes) -> str:
    return unquote_to_bytes(raw).decode("utf-8", "replace").replace("%", "%25").replace("/", "%2F")


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path_format", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    requests, took = _meters(method, route, status)
    requests.inc()
    took.observe(seconds)
    if log.isEnabledFor(logging.DEBUG):
        fields = {"event": "http.answered", "method": method, "path": scope["path"], "status": status, "seconds": round(seconds, 6)}
        log.debug("Request answered.", extra=fields)


@lru_cache(maxsize=1024)
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """What counts these requests, looked up once."""
    return metrics.HTTP_REQUESTS.labels(method, route, str(status)), metrics.HTTP_REQUEST_SECONDS.labels(route)
