"""JSON from outside, read with bounds, and a way to walk it that names the place when something is wrong."""

import json
import math
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, Final, NoReturn

import orjson

from app.errors import Fault, Unreadable
from app.helpdesks import _times

MAX_DEPTH: Final = 64
TEXT_MAX: Final = 500
"""Characters of a subject, a name, a word; longer text is cut."""
ID_MAX: Final = 200
"""Characters of an id; a longer one is unreadable: a cut id would be another one."""
WORDS_MAX: Final = 500
URL_MAX: Final = 2000

_INT64 = range(-(2**63), 2**63)


class _Missing(Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING
"""The value of a place that is not in the document. Not null: an absent fact is not asserted."""


def read(body: bytes) -> "Node":
    """The document in a body: UTF-8 with or without a byte order mark, nested at most 64 deep.

    Unreadable for anything else, for NaN and numbers too large for a float, and for strings with a NUL or half a surrogate pair
    (no database keeps those). Integers beyond 64 bits come as strings: they are ids. Of a key that comes twice the last value counts.
    """
    if (quick := _quick(body)) is not MISSING:
        return Node(quick)
    try:
        value = _DECODER.decode(_decode(body))
    except json.JSONDecodeError as error:
        raise unreadable(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise _too_deep() from None
    _check(value)
    return Node(value)


class Node:
    """One place of a document: its value (MISSING when it is not there) and its JSON pointer. Not changed once made."""

    __slots__ = ("_above", "_name", "value")

    def __init__(self, value: Any, pointer: str = "", above: "Node | None" = None) -> None:
        """With the node `above`, `pointer` is no pointer but the name below it."""
        self.value = value
        self._name = pointer
        self._above = above

    @property
    def pointer(self) -> str:
        """Where it is; empty for the document itself."""
        return self._name if self._above is None else f"{self._above.pointer}/{escaped(self._name)}"

    def __repr__(self) -> str:
        return f"Node({self.value!r}, {self.pointer!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and (self.value, self.pointer) == (other.value, other.pointer)

    __hash__ = None  # type: ignore[assignment]

    def at(self, *names: str) -> "Node":
        """The place below. Below null and below nothing there is nothing; below anything else but an object: Unreadable."""
        node = self
        for name in names:
            value = node.value
            if isinstance(value, dict):
                node = Node(value.get(name, MISSING), name, node)
            elif value is None or value is MISSING:
                node = Node(MISSING, name, node)
            else:
                node.refuse("is not an object")
        return node

    def look(self, *names: str) -> "Node":
        """As `at`, but whatever has another shape than expected is not there."""
        node = self
        for name in names:
            value = node.value
            node = Node(value.get(name, MISSING) if isinstance(value, dict) else MISSING, name, node)
        return node

    @property
    def is_told(self) -> bool:
        """Whether the document says anything here, null included."""
        return self.value is not MISSING

    @property
    def is_blank(self) -> bool:
        """Whether nothing is here: absent, null or an empty string."""
        value = self.value
        return value is None or value is MISSING or (isinstance(value, str) and (not value or value.isspace()))

    def refuse(self, problem: str) -> NoReturn:
        place = self.pointer or "The body"
        raise Unreadable(f"{place} {problem}.", errors=[Fault(self.pointer, problem)])

    def word(self) -> str | None:
        """Text, number or flag as text, without outer blanks and cut to TEXT_MAX; None when blank."""
        value = self.value
        if isinstance(value, str):
            return value.strip()[:TEXT_MAX] or None
        if value is None or value is MISSING:
            return None
        if isinstance(value, list | dict):
            self.refuse("is not a text")
        return plain(value)[:TEXT_MAX]

    def id(self) -> str | None:
        """An id as text, whatever its type on the wire; None when blank."""
        value = self.value
        if value is None or value is MISSING:
            return None
        if isinstance(value, bool | list | dict):
            self.refuse("is not an id")
        text = plain(value)
        if len(text) > ID_MAX:
            self.refuse(f"is longer than {ID_MAX} characters")
        return text or None

    def word_at(self, name: str) -> str | None:
        """The same as `at(name).word()`, quicker where there is a text."""
        told = self.value.get(name) if isinstance(self.value, dict) else None
        return told.strip()[:TEXT_MAX] or None if isinstance(told, str) else self.at(name).word()

    def id_at(self, name: str) -> str | None:
        """The same as `at(name).id()`, quicker where there is a text."""
        told = self.value.get(name) if isinstance(self.value, dict) else None
        return told.strip() or None if isinstance(told, str) and len(told) <= ID_MAX else self.at(name).id()

    def flag(self) -> bool | None:
        """True or false, also as the words of a template; None when blank or no such word."""
        return as_flag(None if self.is_blank else self.value)

    def words(self) -> tuple[str, ...]:
        """A list of words, or one text of words; null and blanks are no words."""
        if self.is_blank:
            return ()
        if isinstance(self.value, str):
            return split_words(self.value)
        if not isinstance(self.value, list):
            self.refuse("is not a list")
        words = [
            value.strip()[:TEXT_MAX] if isinstance(value, str) else Node(value, str(i), self).word()
            for i, value in enumerate(self.value[:WORDS_MAX])
        ]
        return tuple([word for word in words if word])

    def instant(self, zone: tzinfo | None = None) -> datetime | None:
        """The instant in UTC; None when blank or unreadable (callers fall back and say so)."""
        try:
            return _times.instant(self.value) if zone is None else _times.instant(self.value, zone)
        except ValueError:
            return None


def unreadable(sentence: str, pointer: str = "") -> Unreadable:
    """The error that says this of a place; of the whole body without a pointer."""
    return Unreadable(sentence, errors=[Fault(pointer, sentence)])


def plain(value: Any) -> str:
    """A scalar as people and maps write it: `true`, `12` for 12.0, no outer blanks."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()


def as_flag(value: Any) -> bool | None:
    """True for true, yes, 1 and the like, false for their opposites; None for everything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(plain(value).casefold())


def split_words(text: str) -> tuple[str, ...]:
    """The words of one text: between commas if it has any, else between blanks."""
    parts = text.split(",") if "," in text else text.split()
    return tuple(part.strip()[:TEXT_MAX] for part in parts if part.strip())[:WORDS_MAX]


def web_address(text: str | None) -> str | None:
    """A link people may click: http(s) only; a missing scheme is completed. None for anything else (`javascript:`, too long)."""
    if not text or len(text) > URL_MAX or any(c.isspace() for c in text):
        return None
    if text.startswith(("http://", "https://")):
        return text
    host, _, _ = text.partition("/")
    return f"https://{text}" if "." in host and ":" not in host else None


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_SHAPE: Final = bytes.maketrans(b"123456789[", b"000000000{")
"""What makes all digits and all opening brackets alike."""
_MANY_DIGITS: Final = b"0" * 18
"""Integers that may be beyond 64 bits, which the fast reader would round."""


def _quick(body: bytes) -> Any:
    """The document, when it is plain enough that the fast reader says exactly what the careful one would; else MISSING.

    The fast one refuses by itself NaN, numbers too large for a float, half surrogate pairs and bytes that are no UTF-8; and so few
    brackets cannot be nested too deep.
    """
    shape = body.translate(_SHAPE)
    if shape.count(b"{") > MAX_DEPTH or _MANY_DIGITS in shape or b"\\u0000" in body:
        return MISSING
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return MISSING


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"The body is not UTF-8 (byte {error.start}).") from None


def _integer(text: str) -> int | str:
    value = int(text) if len(text) <= 20 else None
    return value if value is not None and value in _INT64 else text


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise unreadable("The body holds a number that is too large.")
    return value


def _constant(text: str) -> NoReturn:
    raise unreadable(f"The body is not JSON: {text} is no JSON number.")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)


