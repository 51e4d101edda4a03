"""How long each part of an attempt took. The marks of the running attempt travel in a context variable, because the
connector calls us back (resolver, socket, TLS) without saying for which request."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from types import SimpleNamespace

from aiohttp import ClientSession, TraceConfig

from app.guard import Blocked


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one attempt; None for a part that did not happen (a reused connection is neither looked up nor connected)."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    """From the start of the attempt until the head of the answer was there."""
    total_ms: float = 0.0

    def parts(self) -> dict[str, float | None]:
        """By name."""
        return {
            "dns_ms": self.dns_ms,
            "connect_ms": self.connect_ms,
            "tls_ms": self.tls_ms,
            "first_byte_ms": self.first_byte_ms,
            "total_ms": self.total_ms,
        }


@dataclass(slots=True)
class Marks:
    """What was noted while one attempt ran."""

    started: float = field(default_factory=monotonic)
    spans: dict[str, float] = field(default_factory=dict)
    dialled: float | None = None
    reused: bool = False
    first_byte: float | None = None
    blocked: Blocked | None = None
    """Why a socket was refused at the dial."""

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Notes the seconds that the block takes as `name`: dns, connect or tls."""
        begun = monotonic()
        try:
            yield
        finally:
            self.spans[name] = monotonic() - begun

    def connected(self) -> None:
        """The TCP connection stands. Counted from the first socket of the dial, so a dead first address is part of it."""
        if self.dialled is not None and "connect" not in self.spans:
            self.spans["connect"] = monotonic() - self.dialled

    def timing(self) -> Timing:
        milliseconds = {name: round(1000 * seconds, 3) for name, seconds in self.spans.items()}
        return Timing(
            milliseconds.get("dns"),
            milliseconds.get("connect"),
            milliseconds.get("tls"),
            None if self.first_byte is None else round(1000 * (self.first_byte - self.started), 3),
            round(1000 * (monotonic() - self.started), 3),
        )


_current: ContextVar[Marks] = ContextVar("slawatch_attempt_marks")


def marks() -> Marks:
    """The marks of the attempt that runs here; loose ones, read by nobody, outside of one."""
    return _current.get(None) or Marks()


def begin() -> Marks:
    """New marks for the attempt that starts here (in this task)."""
    fresh = Marks()
    _current.set(fresh)
    return fresh


class TimedTls(ssl.SSLObject):
    """A TLS connection that notes how long its handshake took (`SSLContext.sslobject_class` is the documented hook)."""

    _marks: Marks | None = None
    _begun: float = 0.0

    def do_handshake(self) -> None:
        if self._marks is None:
            self._marks, self._begun = marks(), monotonic()
            self._marks.connected()
        super().do_handshake()
        self._marks.spans["tls"] = monotonic() - self._begun


def trace() -> TraceConfig:
    """Notes what the connector tells of itself: a connection made, or one used again."""

    async def on_created(_session: ClientSession, _context: SimpleNamespace, _params: object) -> None:
        marks().connected()

    async def on_reused(_session: ClientSession, _context: SimpleNamespace, _params: object) -> None:
        marks().reused = True

    config = TraceConfig()
    config.on_connection_create_end.append(on_created)
    config.on_connection_reuseconn.append(on_reused)
    return config
