"""What went wrong with a request, as one of our error classes (also the label of the metric)."""

import errno
import ssl

import aiohttp

from app.delivery.resolver import LookupFailed, LookupTimeout
from app.guard import Blocked

_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
_RESET = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


class SendFailed(Exception):
    """There is no answer, and whoever tried knows why: the error class and a sentence without secrets."""

    def __init__(self, error_class: str, detail: str) -> None:
        super().__init__(detail)
        self.error_class = error_class
        self.detail = detail


def explain(error: BaseException) -> tuple[str, str]:
    """The error class and a sentence without secrets. What is our own fault (no free port, a bug) is `internal`."""
    if isinstance(error, SendFailed):
        return error.error_class, error.detail
    for kinds, name, sentence in _TABLE:
        if isinstance(error, kinds):
            return name, sentence.format(error=_cause(error))
    if isinstance(error, OSError):
        return _explain_os_error(error)
    return "internal", f"The request could not be made: {type(error).__name__}."


def blocked(error: Blocked) -> tuple[str, str]:
    """The class and sentence of a refusal by the address guard."""
    if error.rule == "no_address":
        return "dns_error", error.detail
    return "blocked_address" if error.by_address else "blocked_url", str(error)


def _explain_os_error(error: OSError) -> tuple[str, str]:
    if not isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.__cause__, ssl.SSLError):
            return "tls_error", f"TLS failed: {_cause(error.__cause__)}."
        return "connection_reset", f"The connection broke: {_cause(error)}."
    return not_connected(error.os_error)


def not_connected(error: OSError) -> tuple[str, str]:
    """The class and sentence of a dial that failed before anything was said."""
    if error.errno in _OURS:
        return "internal", f"No connection could be opened from here: {_cause(error)}."
    if error.errno == errno.ETIMEDOUT or isinstance(error, TimeoutError):
        return "connect_timeout", f"The connection was not made in time: {_cause(error)}."
    name = "connection_reset" if error.errno in _RESET else "connect_refused"
    return name, f"The connection was not accepted: {_cause(error)}."


def _cause(error: BaseException) -> str:
    """The operating system's or TLS's own words, without the URL that aiohttp puts around them."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(getattr(error.certificate_error, "verify_message", "") or error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or type(error.os_error).__name__
    if isinstance(error, aiohttp.ClientResponseError):
        return (error.message.splitlines() or ["unreadable"])[0].rstrip(":. ")
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)


_TABLE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, str], ...] = (
    (
        (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
        "internal",
        "The egress proxy did not let the request through: {error}.",
    ),
    (LookupTimeout, "dns_timeout", "{error}"),
    (LookupFailed, "dns_error", "{error}"),
    ((aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError), "tls_error", "TLS failed: {error}."),
    (aiohttp.ConnectionTimeoutError, "connect_timeout", "The connection, or its TLS handshake, was not made in time."),
    (TimeoutError, "timeout", "No answer came in time."),
    (aiohttp.ServerDisconnectedError, "connection_reset", "The receiver closed the connection without an answer."),
    ((aiohttp.ClientResponseError, aiohttp.ClientPayloadError), "protocol_error", "The answer is not HTTP: {error}."),
)
