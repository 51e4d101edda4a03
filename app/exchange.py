"""Requests and responses as values: what translators (helpdesks, channels) speak instead of opening sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request, in or out.

    `headers` has lower-case names; where a name came several times the values are joined with `, `. `body` is the
    raw bytes: signatures are computed over exactly these.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    client: str | None = None
    """The peer's address of an inbound request; None when unknown or outbound."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The head of an answer and at most the first 8 KiB of its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has accepted the message."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not accepted now; try again on the schedule, but not before `not_before` (None: no hint from the receiver)."""

    error_class: str
    detail: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never to be accepted: the delivery is dead. `disable` says that the endpoint itself is gone (410)."""

    error_class: str
    detail: str
    disable: bool = False


Outcome = Delivered | Retry | Rejected
