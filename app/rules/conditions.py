"""Conditions over facts: the one language of `match`, `pause_while`, `open_while`, `if` and the matchers of silences.

A condition is a map. Each key names a fact, and all of them must hold:

    match:
      tier: platinum                      # equal; of several values (tags) one is
      priority: [high, urgent]            # one of
      requester_domain: "*.example.org"   # a text with * ? or [ is a pattern
      reopens: {gte: 2, lt: 10}           # gt, gte, lt, lte; together: all of them
      assignee: null                      # nothing: null, absent or an empty list
      group: {exists: true}
      status: {not: pending}              # anything but: also nothing
      tags: {all: [vip, "gold-*"]}        # each of them; any: one of them
      any: [{channel: phone}, {not: {category: question}}]

`all: [...]`, `any: [...]` and `not: {...}` as keys join whole conditions, so no fact can have these names. How values are compared
stands in `app.rules.condition_tests`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from app.rules.condition_tests import FactTest, Op, Scalar, rank, shown
from app.rules.events import Facts
from app.rules.problems import InvalidCondition

__all__ = ["All", "Any_", "Condition", "FactTest", "Not", "facts_named", "failing_term", "holds", "parse_condition"]

DEPTH_MAX = 40  # keys and indexes from the root of a condition to its deepest value

_ORDERS: Mapping[str, Op] = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}
_OPERATORS = (*_ORDERS, "exists", "not", "all", "any")
_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class All:
    """Holds when every part does."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Any_:  # noqa: N801
    """Holds when at least one part does."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Not:
    """Holds when its part does not."""

    part: "Condition"


Condition = All | Any_ | Not | FactTest


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether the condition holds for these facts. A fact that is missing or of another kind is no error."""
    if isinstance(condition, FactTest):
        return condition.holds(facts)
    if isinstance(condition, Not):
        return not holds(condition.part, facts)
    wanted = isinstance(condition, Any_)
    for part in condition.parts:
        if holds(part, facts) is wanted:
            return wanted
    return not wanted


def failing_term(condition: Condition, facts: Facts) -> str | None:
    """The first term that does not hold, as a sentence without a full stop: `tier is silver, not platinum`. None when all is well."""
    if holds(condition, facts):
        return None
    match condition:
        case FactTest():
            return condition.failure(facts)
        case Not(part):
            named = (f"{name} is {shown(facts.get(name))}" for name in sorted(facts_named(part)))
            return f"{' and '.join(named)}, which is excluded"
        case All(parts):
            return next(filter(None, (failing_term(part, facts) for part in parts)))
        case Any_(parts):
            return "; ".join(filter(None, (failing_term(part, facts) for part in parts)))


def facts_named(condition: Condition) -> frozenset[str]:
    """The names of all facts the condition looks at."""
    return frozenset(_names(condition))


def _names(condition: Condition) -> Iterator[str]:
    match condition:
        case FactTest(fact=fact):
            yield fact
        case Not(part):
            yield from _names(part)
        case All(parts) | Any_(parts):
            for part in parts:
                yield from _names(part)


def parse_condition(data: object, *, path: _Path = ()) -> Condition:
    """The condition written as plain data (mappings, lists, scalars).

    `path` is where it stands in a larger document; the path of an error begins with it. Raises InvalidCondition: no map, an empty
    map or list (it would hold always, or never), an unknown operator, a value that cannot be compared.
    """
    parts = tuple(_entry(key, value, path) for key, value in _nonempty_map(data, path).items())
    return parts[0] if len(parts) == 1 else All(parts)


def _entry(key: object, value: object, path: _Path) -> Condition:
    """One key of a condition: a fact, or a word that joins conditions."""
    if not isinstance(key, str):
        raise InvalidCondition(f"{shown(key)} is no name of a fact; write it in quotes", (*path, str(key)))
    path = (*path, key)
    if key in {"all", "any"}:
        parts = tuple(parse_condition(item, path=(*path, index)) for index, item in enumerate(_nonempty_list(value, path)))
        return All(parts) if key == "all" else Any_(parts)
    if key == "not":
        return Not(parse_condition(value, path=path))
    if key in _OPERATORS:
        raise InvalidCondition(f"{key} belongs under the name of a fact, as in `reopens: {{{key}: ...}}`", path)
    return _value(key, value, path)


def _value(fact: str, value: object, path: _Path) -> Condition:
    """What a fact is tested against."""
    if isinstance(value, Mapping):
        parts = tuple(_operator(fact, key, item, (*path, str(key))) for key, item in _nonempty_map(value, path).items())
        return parts[0] if len(parts) == 1 else All(parts)
    if isinstance(value, list | tuple):
        return _one_of(fact, value, path)
    if not isinstance(value, Scalar):
        raise InvalidCondition(f"{fact} cannot be compared with {_written(value)}", path)
    return FactTest(fact, "glob" if _is_pattern(value) else "eq", value)


def _one_of(fact: str, values: Sequence[object], path: _Path) -> Condition:
    items = _nonempty_list(values, path)
    scalars = tuple(item for item in items if isinstance(item, Scalar) and not _is_pattern(item))
    if len(scalars) == len(items):
        return FactTest(fact, "in", scalars)
    return Any_(tuple(_value(fact, item, (*path, index)) for index, item in enumerate(items)))


def _operator(fact: str, word: object, value: object, path: _Path) -> Condition:
    match word:
        case "gt" | "gte" | "lt" | "lte":
            if not isinstance(value, Scalar) or rank(value) is None:
                raise InvalidCondition(f"{word} needs a number, a date or a priority, not {_written(value)}", path)
            return FactTest(fact, _ORDERS[word], value)
        case "exists":
            if not isinstance(value, bool):
                raise InvalidCondition(f"exists is true or false, not {_written(value)}", path)
            return FactTest(fact, "exists", value)
        case "not":
            return Not(_value(fact, value, path))
        case "all" | "any":
            parts = tuple(_value(fact, item, (*path, index)) for index, item in enumerate(_nonempty_list(value, path)))
            return All(parts) if word == "all" else Any_(parts)
    near = get_close_matches(str(word), _OPERATORS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(_OPERATORS)} is"
    raise InvalidCondition(f"{shown(word)} is no comparison; {hint}", path)


def _is_pattern(value: object) -> bool:
    return isinstance(value, str) and any(mark in value for mark in "*?[")


def _written(value: object) -> str:
    return "null" if value is None else shown(value) if value else repr(value)


def _nonempty_map(data: object, path: _Path) -> Mapping[object, object]:
    if len(path) > DEPTH_MAX:
        raise InvalidCondition("the condition is nested too deep", path)
    if not isinstance(data, Mapping):
        raise InvalidCondition(f"a condition is a map of facts, as in `tier: gold`, not {_written(data)}", path)
    if not data:
        raise InvalidCondition("the condition is empty; leave it out where everything is meant", path)
    return data


def _nonempty_list(data: object, path: _Path) -> Sequence[object]:
    if len(path) > DEPTH_MAX:
        raise InvalidCondition("the condition is nested too deep", path)
    if not isinstance(data, list | tuple) or not data:
        raise InvalidCondition("this has to be a list with at least one entry", path)
    return data
