"""Ways to prove that a webhook comes from the helpdesk. All secrets are compared in constant time; all ways that are given must hold."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    IPvAnyNetwork,
    SecretStr,
    Tag,
    model_validator,
)

from app import signing
from app.errors import InvalidSignature
from app.exchange import HttpRequest
from app.helpdesks import Secrets, _times

_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s)?", re.IGNORECASE)
_SEPARATORS: Final = {"body": None, "timestamp.body": b".", "timestamp:body": b":", "timestampbody": b""}
_UNSET_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _tolerance(value: Any) -> Any:
    """`5m`, `90s`, `1h30m`, or `off` (also YAML's false) for a signature that never grows old."""
    if value is False or (isinstance(value, str) and value.strip().casefold() == "off"):
        return timedelta.max
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())) and any(match.groups()):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if isinstance(value, timedelta):
        return value
    raise ValueError("write a duration such as '5m' or '90s', or 'off'")


Tolerance = Annotated[timedelta, BeforeValidator(_tolerance, json_schema_input_type=str)]
"""How far a signed time may lie from our clock, either way; `timedelta.max` = it is not looked at."""


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", value):
        raise ValueError("is not the name of a header")
    return value.lower()


HeaderName = Annotated[str, AfterValidator(_header_name)]


def _standard_secrets(secrets: list[SecretStr]) -> list[SecretStr]:
    for secret in secrets:
        try:
            signing.verify(secret.get_secret_value(), id="", timestamp="", body=b"", signature="", now=_UNSET_TIME)
        except signing.SignatureRefused as refused:
            if refused.reason == "invalid_secret":
                raise ValueError("is no Standard Webhooks secret: expected `whsec_` and base64") from None
    return secrets


