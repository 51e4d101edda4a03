"""Signatures of webhooks: Standard Webhooks 1.0 (https://www.standardwebhooks.com), made and checked. Pure.

Signed are the bytes `{id}.{timestamp}.{body}`. A secret's prefix says what it is, the rest is base64:

* `whsec_`: a shared key; HMAC-SHA256, written `v1,<base64>`,
* `whsk_`: an ed25519 private key (32 bytes, or 64 with the public half behind it), written `v1a,<base64>`,
* `whpk_`: its public key (32 bytes), good for verifying only.

A header holds one signature per live key, separated by a space, so keys can be changed without losing a message.
"""

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE: Final = timedelta(minutes=5)
"""How far a timestamp may lie from the verifier's clock, either way; the bound is still accepted."""

HMAC_PREFIX: Final = "whsec_"
PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"

_NEW_KEY_BYTES: Final = range(24, 65)  # the specification's bounds for a shared key
_SEED_BYTES: Final = 32
_TIMESTAMP_DIGITS: Final = 15  # thirty million years; longer is nonsense and not worth parsing

Reason = Literal["missing_header", "invalid_timestamp", "timestamp_too_old", "timestamp_too_new", "no_matching_signature", "invalid_secret"]


class SignatureRefused(ValueError):
    """The signature does not prove the message, or the secret is no secret; `reason` says which."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def sign(secrets: Sequence[str], *, id: str, timestamp: int, body: bytes) -> str:  # noqa: A002  the specification's word
    """The value of `webhook-signature`: one signature per secret, in the order given (newest key first).

    `timestamp` is in unix seconds. Raises SignatureRefused("invalid_secret") for a secret that cannot sign, or for none at all.
    """
    if not secrets:
        raise SignatureRefused("invalid_secret")
    content = _content(id, str(timestamp), body)
    return " ".join(_sign_one(secret, content) for secret in secrets)


def verify(
    secret: str,
    *,
    id: str,  # noqa: A002  the specification's word
    timestamp: str,
    body: bytes,
    signature: str,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Returns if one of the signatures is ours and the timestamp is near `now` (aware); else raises SignatureRefused.

    `id`, `timestamp` and `signature` are the headers' values as received, empty where a header is missing. `secret` is a shared
    key (`whsec_` or bare base64, padded or not) or an ed25519 key. Signatures of other versions are skipped, and
    shared-key signatures are compared in constant time.
    """
    proves = _prover(secret)
    if not (id and timestamp and signature):
        raise SignatureRefused("missing_header")
    _check_timestamp(timestamp, now, tolerance)
    content = _content(id, timestamp, body)
    given = [_encoded(one) for one in signature.split(" ")]
    if not any(proves(one, content) for one in given):
        raise SignatureRefused("no_matching_signature")


def new_secret() -> str:
    """A fresh shared key of 32 random bytes, `whsec_...`."""
    return HMAC_PREFIX + _text(randomness.token_bytes(32))


def new_key_pair() -> tuple[str, str]:
    """A fresh ed25519 pair: the private key `whsk_...` we sign with, and the public key `whpk_...` for the receiver."""
    private = PRIVATE_PREFIX + _text(randomness.token_bytes(_SEED_BYTES))
    return private, public_key(private)


def public_key(secret: str) -> str:
    """The `whpk_...` that verifies what the `whsk_...` signs. Raises SignatureRefused("invalid_secret") for anything else."""
    if not secret.startswith(PRIVATE_PREFIX):
        raise SignatureRefused("invalid_secret")
    return PUBLIC_PREFIX + _text(_private_key(secret).public_key().public_bytes_raw())


def check_secret(secret: str) -> None:
    """Returns if a new endpoint may sign with this: `whsec_` over 24-64 bytes, or `whsk_`; else SignatureRefused("invalid_secret")."""
    if secret.startswith(PRIVATE_PREFIX):
        _private_key(secret)
    elif not secret.startswith(HMAC_PREFIX) or len(_key(secret, HMAC_PREFIX)) not in _NEW_KEY_BYTES:
        raise SignatureRefused("invalid_secret")


def hub_signature_256(secret: str, body: bytes) -> str:
    """The value of `x-hub-signature-256` for older receivers: `sha256=<hex>` of the body alone, the secret taken as it is.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    return "sha256=" + hmac.new(_encoded(secret), body, hashlib.sha256).hexdigest()


class _SharedKey:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, signature: bytes, content: bytes) -> bool:
        return hmac.compare_digest(signature, _encoded(_hmac(self._key, content)))


class _PublicKey:
    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    def __call__(self, signature: bytes, content: bytes) -> bool:
        version, _, text = signature.partition(b",")
        if version != b"v1a":
            return False
        try:
            self._key.verify(base64.b64decode(text, validate=True), content)
        except (InvalidSignature, binascii.Error):
            return False
        return True


def _prover(secret: str) -> _SharedKey | _PublicKey:
    if secret.startswith(PUBLIC_PREFIX):
        raw = _key(secret, PUBLIC_PREFIX)
        if len(raw) != _SEED_BYTES:
            raise SignatureRefused("invalid_secret")
        return _PublicKey(Ed25519PublicKey.from_public_bytes(raw))
    if secret.startswith(PRIVATE_PREFIX):
        return _PublicKey(_private_key(secret).public_key())
    return _SharedKey(_key(secret, HMAC_PREFIX))


def _sign_one(secret: str, content: bytes) -> str:
    if secret.startswith(PRIVATE_PREFIX):
        return "v1a," + _text(_private_key(secret).sign(content))
    if secret.startswith(HMAC_PREFIX):
        return _hmac(_key(secret, HMAC_PREFIX), content)
    raise SignatureRefused("invalid_secret")


def _private_key(secret: str) -> Ed25519PrivateKey:
    raw = _key(secret, PRIVATE_PREFIX)
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise SignatureRefused("invalid_secret")
    key = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
    if len(raw) > _SEED_BYTES and key.public_key().public_bytes_raw() != raw[_SEED_BYTES:]:
        raise SignatureRefused("invalid_secret")
    return key


@lru_cache(maxsize=256)  # a handful of keys signs everything
def _key(secret: str, prefix: str) -> bytes:
    """The bytes behind the prefix; a missing prefix or missing padding is forgiven, an empty key is not."""
    text = secret.removeprefix(prefix)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # not base64, or not even ASCII
        raise SignatureRefused("invalid_secret") from None
    if not key:
        raise SignatureRefused("invalid_secret")
    return key


def _check_timestamp(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_DIGITS):
        raise SignatureRefused("invalid_timestamp")
    age_seconds = now.timestamp() - int(timestamp)
    if age_seconds > tolerance.total_seconds():
        raise SignatureRefused("timestamp_too_old")
    if -age_seconds > tolerance.total_seconds():
        raise SignatureRefused("timestamp_too_new")


def _content(id: str, timestamp: str, body: bytes) -> bytes:  # noqa: A002  the specification's word
    return _encoded(f"{id}.{timestamp}.") + body


def _hmac(key: bytes, content: bytes) -> str:
    return "v1," + _text(hmac.new(key, content, hashlib.sha256).digest())


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a header may hold anything, and none of it may make us raise
