"""Requests and responses as values: what translators (helpdesks, channels) speak instead of opening sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


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
class MailRequest:
    """One e-mail to hand to a mail server, and the envelope it travels in (RFC 5321)."""

    host: str
    """A name, or an address without brackets."""
    port: int
    tls: Literal["starttls", "implicit", "none"]
    """`starttls`: nothing is said before the connection is encrypted; `implicit`: it is from its first byte."""
    sender: str
    """Bare addresses, ASCII; so are the recipients, at least one."""
    recipients: tuple[str, ...]
    data: bytes
    """The message: ASCII, lines of at most 998 characters that end in CR LF."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """`smtp://host:port`, `smtps://` for implicit TLS: no credential, may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.tls == 'implicit' else 'smtp'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MailResponse:
    """What a mail server said in the end: to the message, or to the command that it refused."""

    status: int
    """The reply code, 200-599."""
    body: bytes = b""
    """The reply's text without its codes, at most 8 KiB; then, one a line, the recipients it refused when it took it for others."""


Request = HttpRequest | MailRequest
"""What leaves the house."""

Response = HttpResponse | MailResponse
"""What comes back; both have `status` and `body`."""


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
    """Never to be accepted: the delivery is dead. `disable` says that the endpoint itself is gone (410), `smaller` that it was this
    body that was refused, and that the shortest form of the notice may be taken (`app.channels.Notice.shortest`), `dropped` that it is not
    wanted any more: the delivery is superseded, and nothing is wrong with the endpoint."""

    error_class: str
    detail: str
    disable: bool = False
    smaller: bool = False
    dropped: bool = False


Outcome = Delivered | Retry | Rejected
