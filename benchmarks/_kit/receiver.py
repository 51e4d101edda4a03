"""A receiver of webhooks that notes when each arrives, and answers at once; an address can be dead (it never answers)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Received:
    """What came. `arrivals`: (unix time, path, body) each."""

    port: int = 0
    arrivals: list[tuple[float, bytes, bytes]] = field(default_factory=list)
    expected: int = 0
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, path: bytes, body: bytes) -> None:
        self.arrivals.append((time(), path, body))
        if len(self.arrivals) >= self.expected:
            self.complete.set()


class _Connection(asyncio.Protocol):
    def __init__(self, received: Received) -> None:
        self._received = received
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            found = _LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < size:
                return
            path = head.split(b" ", 2)[1]
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            if path.startswith(b"/dead"):
                return
            self._received.note(path, body)
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(_ANSWER)


@asynccontextmanager
async def receiver() -> AsyncIterator[Received]:
    """Listening on a free port of loopback."""
    received = Received()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(received), "127.0.0.1", 0)
    received.port = server.sockets[0].getsockname()[1]
    try:
        yield received
    finally:
        server.close()
