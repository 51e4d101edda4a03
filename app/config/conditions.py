"""Conditions of the document as types, and a look at what they name."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, PlainValidator

from app.config.fields import Faults, refuse
from app.config.nodes import Path
from app.rules.conditions import Condition, parse_condition
from app.rules.problems import InvalidCondition

KEYS: Final = frozenset({"match", "pause_while", "open_while", "if"})
"""The keys under which the document holds conditions."""


def _read_condition(value: Any) -> Condition:
    if value is None:
        raise refuse("bad-condition", "the condition is empty; leave it out where everything is meant")
    faults = Faults()
    try:
        return parse_condition(dated(value))
    except InvalidCondition as error:
        faults.add("bad-condition", str(error), *error.path)
    faults.check()
    raise AssertionError  # pragma: no cover


_COMPARISONS: Final = frozenset({"gt", "gte", "lt", "lte"})
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[-+][0-9:]+)?)?")


def dated(value: Any, *, compared: bool = False) -> Any:
    """The condition with the texts that a fact is compared with (`gt`, `gte`, `lt`, `lte`) made dates and instants where they look so."""
    if isinstance(value, dict):
        return {key: dated(item, compared=key in _COMPARISONS) for key, item in value.items()}
    if isinstance(value, list):
        return [dated(item) for item in value]
    if compared and isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


_CONDITION_MAP = Annotated[dict[str, Any], Field(min_length=1)]
While = Annotated[Condition, PlainValidator(_read_condition, json_schema_input_type=_CONDITION_MAP)]
"""A condition over facts; see `app.rules.conditions`."""
Match = Annotated[Condition | None, PlainValidator(_read_condition, json_schema_input_type=_CONDITION_MAP)]
"""The same where it may be left out (None); written, but empty, it is an error: a rule for everything is not made by a slip."""


def _read_pause(value: Any) -> Condition | None:
    return None if value is None or value == "never" else _read_condition(value)


Pause = Annotated[Condition | None, PlainValidator(_read_pause, json_schema_input_type=_CONDITION_MAP | Literal["never"] | None)]
"""A condition; `never` (or null) for a clock that never stands still."""


class Term(NamedTuple):
    """One value that a condition compares a fact with; the paths lead to the value and to the fact's name."""

    path: Path
    fact: str
    value: Any
    fact_path: Path


def terms(condition: Any, path: Path) -> Iterator[Term]:
    """Every value of a condition as it is written, with the path to it. What is no condition has no terms."""
    if not isinstance(condition, dict):
        return
    for key, value in condition.items():
        if key in ("all", "any") and isinstance(value, list):
            for index, item in enumerate(value):
                yield from terms(item, (*path, key, index))
        elif key == "not":
            yield from terms(value, (*path, key))
        else:
            yield from _values(key, value, (*path, key), (*path, key))


def _values(fact: str, value: Any, path: Path, fact_path: Path) -> Iterator[Term]:
    if isinstance(value, dict):
        for operator, item in value.items():
            if operator != "exists":
                yield from _values(fact, item, (*path, operator), fact_path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(fact, item, (*path, index), fact_path)
    else:
        yield Term(path, fact, value, fact_path)


def conditions(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every condition in a part of the document, as it is written, with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in KEYS:
                yield (*path, key), item
            else:
                yield from conditions(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from conditions(item, (*path, index))
