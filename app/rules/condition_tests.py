"""One term of a condition: a test of one fact against one value.

How facts and values meet:

* Text is compared without regard to case. A number equals the same number written as text (`42` and `"42"` are one id); true and
  false equal only themselves. A date is its midnight in UTC, an instant without a zone is UTC.
* A fact with several values (`tags`) passes when any of them does; an empty one is nothing, as is None or a fact nobody stated.
* Nothing equals only null. It matches no text, no list without null, and no comparison, so what is negated holds for it.
* Order exists among numbers, among instants, and among the priorities (`low` < `normal` < `high` < `urgent`); everything else is no
  mistake of the ticket: the comparison just does not hold.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import translate
from operator import ge, gt, le, lt
from typing import Any, Literal

from app.rules.events import Facts, Priority

Scalar = None | bool | int | float | str | date | datetime
Op = Literal["eq", "in", "glob", "lt", "le", "gt", "ge", "exists"]

SHOWN_MAX = 60  # characters of a fact in a sentence; longer ones are cut

_SEVERAL = (tuple, list)
_PRIORITIES = {word.value: rank for rank, word in enumerate(Priority)}
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {"lt": lt, "le": le, "gt": gt, "ge": ge}
_WORDS = {"lt": "less than", "le": "at most", "gt": "more than", "ge": "at least"}


@dataclass(frozen=True)
class FactTest:
    """`fact op value`. `value`: for `in` a tuple of scalars, for `exists` a bool, for `glob` a pattern with `*`, `?`, `[...]`."""

    fact: str
    op: Op
    value: Scalar | tuple[Scalar, ...]
    key: Any = field(init=False, compare=False, repr=False, default=None)
    """`value` made ready for comparing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", _key(self.op, self.value))

    def holds(self, facts: Facts) -> bool:
        """Whether the fact passes. Never raises, whatever the fact is."""
        fact, key, check = facts.get(self.fact), self.key, _CHECKS[self.op]
        if isinstance(fact, _SEVERAL):
            for value in fact or (None,):  # noqa: SIM110  # `any` over a generator takes three times as long
                if check(key, value):
                    return True
            return False
        return check(key, fact)

    def failure(self, facts: Facts) -> str:
        """Why it does not hold: `tier is silver, not platinum`."""
        return f"{self.fact} is {shown(facts.get(self.fact))}, {self._wish()}"

    def _wish(self) -> str:
        match self.op, self.value:
            case "exists", True:
                return "but has to be set"
            case ("exists", _) | ("eq", None):
                return "but must not be set"
            case "in", tuple() as values:
                return f"not one of {', '.join(map(shown, values))}"
            case "glob", value:
                return f"not like {shown(value)}"
            case ("lt" | "le" | "gt" | "ge") as op, value:
                return f"not {_WORDS[op]} {shown(value)}"
            case _, value:
                return f"not {shown(value)}"


def normal(value: object) -> object:
    """A scalar in the form in which two of them are equal."""
    if isinstance(value, str):
        return value.casefold()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else instant(value)


def instant(value: object) -> datetime | None:
    """A date or datetime as an aware instant; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


def rank(value: object) -> tuple[str, object] | None:
    """A value's kind and place in the order of its kind; None when it has no order."""
    if isinstance(value, str):
        place = _PRIORITIES.get(value.casefold())
        return None if place is None else ("priority", place)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", value
    moment = instant(value)
    return None if moment is None else ("instant", moment)


def shown(value: object) -> str:
    """A fact or value for a sentence."""
    if isinstance(value, str) and len(value) <= SHOWN_MAX:
        return value
    if _is_nothing(value):
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    text = ", ".join(map(str, value)) if isinstance(value, _SEVERAL) else str(value)
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


def _key(op: Op, value: Scalar | tuple[Scalar, ...]) -> object:
    values = value if isinstance(value, tuple) else (value,)
    if op == "in":
        return frozenset(map(normal, values))
    if op == "glob":
        return re.compile(translate(str(value).casefold()))
    return (_ORDERS[op], rank(value)) if op in _ORDERS else normal(value)


def _is_nothing(fact: object) -> bool:
    return fact is None or (isinstance(fact, _SEVERAL) and not fact)


def _equal(key: object, fact: object) -> bool:
    return normal(fact) == key


def _among(key: Any, fact: object) -> bool:
    return normal(fact) in key


def _like(key: Any, fact: object) -> bool:
    text = normal(fact)
    return isinstance(text, str) and key.match(text) is not None


def _ordered(key: Any, fact: object) -> bool:
    place = rank(fact)
    order, bound = key
    return place is not None and bound is not None and place[0] == bound[0] and order(place[1], bound[1])


def _exists(key: object, fact: object) -> bool:
    return (fact is not None) is key


_CHECKS: Mapping[str, Callable[[Any, object], bool]] = {
    "eq": _equal,
    "in": _among,
    "glob": _like,
    "exists": _exists,
    **dict.fromkeys(_ORDERS, _ordered),
}
