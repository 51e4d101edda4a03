"""What pydantic refuses, as flaws: a code of ours, the place in the text, and a sentence for people."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from app.config.annotations import keys_at
from app.config.findings import CODES, Flaw, shown
from app.config.nodes import Listing, Map, Node, Path, Scalar, Tree
from app.config.words import hint, nearest
from app.guard import Blocked

_KEY: Final = "[key]"
"""How pydantic ends the `loc` of a wrong key."""

_WANTED: Final[Mapping[str, str]] = {
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "none_required": "nothing",
}
_TEXTS: Final = frozenset({"string_type", "list_type", "tuple_type"})
"""Where one text, or one for a list of texts, may have been meant."""
_PREFIX: Final = re.compile(r"^(Value error|Assertion failed), (?:[a-z_]+: )?")
_QUOTED: Final = re.compile(r"'([^']*)'")


def flaws_of(error: ValidationError, tree: Tree, path: Path, model: type[BaseModel]) -> Iterator[Flaw]:
    """The flaws of a part of the document, at `path`, that was validated by `model`."""
    details = error.errors(include_url=False, include_input=False)
    for detail in _telling(details, model):
        yield _flaw(detail, tree, path, model)


def misread_numbers(error: ValidationError, tree: Tree, path: Path) -> list[tuple[Path, str]]:
    """Where a text was wanted and a number without quotes is written: the path below `path`, and the text of the number.

    An id is a text, however much it looks like a number: read again with these in their place, the document is right.
    """
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        node = tree.node((*path, *detail["loc"]))
        if detail["type"] in _TEXTS and isinstance(node, Scalar) and _is_number(node):
            found.append((detail["loc"], node.text))
    return found


def kind_of(node: Node) -> str:
    """What is written there, in a word."""
    if isinstance(node, Map):
        return "a map"
    if isinstance(node, Listing):
        return "a list"
    value = node.value
    if value is None:
        return "nothing"
    return "a text" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else "a number"


def _is_number(node: Scalar) -> bool:
    return isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _telling(details: Sequence[Any], model: type[BaseModel]) -> Iterator[Any]:
    """Without the errors that only follow from another: a missing key that is there, misspelled; too few of what was all wrong."""
    misspelled = {
        (*detail["loc"][:-1], nearest(str(detail["loc"][-1]), keys_at(model, detail["loc"][:-1])))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    for detail in details:
        follows = detail["type"] == "missing" and detail["loc"] in misspelled
        if detail["type"] == "too_short":
            follows = any(
                len(other["loc"]) > len(detail["loc"]) and other["loc"][: len(detail["loc"])] == detail["loc"] for other in details
            )
        if not follows:
            yield detail


def _flaw(detail: Any, tree: Tree, path: Path, model: type[BaseModel]) -> Flaw:
    kind, loc = str(detail["type"]), tuple(detail["loc"])
    if kind == "extra_forbidden":
        known = keys_at(model, loc[:-1])
        return Flaw(tree.key_place((*path, *loc)), "unknown-key", f"there is no key {shown(loc[-1])} here{hint(str(loc[-1]), known)}")
    if kind == "missing":
        return Flaw(tree.key_place((*path, *loc[:-1])), "missing-key", f"the key {loc[-1]} is missing")
    is_key = bool(loc) and loc[-1] == _KEY
    place = tree.value_place((*path, *loc)) if loc and not is_key else tree.key_place((*path, *loc[:-1]))
    code, message = _judged(kind, detail, loc[:-1] if is_key else loc, tree.node((*path, *loc)), is_key=is_key)
    return Flaw(place, code, message)


def _judged(kind: str, detail: Any, loc: Path, node: Node, *, is_key: bool) -> tuple[str, str]:
    """Code and sentence."""
    if kind in CODES:
        return kind, detail["msg"]
    if kind in _WANTED:
        return _wrong_type(_WANTED[kind], node)
    if is_key:
        return "bad-name", f"{shown(loc[-1])} cannot be a name here: {_lowered(detail['msg'])}"
    if kind in ("literal_error", "enum"):
        words = _QUOTED.findall(str(detail.get("ctx", {}).get("expected", "")))
        written = shown(node.text) if isinstance(node, Scalar) else kind_of(node)
        return "bad-value", f"{written} is not possible here{hint(written, words) or '; ' + _lowered(detail['msg'])}"
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Blocked):
        return ("bad-value" if cause.rule == "header" else "bad-url"), _lowered(cause.detail)
    if kind.startswith("url_"):
        return "bad-url", _lowered(detail["msg"])
    return "bad-value", _lowered(_PREFIX.sub("", detail["msg"]))


def _wrong_type(wanted: str, node: Node) -> tuple[str, str]:
    found = kind_of(node)
    if wanted == "a text" and found in ("true", "false"):
        return "yaml-trap", f"a text is needed here; {found} without quotes is no word: put it in quotes"
    glued = isinstance(node, Scalar) and node.plain and re.match(r"[\w-]+:\S", node.text) is not None
    missing_space = "; is the space after the colon missing?" if wanted == "a map" and glued else ""
    return "wrong-type", f"{wanted} is needed here, not {found}{missing_space}"


def _lowered(sentence: str) -> str:
    """A sentence as the end of another."""
    text = sentence.strip().rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
