"""Sample payloads, laid out as places: where something stands and what the samples hold there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from app.helpdesks import _times

Path = tuple[str, ...]

TICKETS: Final = frozenset({"ticket", "tickets", "issue", "case", "conversation", "incident", "request"})
MESSAGES: Final = frozenset(
    {"message", "messages", "comment", "comments", "reply", "replies", "note", "notes", "article", "articles", "post", "posts", "followup",
     "followups", "response", "thread", "threads", "entry", "entries", "activity", "transaction"}
)  # fmt: skip
ENVELOPES: Final = frozenset({"data", "payload", "object", "resource", "record", "body", "result", "attributes", "item", "entity"})

_TIMELY: Final = frozenset(
    {"at", "time", "date", "datetime", "timestamp", "created", "updated", "modified", "changed", "opened", "occurred", "sent", "ts"}
)
_TOKEN: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DEPTH_MAX: Final = 8
PLACES_MAX: Final = 2000


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name: `lastReply_at` -> last, reply, at."""
    return tuple(word.lower() for word in _TOKEN.findall(name))


def expression(path: Path, root: str = "body") -> str:
    """A path as JMESPath: `body.ticket."due-at"`."""
    return ".".join([root, *(name if _PLAIN_NAME.fullmatch(name) else _quoted(name) for name in path)])


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True)
class Place:
    """A scalar, or a list of scalars, and what the samples hold there: one value per sample that has it, null included."""

    path: Path
    values: tuple[Any, ...]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name."""
        return tokens(self.path[-1])

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The words of the name just above it."""
        return tokens(self.path[-2]) if len(self.path) > 1 else ()

    @cached_property
    def above(self) -> frozenset[str]:
        """The words of all names above it."""
        return frozenset(word for name in self.path[:-1] for word in tokens(name))

    @cached_property
    def told(self) -> tuple[Any, ...]:
        """The values that are something."""
        return tuple(value for value in self.values if value not in (None, "", []))

    @property
    def in_message(self) -> bool:
        return bool(self.above & MESSAGES)

    def is_ids(self) -> bool:
        """Whether everything here could be an id: a number, or a short text without blanks that is no time and no flag."""
        return bool(self.told) and all(_is_id(value) for value in self.told) and not self.is_times()

    def is_words(self) -> bool:
        """Whether everything here could be one of a few words or numbers."""
        return bool(self.told) and all(_is_word(value) for value in self.told) and not self.is_times()

    def is_flags(self) -> bool:
        return bool(self.told) and all(isinstance(value, bool) or str(value).lower() in ("true", "false") for value in self.told)

    def is_times(self) -> bool:
        """Whether everything here is an instant we can read. Numbers are taken for times only where the name says so."""
        timely = bool(_TIMELY & {*self.words, *self.parents[-1:]})
        return bool(self.told) and all(_is_time(value, timely=timely) for value in self.told)

    def is_zoneless(self) -> bool:
        """Whether a time here names no zone."""
        return any(isinstance(v, str) and re.match(r"\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+$", v.strip()) for v in self.told)


def _is_id(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and 0 < len(value) <= 64 and not re.search(r"\s", value)
    )


def _is_word(value: Any) -> bool:
    return isinstance(value, int | bool) or (isinstance(value, str) and len(value) <= 40 and value.count(" ") <= 4 and "://" not in value)


def _is_time(value: Any, *, timely: bool) -> bool:
    if isinstance(value, bool) or not (timely or (isinstance(value, str) and not re.fullmatch(r"[\d.]+", value))):
        return False
    try:
        _times.instant(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Samples:
    """Everything the samples hold. `lists` are lists of objects, each with the samples made of their elements."""

    places: tuple[Place, ...]
    objects: tuple[Path, ...]
    lists: Mapping[Path, "Samples"] = field(default_factory=dict)
    size: int = 1

    def under(self, path: Path) -> tuple[Place, ...]:
        """The places directly or indirectly below an object."""
        return tuple(place for place in self.places if place.path[: len(path)] == path)


def lay_out(payloads: Sequence[Any]) -> Samples:
    """The places of these payloads, in the order they come; at most PLACES_MAX and DEPTH_MAX deep."""
    found: dict[Path, list[Any]] = {}
    objects: dict[Path, None] = {}
    lists: dict[Path, list[Any]] = {}
    for payload in payloads:
        _walk(payload, (), found, objects, lists)
    places = tuple(Place(path, tuple(values)) for path, values in found.items())
    inner = {path: lay_out(items) for path, items in lists.items() if len(path) < DEPTH_MAX}
    return Samples(places[:PLACES_MAX], tuple(objects), inner, len(payloads))


def _walk(value: Any, path: Path, found: dict[Path, list[Any]], objects: dict[Path, None], lists: dict[Path, list[Any]]) -> None:
    if isinstance(value, dict) and len(path) < DEPTH_MAX:
        if path:
            objects[path] = None
        for name, inner in value.items():
            _walk(inner, (*path, name), found, objects, lists)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lists.setdefault(path, []).extend(item for item in value if isinstance(item, dict))
    elif path and not isinstance(value, dict) and not (isinstance(value, list) and any(isinstance(item, list) for item in value)):
        found.setdefault(path, []).append(value)


def best(places: Iterable[Place], score: Any) -> tuple[Place | None, tuple[Place, ...]]:
    """The place with the highest score above 0, the shortest path first, and others within ten points of it."""
    scored = sorted(((score(place), -len(place.path), -i, place) for i, place in enumerate(places)), key=lambda s: s[:3], reverse=True)
    rivals = [s for s in scored if s[0] > 0]
    if not rivals:
        return None, ()
    return rivals[0][3], tuple(s[3] for s in rivals[1:3] if rivals[0][0] - s[0] < 10)
