"""List cursors: opaque to the client, signed by us, bound to what was asked.

A cursor holds the moment the list is about (so that `due_within=30m` means the same on every page) and the place after which to go on.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from app.errors import CursorMismatch, InvalidCursor
from app.store.types import from_microseconds, to_microseconds

_MAC_BYTES: Final = 12
_MAX_CHARACTERS: Final = 4096

Key = None | str | int | datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after the row with this sort value and tie-breaker. `at` is the moment of the first page, UTC."""

    at: datetime
    value: Key
    tie: Key


class Signer:
    """Makes and reads cursors under one secret. All replicas must have the same, or a page's successor is refused elsewhere."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.sha256(b"slawatch cursor\0" + secret).digest()

    def sign(self, cursor: Cursor, binding: str) -> str:
        """The cursor as the client sees it. `binding` says what was asked (filters and sort)."""
        body = orjson.dumps([_digest(binding), *map(_pack, (cursor.at, cursor.value, cursor.tie))])
        return base64.urlsafe_b64encode(self._mac(body) + body).decode("ascii").rstrip("=")

    def read(self, text: str, binding: str) -> Cursor:
        """The cursor behind `text`. InvalidCursor when it is not ours, CursorMismatch when it was made for another question."""
        raw = _decode(text)
        mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)):
            raise InvalidCursor("The cursor is damaged or not ours; begin again without it.")
        digest, at, value, tie = orjson.loads(body)
        if digest != _digest(binding):
            raise CursorMismatch("The cursor was made for another filter or sort; repeat the parameters of the first page.")
        return Cursor(_unpack(at), _unpack(value), _unpack(tie))

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, "sha256")[:_MAC_BYTES]


def _decode(text: str) -> bytes:
    try:
        if len(text) > _MAX_CHARACTERS:
            raise ValueError("too long")
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor("The cursor is damaged or not ours; begin again without it.") from error


def _digest(binding: str) -> str:
    return hashlib.sha256(binding.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _pack(value: Key) -> Any:
    return [to_microseconds(value)] if isinstance(value, datetime) else value


def _unpack(value: Any) -> Any:
    return from_microseconds(value[0]) if isinstance(value, list) else value
