"""Reading the text of a document: YAML 1.2 (JSON is a part of it), every key and value with its line and column.

The events come from ruamel.yaml; the tree is built here, because nothing else keeps the place of each key and value, tells of every
double key, bounds what aliases may swell to, and resolves words by the core schema alone. Text that is no YAML is an error with a place
like any other; no text raises.
"""

from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

from app.config.findings import Flaw, Place, shown
from app.config.nodes import EMPTY, START, Entry, Listing, Map, Node, Scalar, Tree, plain_value, trap

BYTES_MAX: Final = 1_048_576  # of the text in UTF-8
NODES_MAX: Final = 100_000  # keys and values, aliases counted as what they stand for
DEPTH_MAX: Final = 50  # maps and lists within each other

_TAGS: Final = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp")} | {"!"}
_PARSER_BUGS: Final = (ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError, OverflowError, RecursionError)
"""What the parser has been seen to raise, or may raise, on broken text instead of an error of its own (`"\\UFFFFFFFF"`)."""


def parse(text: str) -> tuple[Tree | None, list[Flaw]]:
    """The tree of the text and what is wrong with its form; None for the tree when it cannot be read to the end."""
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        return None, [Flaw(START, "too-large", f"the document is larger than {BYTES_MAX // 1024} KiB")]
    builder = _Builder()
    try:
        return builder.tree(text), builder.flaws
    except _Stop as stop:
        return None, [*builder.flaws, stop.flaw]


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, place: Place, code: str, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(place, code, message)


