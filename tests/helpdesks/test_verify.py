"""Each way to prove where a request comes from: accepted when it holds, refused when it does not."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app import signing
from app.errors import InvalidSignature
from app.helpdesks import _verify
from tests.helpdesks.deliveries import request

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"ticket": "\xc3\xa4"}'
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def ways(said: Any) -> _verify.Verification:
    return TypeAdapter(_verify.Verification).validate_python(said)


def accepts(said: Any, headers: dict[str, str], *, client: str | None = None, now: datetime = NOW, body: bytes = BODY) -> bool:
    try:
        _verify.check(request(body, headers, client), ways(said), now)
    except InvalidSignature:
        return False
    return True


def test_a_refusal_never_tells_a_secret() -> None:
    with pytest.raises(InvalidSignature) as refused:
        _verify.check(request(BODY, {"x-sla-token": "guess"}), ways({"header": "X-SLA-Token", "secret": "s3cret"}), NOW)

    assert refused.value.detail == "The secret in the header x-sla-token is wrong."


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def digest(algorithm: str, signed: bytes = BODY, secret: str = "s3cret") -> bytes:
    return hmac.new(secret.encode(), signed, getattr(hashlib, algorithm)).digest()


@pytest.mark.parametrize(
    ("said", "right", "wrong"),
    [
        ({"header": "X-SLA-Token", "secret": "s3cret"}, {"x-sla-token": "s3cret"}, {"x-sla-token": "s3cret "}),
        ({"header": "X-SLA-Token", "secrets": ["new", "s3cret"]}, {"x-sla-token": "s3cret"}, {"x-sla-token": "other"}),
        ({"bearer": "s3cret"}, {"Authorization": "Bearer s3cret"}, {"Authorization": "Bearer s3cre"}),
        ({"bearer": "s3cret"}, {"Authorization": "bearer  s3cret"}, {"Authorization": "s3cret"}),
        ({"basic": {"user": "desk", "password": "s3c:ret"}}, basic("desk", "s3c:ret"), basic("desk", "s3c")),
        ({"basic": {"user": "desk", "password": "ä"}}, basic("desk", "ä"), {"Authorization": "Basic ÄÖ"}),
        (
            {"hmac": {"header": "X-Signature", "secret": "s3cret"}},
            {"x-signature": digest("sha256").hex()},
            {"x-signature": digest("sha256", BODY + b"\n").hex()},
        ),
        (
            {"hmac": {"header": "X-Signature", "secret": ["new", "s3cret"], "prefix": "sha512=", "algorithm": "sha512"}},
            {"x-signature": "sha512=" + digest("sha512").hex().upper()},
            {"x-signature": digest("sha512").hex()},
        ),
        (
            {"hmac": {"header": "X-Signature", "secret": "s3cret", "algorithm": "sha1", "encoding": "base64"}},
            {"x-signature": base64.b64encode(digest("sha1")).decode()},
            {"x-signature": digest("sha1").hex()},
        ),
        (
            {"hmac": {"header": "X-S", "secret": "s3cret", "prefix": "v1=", "over": "timestamp.body", "timestamp_header": "X-T"}},
            {"x-s": "v1=" + digest("sha256", STAMP.encode() + b"." + BODY).hex(), "x-t": STAMP},
            {"x-s": "v1=" + digest("sha256").hex(), "x-t": STAMP},
        ),
    ],
)
def test_a_way_accepts_what_is_right_and_refuses_what_is_not(said: Any, right: dict[str, str], wrong: dict[str, str]) -> None:
    assert (accepts(said, right), accepts(said, wrong), accepts(said, {})) == (True, False, False)


@pytest.mark.parametrize(("age", "accepted"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_signed_time_is_good_for_the_tolerance(age: int, accepted: bool) -> None:
    said = {"hmac": {"header": "X-S", "secret": "s3cret", "over": "timestamp:body", "timestamp_header": "X-T"}}
    headers = {"x-s": digest("sha256", STAMP.encode() + b":" + BODY).hex(), "x-t": STAMP}

    assert accepts(said, headers, now=NOW + timedelta(seconds=age)) is accepted


def test_a_signed_time_that_is_none_is_refused_unless_it_is_not_looked_at() -> None:
    scheme = {"header": "X-S", "secret": "s3cret", "over": "timestamp.body", "timestamp_header": "X-T"}
    headers = {"x-s": digest("sha256", b"soon." + BODY).hex(), "x-t": "soon"}

    assert (accepts({"hmac": scheme}, headers), accepts({"hmac": {**scheme, "tolerance": "off"}}, headers)) == (False, True)


def standard(at: datetime = NOW, names: str = "webhook") -> dict[str, str]:
    stamp = int(at.timestamp())
    signature = signing.sign([STANDARD], id="msg_1", timestamp=stamp, body=BODY)
    return {f"{names}-id": "msg_1", f"{names}-timestamp": str(stamp), f"{names}-signature": signature}


@pytest.mark.parametrize("names", ["webhook", "svix"])
def test_standard_webhooks_are_accepted(names: str) -> None:
    other = "whsec_" + base64.b64encode(b"o" * 24).decode()

    assert accepts({"standard_webhooks": [other, STANDARD]}, standard(names=names))


def test_standard_webhooks_are_refused_when_old_or_changed_or_missing() -> None:
    said = {"standard_webhooks": STANDARD}
    refused = [
        accepts(said, standard(NOW - timedelta(hours=1))),
        accepts(said, standard(), body=BODY + b" "),
        accepts(said, {}),
    ]

    assert refused == [False, False, False]


@pytest.mark.parametrize(
    ("client", "accepted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::5", True),
        ("11.0.0.1", False),
        (None, False),
        ("proxy", False),
        ("fe80::1%eth0", False),
    ],
)
def test_networks_judge_the_sender(client: str | None, accepted: bool) -> None:
    assert accepts({"networks": ["10.0.0.0/8", "2001:db8::/32"]}, {}, client=client) is accepted


def test_everything_that_is_named_must_hold() -> None:
    said = {"bearer": "s3cret", "networks": ["10.0.0.0/8"]}
    right = {"Authorization": "Bearer s3cret"}

    assert [accepts(said, right, client="10.0.0.1"), accepts(said, right, client="9.9.9.9"), accepts(said, {}, client="10.0.0.1")] == [
        True,
        False,
        False,
    ]


def test_an_open_door_accepts_everything() -> None:
    assert accepts("none", {})


def test_a_refused_user_is_asked_for_the_password() -> None:
    with pytest.raises(InvalidSignature) as refused:
        _verify.check(request(), ways({"basic": {"user": "a", "password": "b"}}), NOW)

    assert refused.value.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "said",
    [
        {}, "all", "", None, True,
        {"secret": "x"},
        {"header": "X-Token"},
        {"header": "X Token", "secret": "x"},
        {"bearer": ""},
        {"bearer": []},
        {"bearer": ["a", "b", "c", "d"]},
        {"bearer": "a", "basic": {"user": "a", "password": "b"}},
        {"basic": {"user": "", "password": "b"}},
        {"hmac": {"header": "X-S"}},
        {"hmac": {"header": "X-S", "secret": "x", "algorithm": "md5"}},
        {"hmac": {"header": "X-S", "secret": "x", "timestamp_header": "X-T"}},
        {"hmac": {"header": "X-S", "secret": "x", "over": "timestamp.body"}},
        {"hmac": {"header": "X-S", "secret": "x", "over": "timestamp.body", "timestamp_header": "X-T", "tolerance": "5d"}},
        {"standard_webhooks": "not base64!"},
        {"networks": []},
        {"networks": ["10.0.0.1/8"]},
        {"password": "x"},
    ],
)  # fmt: skip
def test_a_way_that_cannot_work_is_refused_with_the_document(said: Any) -> None:
    with pytest.raises(ValidationError):
        ways(said)


@pytest.mark.parametrize(
    ("written", "span"),
    [("5m", timedelta(minutes=5)), ("1h30m", timedelta(minutes=90)), ("90S", timedelta(seconds=90)), (False, timedelta.max)],
)
def test_tolerances_are_durations_or_off(written: Any, span: timedelta) -> None:
    assert TypeAdapter(_verify.Tolerance).validate_python(written) == span
