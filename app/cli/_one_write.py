"""One call of the kernel for one answer."""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

GATHERED: Final = 64 * 1024
"""Bytes that wait for the turn of the loop to end; more are sent at once."""


class OneWrite(HttpToolsProtocol):
    """uvicorn's protocol, except that head and body of an answer are written together: as two writes they are two packets, which costs
    both sides about as much again as everything else that uvicorn does for a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, Gathering(transport, self.loop))


class Gathering:
    """A transport that gathers what is written until the loop's next turn. In all else it is the transport it is made of."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._gathered: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Have this written after all that was written before."""
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)
        self._size += len(data)
        if self._size > GATHERED:
            self._send()

    def close(self) -> None:
        """Close when everything is sent."""
        self._send()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing()

    def _send(self) -> None:
        gathered, self._gathered, self._size = self._gathered, [], 0
        if gathered and not self._transport.is_closing():
            self._transport.writelines(gathered)
