"""The one door out: every request that leaves the house goes through here, and every dial is judged by the address guard.

An aiohttp session with our resolver (judges all answers of a name) and our socket factory (judges the address that is dialled;
the resolver hook is not asked for address literals). The URL keeps its name, so SNI, Host and the certificate check go by
name. No redirect is followed; proxies, netrc and cookies are ignored; nothing is decompressed. E-mail goes by `mail.py`, under the
same policy and deadlines.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from time import monotonic
from typing import Any, Self

import aiohttp
from aiohttp.connector import AddrInfoType
from yarl import URL

from app.delivery.connection import Connector
from app.delivery.failures import blocked, explain
from app.delivery.mail import Dialling, hand_over
from app.delivery.proxy import Proxy
from app.delivery.redaction import redact
from app.delivery.resolver import JudgingResolver, Resolve, SystemLookup
from app.delivery.timing import Marks, TimedTls, Timing, begin, marks, trace
from app.exchange import HttpRequest, HttpResponse, MailRequest, MailResponse, Request, Response
from app.guard import Blocked, GuardPolicy, Target, judge_address, judge_url

__all__ = ["DeliveryClient", "Exchange", "Limits", "Timing", "redact"]

_TARGETS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one attempt, in seconds unless said otherwise."""

    dns: float = 5.0
    connect: float = 5.0
    """TCP and TLS, for each try at an address; several addresses are tried in parallel (RFC 8305)."""
    total: float = 15.0
    """From the start until the head of the answer is there (of an e-mail: until the server has taken it), everything included."""
    body: float = 2.0
    """For the body, after the head."""
    body_bytes: int = 8 * 1024
    header_bytes: int = 8 * 1024
    """Of one line of the head; at most 128 lines."""
    stale: float = 1.0
    """A reused connection that dies within this time was dead before: the request is made again at once, on a new one."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What became of one request: an answer, or the error class that says why there is none (exactly one of the two)."""

    response: Response | None
    error_class: str | None
    detail: str
    """A sentence for people; empty when there is an answer. Never holds a secret."""
    url_redacted: str
    timing: Timing


class DeliveryClient:
    """Sends requests. Use it with `async with`, in one event loop; any number of requests may run at the same time.

    `resolve` looks names up (default: the operating system). `ssl_context` replaces the default trust (the system's
    authorities); there is no way to switch verification off.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        limits: Limits = Limits(),
    ) -> None:
        self._resolve = resolve or SystemLookup()
        self._given_tls = ssl_context
        self._tls = _timed(ssl_context or _system_tls("http/1.1"))
        self._limits = limits
        self._pool = _Pool(policy, self._resolve, self._tls, limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections; requests that still run end as `internal`."""
        await self._pool.close()

    async def set_policy(self, policy: GuardPolicy, *, proxy: Proxy | None = None) -> None:
        """From now on this policy rules. Idle connections are closed, because they were judged by the old one; requests that
        run keep theirs to the end.

        `proxy`: HTTP goes through it, and it looks up and judges the addresses of names; here only URLs are judged. E-mail goes directly.
        """
        if (policy, proxy) != (self._pool.policy, self._pool.proxy):
            old, self._pool = self._pool, _Pool(policy, self._resolve, self._tls, self._limits, proxy)
            await old.retire()

    async def send(self, request: Request, *, allow_http: bool = False, show_path: bool = False, body_bytes: int | None = None) -> Exchange:
        """One attempt. Network trouble and refusals are answers (`error_class`), not exceptions.

        `allow_http` permits plain http to public addresses for this request; `show_path` keeps the path in `url_redacted`;
        `body_bytes` reads more or less of the answer than the client's limits say. All three say nothing about e-mail.
        """
        noted = begin()
        response, error_class, detail = None, None, ""
        try:
            response = await self._attempt(request, noted, allow_http=allow_http, most=body_bytes or self._limits.body_bytes)
        except Blocked as error:
            error_class, detail = blocked(error)
        except Exception as error:  # noqa: BLE001  the top of an attempt: whatever it was, it becomes an outcome
            error_class, detail = blocked(noted.blocked) if noted.blocked else explain(error)
        where = request.url if isinstance(request, MailRequest) else redact(request.url, show_path=show_path)
        return Exchange(response, error_class, detail, where, noted.timing())

    async def _attempt(self, request: Request, noted: Marks, *, allow_http: bool, most: int) -> Response:
        pool = self._pool
        async with pool.in_use(), asyncio.timeout(self._limits.total) as deadline:
            if isinstance(request, MailRequest):
                return await self._hand_over(request, pool, deadline)
            target = pool.judge(request.url, allow_http=allow_http)
            began = monotonic()
            try:
                return await self._exchange(pool.session(target), request, target, noted, deadline, most)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not noted.reused or monotonic() - began > self._limits.stale:
                    raise
            noted.reused = False
            async with pool.fresh_session(target) as session:
                return await self._exchange(session, request, target, noted, deadline, most)

    async def _hand_over(self, mail: MailRequest, pool: "_Pool", deadline: asyncio.Timeout) -> MailResponse:
        pool.require_open()
        limits = self._limits
        tls = _timed(self._given_tls or _system_tls())  # the trust of HTTP, without offering HTTP; most processes never send mail
        how = Dialling(pool.policy, self._resolve, tls, dns=limits.dns, connect=limits.connect)
        return await hand_over(mail, how, deadline)

    async def _exchange(
        self, session: aiohttp.ClientSession, request: HttpRequest, target: Target, noted: Marks, deadline: asyncio.Timeout, most: int
    ) -> HttpResponse:
        answer = await session.request(
            request.method,
            URL(target.origin + target.path_and_query, encoded=True),
            data=request.body or None,
            headers=request.headers,
            allow_redirects=False,
        )
        noted.first_byte = monotonic()
        deadline.reschedule(None)  # the answer is in: what happens to its body changes nothing
        return HttpResponse(answer.status, _headers(answer), await self._body(answer, most))

    async def _body(self, answer: aiohttp.ClientResponse, most: int) -> bytes:
        """At most so many bytes, in at most so much time. A body that breaks or does not end is cut, and so is the connection."""
        if answer.content.at_eof():
            answer.release()
            return b""
        body = bytearray()
        with contextlib.suppress(aiohttp.ClientError, OSError):  # TimeoutError is an OSError
            async with asyncio.timeout(self._limits.body):
                while len(body) <= most and (part := await answer.content.readany()):
                    body += part
        if not answer.content.at_eof():
            answer.close()
        answer.release()
        return bytes(body[:most])