class _Scheme(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Basic(_Scheme):
    """HTTP basic authentication; also for helpdesks that can only put `https://user:password@...` into the URL."""

    user: str = Field(min_length=1)
    password: Secrets


class Hmac(_Scheme):
    """A keyed hash of the body in a header."""

    header: HeaderName
    secret: Secrets = Field(validation_alias=AliasChoices("secret", "secrets"))
    prefix: str = Field(default="", description="What stands before the hash: `sha256=`, `v1=`.")
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    over: Literal["body", "timestamp.body", "timestamp:body", "timestampbody"] = Field(
        default="body", description="The signed bytes: the body, or the timestamp header, a separator and the body."
    )
    timestamp_header: HeaderName | None = None
    tolerance: Tolerance = timedelta(minutes=5)

    @model_validator(mode="after")
    def _timestamp_is_signed(self) -> Self:
        if (self.over == "body") != (self.timestamp_header is None):
            raise ValueError("`timestamp_header` and `over: timestamp...` belong together: a time that is not signed proves nothing")
        return self


class Verify(_Scheme):
    """How requests prove where they come from. Everything that is named must hold."""

    header: HeaderName | None = Field(default=None, description="A header that carries the `secret` as it is.")
    secret: Secrets | None = Field(default=None, validation_alias=AliasChoices("secret", "secrets"))
    bearer: Secrets | None = Field(default=None, description="`Authorization: Bearer ...`")
    basic: Basic | None = None
    hmac: Hmac | None = None
    standard_webhooks: Annotated[Secrets, AfterValidator(_standard_secrets)] | None = None
    networks: list[IPvAnyNetwork] | None = Field(default=None, min_length=1, description="Addresses the requests may come from.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.header is None) != (self.secret is None):
            raise ValueError("`header` and `secret` belong together")
        if not any((self.header, self.bearer, self.basic, self.hmac, self.standard_webhooks, self.networks)):
            raise ValueError("name at least one way to verify, or write `verify: none`")
        if self.bearer and self.basic:
            raise ValueError("`bearer` and `basic` are the same header: name one of them")
        return self


Verification = Annotated[
    Annotated[Verify, Tag("ways")] | Annotated[Literal["none"], Tag("none")],
    Discriminator(lambda value: "none" if isinstance(value, str) else "ways"),
]
"""`none` has to be written: an open door is a decision."""


def check(request: HttpRequest, verify: Verification, now: datetime) -> None:
    """Returns if the request holds all that is asked of it; InvalidSignature says what does not, never a secret."""
    if verify == "none":
        return
    if verify.networks is not None:
        _check_network(request.client, verify.networks)
    if verify.header is not None and verify.secret is not None:
        _check_header(request, verify.header, verify.secret)
    if verify.bearer is not None:
        _check_bearer(request, verify.bearer)
    if verify.basic is not None:
        _check_basic(request, verify.basic)
    if verify.hmac is not None:
        check_hmac(request, verify.hmac, now)
    if verify.standard_webhooks is not None:
        _check_standard(request, verify.standard_webhooks, now)


def check_hmac(request: HttpRequest, scheme: Hmac, now: datetime) -> None:
    """Returns if the header holds the hash, made with one of the secrets, and the signed time is near `now`."""
    given = _header(request, scheme.header).strip()
    stamp = _header(request, scheme.timestamp_header).strip() if scheme.timestamp_header else None
    separator = _SEPARATORS[scheme.over]
    signed = request.body if stamp is None or separator is None else _raw(stamp) + separator + request.body
    if not given.startswith(scheme.prefix) or not _is_signed(given.removeprefix(scheme.prefix), signed, scheme):
        raise InvalidSignature(f"The signature in the header {scheme.header} does not fit the body.")
    if stamp is not None and scheme.tolerance != timedelta.max:
        _check_fresh(stamp, now, scheme.tolerance)


def _is_signed(given: str, signed: bytes, scheme: Hmac) -> bool:
    encode: Callable[[bytes], bytes] = binascii.hexlify if scheme.encoding == "hex" else base64.b64encode
    text = _raw(given.lower() if scheme.encoding == "hex" else given)
    algorithm = getattr(hashlib, scheme.algorithm)
    digests = [encode(hmac.new(_raw(s.get_secret_value()), signed, algorithm).digest()) for s in scheme.secret]
    return any(hmac.compare_digest(text, digest) for digest in digests)


def _check_fresh(stamp: str, now: datetime, tolerance: timedelta) -> None:
    try:
        signed_at = _times.instant(stamp)
    except ValueError:
        raise InvalidSignature("The signed timestamp cannot be read.") from None
    if abs(now - signed_at) > tolerance:
        raise InvalidSignature("The signed timestamp is too old." if signed_at < now else "The signed timestamp is in the future.")


def _check_standard(request: HttpRequest, secrets: list[SecretStr], now: datetime) -> None:
    names = "webhook-id", "webhook-timestamp", "webhook-signature"
    if names[2] not in request.headers and "svix-signature" in request.headers:
        names = "svix-id", "svix-timestamp", "svix-signature"  # senders from before the names were standardised
    message_id, stamp, signature = (request.headers.get(name, "") for name in names)
    reason: str = "no_matching_signature"
    for secret in secrets:
        try:
            signing.verify(secret.get_secret_value(), id=message_id, timestamp=stamp, body=request.body, signature=signature, now=now)
        except signing.SignatureRefused as refused:
            reason = refused.reason
        else:
            return
    raise InvalidSignature(f"The Standard Webhooks signature is refused: {reason}.")


def _check_header(request: HttpRequest, name: str, secrets: list[SecretStr]) -> None:
    if not _is_one_of(_header(request, name), secrets):
        raise InvalidSignature(f"The secret in the header {name} is wrong.")


def _check_bearer(request: HttpRequest, secrets: list[SecretStr]) -> None:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.casefold() != "bearer" or not _is_one_of(token.strip(), secrets):
        raise InvalidSignature("The bearer token is missing or wrong.", headers={"WWW-Authenticate": "Bearer"})


def _check_basic(request: HttpRequest, basic: Basic) -> None:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    try:
        given = base64.b64decode(token.strip(), validate=True) if scheme.casefold() == "basic" else b""
    except ValueError:
        given = b""
    wanted = [_raw(f"{basic.user}:{password.get_secret_value()}") for password in basic.password]
    if not any(hmac.compare_digest(given, one) for one in wanted):
        # The challenge makes clients send what stands in their URL.
        raise InvalidSignature("The user or password is missing or wrong.", headers={"WWW-Authenticate": 'Basic realm="webhook"'})


def _check_network(client: str | None, networks: list[IPv4Network | IPv6Network]) -> None:
    try:
        address = ip_address((client or "").partition("%")[0])
    except ValueError:
        raise InvalidSignature("The address of the sender is not known.") from None
    if not any(_plain_address(address) in network for network in networks):
        raise InvalidSignature("The address of the sender is not in the allowed networks.")


def _plain_address(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _header(request: HttpRequest, name: str) -> str:
    headers: Mapping[str, str] = request.headers
    if name not in headers:
        raise InvalidSignature(f"The header {name} is missing.")
    return headers[name]


def _is_one_of(given: str, secrets: list[SecretStr]) -> bool:
    return any(hmac.compare_digest(_raw(given), _raw(secret.get_secret_value())) for secret in secrets)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a header may hold anything, and none of it may make us raise