class _Builder:
    """Builds the tree of one text from the parser's events."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self._anchors: dict[str, Node | None] = {}  # None: the anchor's own node is not complete yet
        self._budget = NODES_MAX

    def tree(self, text: str) -> Tree:
        """The tree; raises _Stop when it cannot be finished."""
        self._events = _events(text)
        root: Node | None = None
        for event in self._events:
            if isinstance(event, StreamStartEvent | StreamEndEvent | DocumentStartEvent | DocumentEndEvent):
                continue
            if root is not None:
                raise _Stop(_place(event), "bad-yaml", "a second document begins here; one file is one document")
            root = self._node(event, 0)
        if root is None or (isinstance(root, Scalar) and root.value is None):
            return EMPTY
        if not isinstance(root, Map):
            raise _Stop(root.place, "wrong-type", "the document is a map of sections (calendars, policies, ...), and this is none")
        return Tree(root, plain_value(root))

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._aliased(event, depth)
        self._spend(event, 1)
        self._check_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._made(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _made(self, event: Any, depth: int) -> Node:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if depth >= DEPTH_MAX:
            raise _Stop(_place(event), "too-large", f"more than {DEPTH_MAX} maps and lists within each other")
        if isinstance(event, SequenceStartEvent):
            return self._listing(event, depth)
        return self._map(event, depth)

    def _scalar(self, event: Any) -> Scalar:
        place, plain = _place(event), bool(event.implicit[0]) and event.tag is None
        if plain and (danger := trap(event.value)) is not None:
            self.flaws.append(Flaw(place, "yaml-trap", danger))
        return Scalar(place, self._whole(event.value, place), plain)

    def _whole(self, text: str, place: Place) -> str:
        """The text with the halves of characters that JSON writes as two escapes put together."""
        if text.isascii() or text.isprintable():
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.flaws.append(Flaw(place, "bad-yaml", "this text holds half a character (a surrogate without its partner)"))
            return ""

    def _listing(self, event: Any, depth: int) -> Listing:
        listing = Listing(_place(event))
        while not isinstance(event := next(self._events), SequenceEndEvent):
            listing.items.append(self._node(event, depth + 1))
        _measure(listing, listing.items)
        return listing

    def _map(self, event: Any, depth: int) -> Map:
        result = Map(_place(event))
        while not isinstance(event := next(self._events), MappingEndEvent):
            place, key = _place(event), self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self.flaws.append(Flaw(place, "wrong-type", "a key is a single word or text, not a list or map"))
            elif key.plain and key.text == "<<":
                self._merge(result, value)
            else:
                self._put(result, key.text, Entry(place, value))
        _measure(result, [entry.node for entry in result.entries.values()])
        return result

    def _put(self, into: Map, key: str, entry: Entry) -> None:
        known = into.entries.get(key)
        if known is not None and not known.merged:
            first = f"line {known.place.line}"
            self.flaws.append(Flaw(entry.place, "duplicate-key", f"{shown(key)} is given twice; the first one is in {first}"))
        into.entries[key] = entry

    def _merge(self, into: Map, value: Node) -> None:
        """`<<: *base`: the keys of other maps, where there is no key of that name."""
        for source in value.items if isinstance(value, Listing) else [value]:
            if not isinstance(source, Map):
                self.flaws.append(Flaw(source.place, "wrong-type", "<< takes over the keys of a map or of a list of maps; this is none"))
                continue
            for key, entry in source.entries.items():
                into.entries.setdefault(key, Entry(entry.place, entry.node, merged=True))

    def _aliased(self, event: Any, depth: int) -> Node:
        name, place = event.anchor, _place(event)
        if name not in self._anchors:
            self.flaws.append(
                Flaw(place, "yaml-trap", f"*{shown(name)} names an anchor that is not there; put a text with a * in front in quotes")
            )
            return Scalar(place, f"*{name}", plain=False)
        node = self._anchors[name]
        if node is None:
            raise _Stop(place, "self-reference", f"*{shown(name)} refers to the very thing it is a part of")
        self._spend(event, node.size)
        if depth + node.height > DEPTH_MAX:
            raise _Stop(place, "too-large", f"more than {DEPTH_MAX} maps and lists within each other")
        return node

    def _spend(self, event: Any, nodes: int) -> None:
        self._budget -= nodes
        if self._budget < 0:
            raise _Stop(_place(event), "too-large", f"more than {NODES_MAX} keys and values, aliases counted as what they stand for")

    def _check_tag(self, event: Any) -> None:
        tag = None if event.tag is None else str(event.tag)
        if tag is not None and tag not in _TAGS:
            name = shown(tag.removeprefix("tag:yaml.org,2002:"))
            self.flaws.append(Flaw(_place(event), "bad-yaml", f"the tag {name} means nothing here; put a text with a ! in front in quotes"))


def _measure(node: Listing | Map, children: list[Node]) -> None:
    node.size = 1 + sum(child.size for child in children)
    node.height = 1 + max((child.height for child in children), default=0)


def _events(text: str) -> Iterator[Any]:
    """The parser's events, with every failure of it as _Stop."""
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        text = text.replace("\t", " ")  # JSON may be indented with tabs
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = START if mark is None else Place(mark.line + 1, mark.column + 1)
        raise _Stop(place, "bad-yaml", _sentence(error)) from error
    except ReaderError as error:
        raise _Stop(_place_of(text, error.position), "bad-yaml", "a character that no text may hold (a control character)") from error
    except (YAMLError, *_PARSER_BUGS) as error:
        raise _Stop(START, "bad-yaml", "this is no YAML") from error


def _sentence(error: MarkedYAMLError) -> str:
    problem = str(error.problem or "this is no YAML").strip()
    context = f" {str(error.context).strip()}" if error.context else ""
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces, and a space follows the colon"
    hint = "; put a text that begins like this in quotes" if "cannot start any token" in problem else ""
    hint = "; is a quote, bracket or colon missing on a line before?" if "could not find expected" in problem else hint
    return _cut(problem + context) + hint


def _cut(text: str) -> str:
    """At most 200 characters of the parser's own words, on one line."""
    return " ".join(text.split())[:200]


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


def _place_of(text: str, position: object) -> Place:
    before = text[: position if isinstance(position, int) else 0]
    return Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
