"""The document as read: nodes that know their place, and the plain values made of them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.config.findings import Place

Path = tuple[str | int, ...]
"""Keys and list indexes from the root of the document."""

START: Final = Place(1, 1)

_CONSTANTS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,300}")
_OTHER_BASE: Final = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9_]+")
_NO_NUMBER: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, true, false or null. `plain`: written without quotes and without a tag, so `text` decides what it is."""

    place: Place
    text: str
    plain: bool
    size: int = 1
    height: int = 1

    @property
    def value(self) -> str | int | float | bool | None:
        """What it is by the core schema of YAML 1.2: `no` and `22:30` are words, dates are texts."""
        return resolve(self.text) if self.plain else self.text


@dataclass(slots=True)
class Listing:
    """A list."""

    place: Place
    items: "list[Node]" = field(default_factory=list)
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class Entry:
    """One key of a map, with its place, and what it holds."""

    place: Place
    node: "Node"
    merged: bool = False
    """It came by `<<`: an explicit key beats it."""


@dataclass(slots=True)
class Map:
    """A map. Keys are always texts, as written: `5`, `no` and `12-31` are keys like any other."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1
    height: int = 1


Node = Scalar | Listing | Map


def resolve(text: str) -> str | int | float | bool | None:
    """What a text without quotes is in YAML 1.2."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if trap(text) is not None:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def trap(text: str) -> str | None:
    """What is dangerous about a text without quotes: readers of YAML differ about it. None when nothing is."""
    if _LEADING_ZERO.fullmatch(text):
        return f"{text} begins with a zero: some readers take it for an octal number; put a text in quotes, write a number without the zero"
    if _NO_NUMBER.fullmatch(text):
        return f"{text} is no number that can be compared; put a text in quotes"
    return None


def plain_value(node: Node) -> Any:
    """The node as dicts (with text keys), lists, texts, numbers, booleans and None."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain_value(item) for item in node.items]
    return {key: plain_value(entry.node) for key, entry in node.entries.items()}


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole document. `data` is its plain value, always a map; the rest finds places in the text."""

    root: Map
    data: dict[str, Any]

    def node(self, path: Sequence[str | int]) -> Node:
        """The node at the path. Steps that lead nowhere are left out, so the answer is the nearest thing that was written."""
        return self._walk(path)[0]

    def value_place(self, path: Sequence[str | int]) -> Place:
        """Where the value at the path (or the nearest thing that was written) begins; of a value left empty, where its key does."""
        node, key = self._walk(path)
        return key if isinstance(node, Scalar) and node.plain and not node.text else node.place

    def key_place(self, path: Sequence[str | int]) -> Place:
        """Where the last key of the path stands; of an entry of a list, where the entry begins."""
        return self._walk(path)[1]

    def _walk(self, path: Sequence[str | int]) -> tuple[Node, Place]:
        node: Node = self.root
        place = node.place
        for step in path:
            if isinstance(node, Map) and (entry := node.entries.get(str(step))) is not None:
                node, place = entry.node, entry.place
            elif isinstance(node, Listing) and isinstance(step, int) and 0 <= step < len(node.items):
                node = node.items[step]
                place = node.place
        return node, place


EMPTY: Final = Tree(Map(START), {})
"""A document without anything in it."""
