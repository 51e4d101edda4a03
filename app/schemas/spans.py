"""Spans of real time on the wire: `30m`, `1h30m`, `2d`, `PT4H`."""

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.rules.durations import parse_duration
from app.rules.problems import InvalidDuration

LONGEST: Final = timedelta(days=30)
_CHARACTERS: Final = 40


def read_span(value: Any) -> timedelta:
    """The span; refused when it cannot be read, is zero or longer than 30 days."""
    if not isinstance(value, str) or len(value) > _CHARACTERS:
        raise PydanticCustomError("span", "a span is written as 30m, 1h30m, 2d or PT4H")
    try:
        seconds = parse_duration(value, days_allowed=True)
    except InvalidDuration as error:
        raise PydanticCustomError("span", "{why}", {"why": str(error)}) from error
    if not 0 < seconds <= LONGEST.total_seconds():
        raise PydanticCustomError("span", "a span is longer than zero and at most 30 days")
    return timedelta(seconds=seconds)


Span = Annotated[
    timedelta,
    PlainValidator(read_span),
    WithJsonSchema({"type": "string", "maxLength": _CHARACTERS, "examples": ["30m"], "description": "Real time, at most 30 days."}),
]
