"""Words for people: texts from outside made harmless, durations, instants and links. Nothing here knows an event or a channel."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

NAME_MAX: Final = 100  # characters
LINK_MAX: Final = 2_048  # characters

_BLANKS: Final = re.compile(r"\s+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_IN_LINKS: Final = "%/:=&?~#+!$,;@"
"""What stays as it is in a link: neither brackets nor quotes, which would end it in Markdown, mrkdwn or HTML."""


def clean(text: str, limit: int = NAME_MAX) -> str:
    """One line without control, direction-changing and broken characters, at most `limit` characters long."""
    plain = _BLANKS.sub(" ", text)
    plain = "".join(char for char in plain if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")).strip()
    return cut(plain, limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters (code points, at least 1); what was cut ends in `…`."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def cut_bytes(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8 (at least 3); what was cut ends in `…`, and no character is split."""
    raw = text.encode("utf-8")
    return text if len(raw) <= limit else raw[: limit - 3].decode("utf-8", "ignore").rstrip() + "…"


def duration(seconds: int) -> str:
    """`45 s`, `12 min`, `3 h 20 min`: the two greatest units; hours do not become days, because a day of open time is nobody's day."""
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def instant(at: datetime) -> str:
    """`2026-11-21 09:30 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def words(name: str) -> str:
    """`first response` of `first_response`."""
    return re.sub(r"[._]", " ", name)


def web_link(url: str | None) -> str | None:
    """The absolute http(s) link in ASCII, without a character that could end it where we do not; None for what is no such link.

    Left out too: what hides where it leads (a name before an `@`, blanks, control characters) and what is longer than `LINK_MAX`.
    """
    if not url or " " in url or url != clean(url, len(url)):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        return None
    safe = f"{parts.scheme}://{parts.netloc}{quote(url[len(parts.scheme) + 3 + len(parts.netloc) :], safe=_IN_LINKS)}"
    return safe if len(safe) <= LINK_MAX else None
