"""Instants on the wire: RFC 3339 with an offset in, UTC with `Z` and milliseconds out."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import WithJsonSchema

from app.schemas.events_out import rfc3339

__all__ = ["FIRST_YEAR", "LAST_YEAR", "OutInstant", "read_instant", "rfc3339"]

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
_FORM: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:[Zz]|[+-]\d\d:?\d\d)")

OutInstant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, UTC with Z, milliseconds."})]


def read_instant(text: str) -> datetime:
    """The instant in UTC, exact to the microsecond. ValueError when it is none, has no offset, or lies outside 2000 to 2100."""
    if not text.isascii() or _FORM.fullmatch(text) is None:
        raise ValueError("an instant is written like 2026-11-21T09:30:00Z or 2026-11-21T10:30:00+01:00, with its offset")
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such instant: {error}") from error
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return at