class _Pool:
    """The connections made under one policy. Confined targets have a session of their own: a connection that was permitted by
    `allow_http` must not serve a request that was not."""

    def __init__(self, policy: GuardPolicy, resolve: Resolve, tls: ssl.SSLContext, limits: Limits, proxy: Proxy | None = None) -> None:
        self.policy = policy
        self.proxy = proxy
        self._open_policy = GuardPolicy(policy.allow_networks, allow_http=True, own_addresses=policy.own_addresses)
        self._resolve = resolve
        self._tls = tls
        self._limits = limits
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._targets: dict[tuple[str, bool], Target] = {}
        self._running = 0
        self._retired = self._closed = False

    def judge(self, url: str, *, allow_http: bool) -> Target:
        """Where a URL leads, by the policy of this pool. The same few are asked for again and again."""
        target = self._targets.get((url, allow_http))
        if target is None:
            target = judge_url(url, self._open_policy if allow_http else self.policy)
            if len(self._targets) >= _TARGETS_MAX:
                self._targets.clear()
            self._targets[url, allow_http] = target
        return target

    def require_open(self) -> None:
        """RuntimeError when the client is closed."""
        if self._closed:
            raise RuntimeError("The client is closed.")

    def session(self, target: Target) -> aiohttp.ClientSession:
        self.require_open()
        if target.confined not in self._sessions:
            self._sessions[target.confined] = self.fresh_session(target)
        return self._sessions[target.confined]

    def fresh_session(self, target: Target) -> aiohttp.ClientSession:
        limits = self._limits
        connector = Connector(
            use_dns_cache=False,  # "resolve once per dial, judge every dial"
            ssl=self._tls,
            limit=0,  # the relay bounds what runs at once; waiting here would eat the attempt's time
            **({} if self.proxy is not None else self._judging(target)),
        )
        return aiohttp.ClientSession(
            connector=connector,
            proxy=self.proxy.url if self.proxy is not None else None,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            skip_auto_headers=("accept-encoding", "user-agent"),
            timeout=aiohttp.ClientTimeout(connect=limits.dns + limits.connect, sock_connect=limits.connect),
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            read_bufsize=limits.body_bytes,
            trace_configs=[trace()],
        )

    def _judging(self, target: Target) -> dict[str, Any]:
        """What makes a connector judge every dial."""
        resolver = JudgingResolver(self._resolve, self.policy, confined=target.confined, seconds=self._limits.dns)
        return {"resolver": resolver, "socket_factory": self._judged_socket}

    def _judged_socket(self, info: AddrInfoType) -> socket.socket:
        """The last word before a dial: the very address that the socket will be connected to."""
        family, kind, protocol, _, (host, port, *_) = info
        noted = marks()
        try:
            judge_address(ip_address(str(host)), self.policy, port=int(port))
        except Blocked as error:
            noted.blocked = error
            raise OSError(str(error)) from error  # what the connector understands
        if noted.dialled is None:
            noted.dialled = monotonic()
        return socket.socket(family, kind, protocol)

    @contextlib.asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Counts one running request, so that a retired pool knows its last one."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._retired and not self._running:
                await self.close()

    async def retire(self) -> None:
        """Closes now, or when the last running request has ended."""
        self._retired = True
        if not self._running:
            await self.close()

    async def close(self) -> None:
        self._closed = True
        for session in self._sessions.values():
            await session.close()


def _headers(answer: aiohttp.ClientResponse) -> Mapping[str, str]:
    joined: dict[str, str] = {}
    for name, value in answer.headers.items():
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


@cache
def _system_tls(*protocols: str) -> ssl.SSLContext:
    """Trust in the system's authorities, which are read once for all clients of the process; offers these protocols (ALPN)."""
    context = ssl.create_default_context()
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _timed(context: ssl.SSLContext) -> ssl.SSLContext:
    context.sslobject_class = TimedTls
    return context
