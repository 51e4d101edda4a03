"""One-time links: whoever was told may acknowledge without an account. Signed by a key of the service's own, expiring, used once.

A token is base64url of 16 bytes of HMAC-SHA256 and what they vouch for: which escalation, by which notice, until when. That it was used is
in the escalation's log.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.store.types import from_microseconds, to_microseconds

KEY_NAME: Final = "acknowledge-links"
VALID_FOR: Final = timedelta(hours=24)
_MAC_BYTES: Final = 16
_MAX_CHARACTERS: Final = 300
_PURPOSE: Final = b"slawatch acknowledge\0"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for. `notice_id` names the link: it can be used once."""

    escalation_id: str
    notice_id: str
    expires_at: datetime


def token(key: bytes, link: Link) -> str:
    """The link's token, of letters, digits, `-` and `_`."""
    said = f"{link.escalation_id} {link.notice_id} {to_microseconds(link.expires_at)}".encode()
    return base64.urlsafe_b64encode(_mac(key, said) + said).decode().rstrip("=")


def read(key: bytes, text: str) -> Link | None:
    """The link of a token; None when it is not ours. Whether it has expired is for the caller to see."""
    try:
        if len(text) > _MAX_CHARACTERS:
            return None
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    mac, said = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, said)):
        return None
    escalation_id, notice_id, expires = said.decode().split(" ")
    return Link(escalation_id, notice_id, from_microseconds(int(expires)))


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + said, "sha256")[:_MAC_BYTES]
