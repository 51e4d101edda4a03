"""Column types that hold on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_microseconds(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant. ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"naive instant {at.isoformat()}: every instant is aware")
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_microseconds(value: int) -> datetime:
    """The aware UTC instant so many microseconds after 1970."""
    return _EPOCH + timedelta(0, 0, value)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, stored as integer microseconds since 1970: the same order, precision and size on both databases.

    Refuses naive values in, gives aware UTC out.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_microseconds(value)


class JsonBytes(TypeDecorator[Any]):
    """A JSON value that is only ever read whole, stored as compact UTF-8 bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else orjson.dumps(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else orjson.loads(value)
