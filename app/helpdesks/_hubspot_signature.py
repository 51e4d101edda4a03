"""HubSpot's signatures, versions 1 to 3."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from app.errors import InvalidSignature
from app.exchange import HttpRequest
from app.helpdesks import _times

if TYPE_CHECKING:
    from app.helpdesks.hubspot import Config

SIGNATURE_V3: Final = "x-hubspot-signature-v3"
SIGNED_AT: Final = "x-hubspot-request-timestamp"
SIGNATURE: Final = "x-hubspot-signature"
VERSION: Final = "x-hubspot-signature-version"


def check(request: HttpRequest, config: Config, secrets: Sequence[SecretStr], now: datetime) -> None:
    """Returns if the signature is ours: version 3 where it is sent and accepted, else the version the header names (1 if it names none)."""
    if SIGNATURE_V3 in request.headers and "v3" in config.signature_versions:
        _check_v3(request, config, secrets, now)
        return
    if SIGNATURE not in request.headers:
        raise InvalidSignature(f"The header {SIGNATURE_V3} is missing.")
    version = request.headers.get(VERSION, "v1").strip().casefold() or "v1"
    if version not in config.signature_versions or version not in ("v1", "v2"):
        raise InvalidSignature("This version of the signature is not accepted.")
    signed = request.body if version == "v1" else _addressed(request, config) + request.body
    given = request.headers[SIGNATURE].strip().lower()
    _compare(given, [hashlib.sha256(_raw(secret.get_secret_value()) + signed).hexdigest() for secret in secrets], version)


def _check_v3(request: HttpRequest, config: Config, secrets: Sequence[SecretStr], now: datetime) -> None:
    stamp = request.headers.get(SIGNED_AT, "").strip()
    signed = _addressed(request, config) + request.body + _raw(stamp)
    digests = [hmac.new(_raw(secret.get_secret_value()), signed, hashlib.sha256).digest() for secret in secrets]
    _compare(request.headers[SIGNATURE_V3].strip(), [base64.b64encode(digest).decode() for digest in digests], "v3")
    if config.tolerance != timedelta.max:
        _check_fresh(stamp, now, config.tolerance)


def _addressed(request: HttpRequest, config: Config) -> bytes:
    """Method and address as HubSpot signs them; the address is the configured one, else the one we were called by."""
    return _raw(request.method.upper() + (config.public_url or request.url))


def _compare(given: str, wanted: Sequence[str], version: str) -> None:
    if not any(hmac.compare_digest(_raw(given), one.encode()) for one in wanted):
        hint = "" if version == "v1" else "; does `public_url` say exactly the address HubSpot calls?"
        raise InvalidSignature(f"The {version} signature does not fit the request{hint}")


def _check_fresh(stamp: str, now: datetime, tolerance: timedelta) -> None:
    try:
        signed_at = _times.instant(stamp)
    except ValueError:
        raise InvalidSignature("The signed timestamp cannot be read.") from None
    if abs(now - signed_at) > tolerance:
        raise InvalidSignature("The signed timestamp is too old." if signed_at < now else "The signed timestamp is in the future.")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
