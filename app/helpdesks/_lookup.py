"""Values of the generic mapping: an expression's result, read through maps into what a fact, a role or a flag may be."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, NoReturn

from app.errors import Fault, Unreadable
from app.helpdesks import _json, _times
from app.helpdesks._expressions import Expression
from app.helpdesks._mapping import Value
from app.helpdesks._words import Words, fold, shown, unknown_word
from app.rules.events import FactValue

NOTHING: Final = object()
"""The expression yielded nothing: nothing is asserted. Not None, which a map may mean."""

_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class _Found:
    value: Any
    """The map's meaning, or what the expression yields."""
    word: str | None
    """As it is looked up: a list's words joined by `/`; None for an object."""
    in_map: bool


@dataclass(frozen=True, slots=True)
class Lookup:
    """Evaluates over one context. Unreadable names the place in the document, the expression and the word."""

    place: str
    """`events[0]`, or `events[0] (item 3)`."""
    context: Mapping[str, Any]
    zone: tzinfo

    def eval(self, name: str, expression: Expression) -> Any:
        try:
            return expression(self.context)
        except ValueError as error:
            self.refuse(name, expression, str(error))

    def is_true(self, name: str, expression: Expression | None) -> bool:
        """JMESPath's truth: everything but false, null, and empty texts, lists and objects (so 0 is true); without expression: true."""
        if expression is None:
            return True
        value = self.eval(name, expression)
        return value is not None and value is not False and value not in ("", [], {})

    def refuse(self, name: str, expression: Expression, problem: str) -> NoReturn:
        sentence = f"{self.place}.{name}: {expression} {problem}"
        raise Unreadable(f"{sentence}.", errors=[Fault(expression.pointer, sentence)])

    def id(self, name: str, expression: Expression | None) -> str | None:
        """An id; None when nothing is yielded."""
        value = None if expression is None else self.eval(name, expression)
        return None if expression is None or value is False else self._id_of(name, expression, value)

    def instant(self, name: str, expression: Expression | None) -> datetime | None:
        """An instant in UTC; None when nothing is yielded."""
        value = None if expression is None else self.eval(name, expression)
        if expression is None or value is None or value is False or value == "":
            return None
        return self.instant_of(name, expression, value)

    def instant_of(self, name: str, expression: Expression, value: Any) -> datetime:
        try:
            return _times.instant(value, self.zone)
        except ValueError as error:
            self.refuse(name, expression, f"yields {_told(value)}, which {error}")

    def order(self, expression: Expression | None) -> int | None:
        """A whole number of 64 bits; None when nothing is yielded."""
        value = None if expression is None else self.eval("order", expression)
        if expression is None or value is None:
            return None
        text = "" if isinstance(value, bool | list | dict) else _json.plain(value)
        if not text.removeprefix("-").isdecimal() or len(text) > 20 or int(text) not in _INT64:
            self.refuse("order", expression, f"yields {_told(value)}, which is not a whole number of 64 bits")
        return int(text)

    def closed(self, name: str, value: Value, words: Words, spell: Callable[[str], str]) -> Any:
        """One of the meanings a fact may have: by the rule's own map, the source's, the rule's default; None where a map means null.

        A word nobody knows is refused. `spell` is how the fact spells what the rule's map means.
        """
        found = self._find(name, value)
        if found.in_map:
            return None if found.value is None else spell(str(found.value))
        meaning = None if found.word is None else words.get(found.word)
        if meaning is not None:
            return meaning
        if found.value is None or found.value is False or found.value == "":
            return NOTHING
        if found.word is None:
            self.refuse(name, value.source, "yields an object where a word is expected")
        if value.has_default:
            return None if value.default is None else spell(str(value.default))
        return self._refuse_word(name, value, found.word, words)

    def name(self, name: str, value: Value) -> Any:
        """An id or a name; a map names exceptions only (a word for nobody)."""
        found = self._find(name, value)
        meant = found.value
        if not found.in_map:
            if meant is None or meant is False or meant == "":
                return NOTHING
            meant = value.default if value.has_default else meant
        return self._id_of(name, value.source, meant)

    def flag(self, name: str, value: Value) -> bool | None:
        """True or false; None when nothing is yielded."""
        found = self._find(name, value)
        meant = found.value
        if meant is None or meant == "":
            return None
        flag = None if found.word is None else _json.as_flag(meant)
        if flag is None and not found.in_map and value.has_default:
            flag = _json.as_flag(value.default)
        if flag is None:
            self.refuse(name, value.source, f"yields {_told(meant)}, which is neither true nor false")
        return flag

    def free(self, name: str, value: Value) -> Any:
        """Anything a fact may be; with a map, its words are all the words there are."""
        found = self._find(name, value)
        if found.in_map:
            return found.value
        if found.value is None or found.value == "":
            return NOTHING
        if value.map is None:
            return self._fact_of(name, value, found.value)
        if found.value is False:
            return NOTHING
        if value.has_default:
            return value.default
        return self._refuse_word(name, value, found.word or "an object", None)

    def tags(self, name: str, value: Value) -> Any:
        """A tuple of words; a map is applied to each, and null in it drops the word."""
        told = self.eval(name, value.source)
        if told is None or told is False:
            return NOTHING
        try:
            words = _json.Node(told).words()
        except Unreadable:
            self.refuse(name, value.source, "yields no list of words")
        if value.map is None:
            return words
        return tuple(str(tag) for word in words if (tag := _tag(value, word)) is not None)

    def _find(self, name: str, value: Value) -> _Found:
        told = self.eval(name, value.source)
        parts = told if isinstance(told, list) else [told]
        is_word = not any(isinstance(part, list | dict) for part in parts)
        word = "/".join(_json.plain(part) for part in parts) if is_word else None
        if word is not None and value.map is not None and fold(word) in value.map:
            return _Found(value.map[fold(word)], word, in_map=True)
        return _Found(told, word, in_map=False)

    def _refuse_word(self, name: str, value: Value, word: str, words: Words | None) -> NoReturn:
        maps = [f"the map of {name}"] if value.map is not None else []
        known: Iterable[str] = [*(value.map or {}), *(words.table if words else {})]
        named = " or in ".join([*maps, *([f"`{words.name}`"] if words else [])])
        self.refuse(name, value.source, f"yields {_told(word)}: {unknown_word(word, named, known)}")

    def _id_of(self, name: str, expression: Expression, value: Any) -> str | None:
        try:
            return _json.Node(value).id()
        except Unreadable:
            self.refuse(name, expression, f"yields {_told(value)}, which is no id and no name")

    def _fact_of(self, name: str, value: Value, found: Any) -> FactValue:
        if isinstance(found, list) and not any(isinstance(part, list | dict) for part in found):
            return _json.Node(found).words()
        if isinstance(found, list | dict):
            self.refuse(name, value.source, f"yields {_told(found)}; a fact is a word, a number, a flag or a list of words")
        if isinstance(found, bool | float) or (isinstance(found, int) and found in _INT64):
            return found
        return _json.plain(found)[: _json.TEXT_MAX]


def _tag(value: Value, word: str) -> Any:
    if value.map is not None and fold(word) in value.map:
        return value.map[fold(word)]
    return value.default if value.has_default else word


def _told(value: Any) -> str:
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else shown(_json.plain(value))
