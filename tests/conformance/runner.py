"""Puts cases to the engine and compares."""

import importlib
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from app.rules.problems import RuleError
from tests.conformance.case_files import Case, instant

Answer = Callable[[Case], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went. `differences` is empty when it passed; each is a sentence."""

    id: str
    kind: str
    title: str
    peculiar: bool
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


def kind_module(kind: str) -> Answer | None:
    """What answers a kind of case; None when no module of this name is there."""
    name = f"{__package__}.kinds.{kind}"
    if not kind.isidentifier() or kind.startswith("_") or importlib.util.find_spec(name) is None:
        return None
    return cast(Answer, importlib.import_module(name).answer)


def run(cases: Iterable[Case]) -> list[Outcome]:
    """The outcome of every case, in order."""
    return [_run_one(case) for case in cases]


def _run_one(case: Case) -> Outcome:
    return Outcome(
        id=str(case.get("id", "?")),
        kind=case["kind"],
        title=str(case.get("title", "")),
        peculiar=case.get("peculiar") is True,
        differences=tuple(_judge(case)),
    )


def _judge(case: Case) -> list[str]:
    """What differs from `expect`, a sentence each."""
    answer = kind_module(case["kind"])
    if answer is None:
        return ["not covered: there is no such kind here"]
    try:
        actual = answer(case)
    except RuleError as refusal:
        actual = {"error": refusal.code}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"the case cannot be put: {type(error).__name__}: {error}"]
    expected = case["expect"]
    return [
        f"{key}: expected {_text(expected.get(key))}, got {_text(actual.get(key, 'no answer'))}"
        for key in sorted(expected.keys() | (actual.keys() & {"error"}))
        if key not in actual or not same(expected.get(key), actual[key])
    ]


def same(expected: object, actual: object) -> bool:
    """Whether an expectation is met: instants as instants, numbers as numbers, lists and maps entry by entry."""
    if isinstance(actual, datetime):
        return isinstance(expected, str) and instant(expected) == actual
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, dict) and isinstance(actual, Mapping):
        return all(key in actual and same(value, actual[key]) for key, value in expected.items())
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    return expected == actual


def report(outcomes: Iterable[Outcome]) -> list[str]:
    """Lines for people: passed and failed per kind, then every scored failure."""
    outcomes = list(outcomes)
    lines = [_kind_line(kind, [o for o in outcomes if o.kind == kind]) for kind in sorted({o.kind for o in outcomes})]
    lines += [f"FAILED {o.kind} {o.id} ({o.title}): {'; '.join(o.differences)}" for o in outcomes if not o.passed and not o.peculiar]
    passed, failed = _score(outcomes)
    return [*lines, f"total: {passed} passed, {failed} failed"]


def all_passed(outcomes: Iterable[Outcome]) -> bool:
    """Whether every scored case passed."""
    return all(outcome.passed for outcome in outcomes if not outcome.peculiar)


def _kind_line(kind: str, outcomes: list[Outcome]) -> str:
    passed, failed = _score(outcomes)
    peculiar = Counter(o.passed for o in outcomes if o.peculiar)
    aside = f" ({peculiar[True]} peculiar agree, {peculiar[False]} differ)" if peculiar else ""
    return f"{kind}: {passed} passed, {failed} failed{aside}"


def _score(outcomes: list[Outcome]) -> tuple[int, int]:
    scored = Counter(o.passed for o in outcomes if not o.peculiar)
    return scored[True], scored[False]


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return value.isoformat() if isinstance(value, datetime) else str(value)
