"""Mail servers on loopback: aiosmtpd, which is not ours, and plain sockets for those that behave badly."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "slawatch", "pässword with blanks"


@dataclass
class MailServer:
    """What a running server has taken, and what it answers to a recipient or to the message instead of `250 OK`."""

    port: int = 0
    replies: Mapping[str, str] = field(default_factory=dict)
    """By `DATA` or the recipient's address."""
    with_login: bool = False
    taken: list[Envelope] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    """Of each message, whether it came over TLS."""

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.with_login and not session.authenticated:
            return "530 5.7.0 log in first"
        self.greetings.append(str(session.host_name))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        if "DATA" not in self.replies:
            self.taken.append(envelope)
        return self.replies.get("DATA", "250 2.0.0 queued as 4711")


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object) -> AuthResult:
    right = isinstance(login, LoginPassword) and (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@contextlib.asynccontextmanager
async def mail_server(
    replies: Mapping[str, str] | None = None,
    *,
    starttls: ssl.SSLContext | None = None,
    implicit: ssl.SSLContext | None = None,
    with_login: bool = False,
) -> AsyncIterator[MailServer]:
    """A server on a free port of 127.0.0.1 for the length of the block."""
    seen = MailServer(replies=replies or {}, with_login=with_login)

    def made() -> SMTP:
        return SMTP(
            seen,
            hostname="mail.example.com",
            ident="test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=_knows,
            auth_require_tls=implicit is None,  # it knows of STARTTLS only
        )

    async with _listening(made, implicit) as seen.port:
        yield seen


@contextlib.asynccontextmanager
async def bad_server(*lines: bytes, repeat: bytes = b"", close: bool = False) -> AsyncIterator[int]:
    """A port where the first line is said at once and each further one after whatever comes in; then `repeat`, over and over."""

    class Bad(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)
            self.left = list(lines)
            self.data_received(b"")

        def data_received(self, _data: bytes) -> None:
            if self.left:
                self.transport.write(self.left.pop(0))
            if not self.left and close:
                self.transport.close()
            elif not self.left and repeat:
                self.again()

        def again(self) -> None:
            if not self.transport.is_closing():
                self.transport.write(repeat)
                asyncio.get_running_loop().call_later(0.001, self.again)

    async with _listening(Bad, None) as port:
        yield port


@contextlib.asynccontextmanager
async def _listening(made: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    connections: list[asyncio.BaseProtocol] = []

    def kept() -> asyncio.BaseProtocol:
        connections.append(made())
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(kept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in connections:
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await server.wait_closed()
