"""Receivers on loopback that behave as told, well or badly: plain asyncio, so that every byte is ours."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Call:
    """One connection to the receiver, after it has read a request."""

    number: int
    """Of the connection, from 1."""
    request: int
    """Of the request on this connection, from 1."""
    head: str
    body: bytes
    writer: asyncio.StreamWriter

    async def say(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behave = Callable[[Call], Awaitable[None]]
"""Answers one request; the connection is kept for another one unless it closes it."""


@dataclass
class Receiver:
    """What a running receiver has seen."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    """The SNI of each TLS handshake."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextlib.asynccontextmanager
async def receiver(behave: Behave, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port of 127.0.0.1 for the length of the block."""
    seen = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        seen.connections += 1
        try:
            await _serve(behave, seen, seen.connections, reader, writer)
        finally:
            writer.transport.abort()

    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: seen.server_names.append(name)
    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _serve(behave: Behave, seen: Receiver, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = 0
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next((line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length:")), "0")
            body = await reader.readexactly(int(length))
            request += 1
            call = Call(number, request, head, body, writer)
            seen.calls.append(call)
            await behave(call)


def answers(status: str, *headers: str, body: bytes = b"") -> Behave:
    """A receiver that always answers this."""

    async def behave(call: Call) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
        await call.say("\r\n".join(lines).encode() + body)

    return behave


def says(raw: bytes, *, then_close: bool = True) -> Behave:
    """A receiver that sends these bytes, whatever they are."""

    async def behave(call: Call) -> None:
        await call.say(raw)
        if then_close:
            call.writer.close()

    return behave


def drips(start: bytes, drop: bytes, *, seconds: float = 0.01) -> Behave:
    """A receiver that begins and then never ends."""

    async def behave(call: Call) -> None:
        await call.say(start)
        while True:
            await asyncio.sleep(seconds)
            await call.say(drop)

    return behave


async def never(_call: Call) -> None:
    """A receiver that takes the request and says nothing."""
    await asyncio.Event().wait()