@dataclass(frozen=True, slots=True)
class _Place:
    value: Any
    depth: int = 0
    name: str | int = ""
    above: "_Place | None" = None

    def pointer(self) -> str:
        parts: list[str] = []
        place: _Place | None = self
        while place is not None and place.above is not None:
            parts.append(escaped(str(place.name)))
            place = place.above
        return "".join(f"/{part}" for part in reversed(parts))


def _check(value: Any) -> None:
    """Unreadable, naming the place, when a string cannot be kept or the nesting is too deep."""
    places = [_Place(value)]
    while places:
        place = places.pop()
        if isinstance(place.value, str):
            _check_text(place.value, place)
        elif isinstance(place.value, dict | list):
            if place.depth >= MAX_DEPTH:
                raise _too_deep()
            places.extend(_inner(place))


def _inner(place: _Place) -> list[_Place]:
    if isinstance(place.value, list):
        return [_Place(v, place.depth + 1, i, place) for i, v in enumerate(place.value)]
    for key in place.value:
        _check_text(key, place, "has a key that")
    return [_Place(v, place.depth + 1, k, place) for k, v in place.value.items()]


def _check_text(text: str, place: _Place, what: str = "is a text that") -> None:
    if "\x00" in text:
        Node(text, place.pointer()).refuse(f"{what} contains a NUL")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        Node(text, place.pointer()).refuse(f"{what} contains half a surrogate pair")


def _too_deep() -> Unreadable:
    return unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.")
