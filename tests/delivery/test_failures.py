"""Every trouble has one error class; what is our own fault is not the receiver's."""

import errno
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from app.delivery.failures import SendFailed, explain, not_connected

KEY = ConnectionKey("example.com", 443, True, True, None, None, None)


def at_connect(number: int) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, OSError(number, "what the system says"))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (at_connect(errno.ECONNREFUSED), "connect_refused"),
        (at_connect(errno.ENETUNREACH), "connect_refused"),
        (at_connect(errno.ETIMEDOUT), "connect_timeout"),
        (at_connect(errno.ECONNRESET), "connection_reset"),
        (at_connect(errno.EMFILE), "internal"),
        (at_connect(errno.EADDRNOTAVAIL), "internal"),
        (aiohttp.ClientOSError(errno.EPIPE, "Broken pipe"), "connection_reset"),
        (caused(aiohttp.ClientOSError(1, "alert"), ssl.SSLError(1, "alert")), "tls_error"),
        (aiohttp.ServerDisconnectedError(), "connection_reset"),
        (aiohttp.ConnectionTimeoutError(), "connect_timeout"),
        (TimeoutError(), "timeout"),
        (aiohttp.ClientPayloadError("cut"), "protocol_error"),
        (aiohttp.ClientConnectionError("closed"), "internal"),
        (SendFailed("tls_error", "no STARTTLS"), "tls_error"),
        (ValueError("https://example.com/secret"), "internal"),
        (KeyError("secret"), "internal"),
    ],
)
def test_each_trouble_has_its_class_and_tells_no_secret(error: Any, expected: str) -> None:
    name, detail = explain(error)

    assert name == expected
    assert "secret" not in detail
    assert "example.com" not in detail


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ECONNREFUSED, "refused"), "connect_refused"),
        (OSError(errno.EHOSTUNREACH, "unreachable"), "connect_refused"),
        (OSError(errno.ECONNRESET, "reset"), "connection_reset"),
        (OSError(errno.ETIMEDOUT, "too late"), "connect_timeout"),
        (TimeoutError(), "connect_timeout"),
        (OSError(errno.EMFILE, "no more files"), "internal"),
    ],
)
def test_a_dial_that_fails_has_its_class(error: OSError, expected: str) -> None:
    assert not_connected(error)[0] == expected
