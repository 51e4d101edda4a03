"""What an answer's status and headers say, the same for every channel."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from app.exchange import HttpResponse, Response, Retry

HINT_MAX: Final = timedelta(hours=6)
"""The longest a receiver may ask us to wait."""


def classify(status: int) -> str:
    """The error class of a status: `ok` for 2xx, `redirect` for 3xx (never followed), `protocol_error` for what is no final status."""
    named = {410: "http_410", 413: "payload_too_large", 429: "http_429"}.get(status)
    if named is not None:
        return named
    return {2: "ok", 3: "redirect", 4: "http_4xx", 5: "http_5xx"}.get(status // 100, "protocol_error")


def retry_after(value: str | None, at: datetime) -> datetime | None:
    """The instant before which the receiver wants no further try, at most 6 h from `at` (aware); RFC 9110 section 10.2.3.

    Whole seconds or an HTTP date. None when the header is missing, cannot be read, or names no moment after `at`.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        seconds = int(text) if len(text) < 9 else HINT_MAX.total_seconds()  # nine digits are decades
        hint = at + min(timedelta(seconds=seconds), HINT_MAX)
    else:
        date = _http_date(text)
        hint = at if date is None else min(date, at + HINT_MAX)
    return hint if hint > at else None


def try_again(response: HttpResponse, at: datetime) -> Retry:
    """Another attempt on the schedule; 429 and 503 may ask for patience with Retry-After."""
    hint = retry_after(response.headers.get("retry-after"), at) if response.status in (429, 503) else None
    return Retry(classify(response.status), answered(response), hint)


def answered(response: Response) -> str:
    """`The receiver answered 503.`"""
    return f"The receiver answered {response.status}."


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.astimezone(UTC) if date.tzinfo is not None else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError, IndexError, TypeError):  # what the standard library raises on different garbage
        return None
