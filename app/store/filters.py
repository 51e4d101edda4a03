"""The kinds of filters a list may have. Each knows its query keys, how to read their values, and what it demands of the rows."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, and_, not_, or_

from app.errors import Fault, InvalidRequest
from app.rules.durations import parse_duration
from app.rules.problems import InvalidDuration

MAX_VALUES: Final = 50
MAX_CHARACTERS: Final = 300
END: Final = datetime.max.replace(tzinfo=UTC)
_COMPARE: Final[Mapping[str, Callable[[ColumnElement[Any], datetime], ColumnElement[bool]]]] = {
    "gte": lambda column, at: column >= at,
    "gt": lambda column, at: column > at,
    "lte": lambda column, at: column <= at,
    "lt": lambda column, at: column < at,
}

Values = Sequence[str]


class Filter(Protocol):
    """One filter. `keys(name)` gives each query key with its OpenAPI schema and description."""

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]: ...

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:
        """What the rows must satisfy. `at` is the moment the list is about. InvalidRequest when a value cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """The column is any of the given words. `none` (if set) stands for no value. `choices` (if set) are all the words there are."""

    column: ColumnElement[Any]
    what: str
    choices: tuple[str, ...] = ()
    none: str | None = None

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]:
        word: dict[str, Any] = {"type": "string", "maxLength": MAX_CHARACTERS, "minLength": 1}
        if self.choices:
            word = {"type": "string", "enum": list(self.choices)}
        note = f" `{self.none}`: has none." if self.none else ""
        return {name: ({"type": "array", "items": word, "maxItems": MAX_VALUES}, f"{self.what} Repeated: any of these.{note}")}

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        for value in values:
            self._check(key, value)
        words = [value for value in values if value != self.none]
        wanted: list[ColumnElement[bool]] = []
        if words:
            wanted.append(self.column == words[0] if len(words) == 1 else self.column.in_(words))
        if len(words) < len(values):
            wanted.append(self.column.is_(None))
        return or_(*wanted)

    def _check(self, key: str, value: str) -> None:
        if not 0 < len(value) <= MAX_CHARACTERS:
            raise refused(key, f"a value has 1 to {MAX_CHARACTERS} characters")
        if self.choices and value not in self.choices:
            raise refused(key, f"`{value}` is none of {', '.join(self.choices)}{nearest(value, self.choices)}")


@dataclass(frozen=True, slots=True)
class References:
    """The row belongs to any of the things that are named. `lookup` turns one name into a condition."""

    lookup: Callable[[str], ColumnElement[bool]]
    what: str

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]:
        word = {"type": "string", "minLength": 1, "maxLength": 2 * MAX_CHARACTERS}
        return {name: ({"type": "array", "items": word, "maxItems": MAX_VALUES}, f"{self.what} Repeated: any of these.")}

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        if any(not 0 < len(value) <= 2 * MAX_CHARACTERS for value in values):
            raise refused(key, f"a value has 1 to {2 * MAX_CHARACTERS} characters")
        return or_(*map(self.lookup, values))


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`: whether the condition holds."""

    holds: ColumnElement[bool]
    what: str

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]:
        return {name: ({"type": "boolean"}, self.what)}

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        value = single(key, values)
        if value not in ("true", "false"):
            raise refused(key, "say true or false")
        return self.holds if value == "true" else not_(self.holds)


@dataclass(frozen=True, slots=True)
class During:
    """`true` or `false`: whether the moment the list is about lies in `[starts, ends)` of the row."""

    starts: ColumnElement[Any]
    ends: ColumnElement[Any]
    what: str

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]:
        return {name: ({"type": "boolean"}, self.what)}

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:
        return Flag(and_(self.starts <= at, self.ends > at), self.what).condition(key, values, at)


@dataclass(frozen=True, slots=True)
class Instants:
    """The column lies in a range: `name[gte]=`, `[gt]`, `[lte]`, `[lt]`, each an RFC 3339 instant with offset."""

    column: ColumnElement[Any]
    what: str

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]:
        words = {"gte": "at or after", "gt": "after", "lte": "at or before", "lt": "before"}
        return {
            f"{name}[{op}]": ({"type": "string", "format": "date-time"}, f"{self.what} {word} this instant.") for op, word in words.items()
        }

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        operator = key.rpartition("[")[2].rstrip("]")
        return _COMPARE[operator](self.column, read_instant(key, single(key, values)))


@dataclass(frozen=True, slots=True)
class Within:
    """The column is at most so far in the future (the past counts too) while `also` holds."""

    column: ColumnElement[Any]
    also: ColumnElement[bool]
    what: str

    def keys(self, name: str) -> Mapping[str, tuple[dict[str, Any], str]]:
        return {name: ({"type": "string", "maxLength": MAX_CHARACTERS, "examples": ["30m"]}, self.what)}

    def condition(self, key: str, values: Values, at: datetime) -> ColumnElement[bool]:
        text = single(key, values)
        try:
            limit = at + timedelta(seconds=parse_duration(text, days_allowed=True))
        except InvalidDuration as error:
            raise refused(key, str(error)[:MAX_CHARACTERS]) from error
        except OverflowError:
            limit = END
        return and_(self.also, self.column <= limit)


def read_instant(key: str, text: str) -> datetime:
    """An RFC 3339 instant in UTC. InvalidRequest when it cannot be read or has no offset."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise refused(key, "an instant is written like 2026-11-21T09:30:00Z, with its offset (a + must be sent as %2B)")


def single(key: str, values: Values) -> str:
    """The one value of a key that may come once."""
    if len(values) != 1:
        raise refused(key, "may be given once")
    return values[0]


def refused(key: str, detail: str) -> InvalidRequest:
    """The error for a bad value of a query key."""
    return InvalidRequest(f"{key}: {detail}.", errors=[Fault(f"/query/{key}", detail)])


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""
