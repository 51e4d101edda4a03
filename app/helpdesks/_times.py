"""Times as helpdesks write them, read into aware UTC instants.

Read are ISO 8601 with `Z` or an offset (`+05:30`, `+0530`, `+05`) and any number of fractional digits, the same with a blank for the
`T` and with `UTC` or `GMT` behind it, RFC 2822 (`Thu, 14 Dec 2017 15:47:29 +0000`), ctime (`Thu Dec 14 15:47:29 2017`), and
numbers (or strings of digits) of seconds, milliseconds, microseconds or nanoseconds since 1970; which of them is told by the size.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""Instants outside [EARLIEST, LATEST) are nonsense: an unset field, a wrong unit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZES = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))  # (below, units a second)
_NUMBER = re.compile(r"\d{1,19}(\.\d{1,12})?")
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?", re.IGNORECASE
)
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{3}([0-9]{3})?)?Z")
"""What nearly all of them send, which the standard library reads quickly and alike; a leap second is not among it."""
_TEXT_MAX = 64


def instant(value: object, zone: tzinfo = UTC) -> datetime:
    """The instant in UTC. `zone` is for times that name none; a local time that occurs twice is taken as the first, one that never
    occurs as if the clocks had not yet changed. ValueError says what is wrong.
    """
    if isinstance(value, str):
        at = _text(value.strip(), zone)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        at = _number(value)
    else:
        raise ValueError("is not a time")
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"is no plausible time (year {at.year})")
    return at


def cut_to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000) if at.microsecond % 1000 else at


def _number(value: float) -> datetime:
    if math.isfinite(value) and value >= 0:
        for below, units in _SIZES:
            if value < below:
                return _EPOCH + _span(value, units)
    raise ValueError("is not a time")


def _span(value: float, units: int) -> timedelta:
    if isinstance(value, int):  # exact; a float would lose the nanoseconds' tail
        seconds, rest = divmod(value, units)
        return timedelta(seconds=seconds, microseconds=rest * 10**6 // units)
    return timedelta(seconds=value / units)


def _text(text: str, zone: tzinfo) -> datetime:
    if len(text) > _TEXT_MAX:
        raise ValueError("is not a time")
    if _PLAIN.fullmatch(text):
        return datetime.fromisoformat(text)
    if _NUMBER.fullmatch(text):
        return _number(float(text) if "." in text else int(text))
    if match := _ISO.fullmatch(text):
        return _iso(match, zone)
    return _worded(text, zone)


def _iso(match: re.Match[str], zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    leap = second == 60
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    local = datetime(year, month, day, hour, minute, second - leap, micros, tzinfo=_offset(match[8], zone))
    return _utc(local) + timedelta(seconds=leap)


def _offset(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if text[0] == "-" else span)


def _worded(text: str, zone: tzinfo) -> datetime:
    text = re.sub(r" (GMT|UTC)$", " +0000", text)
    form = "%a %b %d %H:%M:%S %Y"
    if text[-5:-4] in ("+", "-"):
        form = "%a, %d %b %Y %H:%M:%S %z" if "," in text else "%d %b %Y %H:%M:%S %z"
    try:
        at = datetime.strptime(text, form)  # noqa: DTZ007  the next line gives it a zone
        return _utc(at if at.tzinfo is not None else at.replace(tzinfo=zone))
    except ValueError:
        raise ValueError("is not a time") from None


def _utc(local: datetime) -> datetime:
    try:
        return local.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no plausible time") from None
