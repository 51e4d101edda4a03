"""Ordered policies and a ticket -> the name of the policy that holds; null: none.

A policy that is disabled is not in the document. One with a blank condition that is not the default cannot be written in ours (an empty
condition is refused), so it matches nothing. The default comes last.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.rules.choose import choose
from app.rules.conditions import parse_condition
from app.rules.policy import Book, Policy
from tests.conformance.case_files import Case

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def answer(case: Case) -> Mapping[str, Any]:
    facts = {name: tuple(value) if isinstance(value, list) else value for name, value in case["ticket"].items()}
    chosen = choose(Book(revision=1, policies=tuple(_policies(case["policies"]))), facts, _ANY_TIME).policy
    return {"policy": None if chosen is None else chosen.name}


def _policies(listed: Iterable[Case]) -> Iterable[Policy]:
    for policy in sorted(listed, key=lambda policy: policy.get("default") is True):
        when = policy.get("when")
        if policy.get("enabled", True) and (when or policy.get("default")):
            yield Policy(policy["name"], parse_condition(_translated(when)) if when else None, terms={})


def _translated(when: Mapping[str, Any]) -> dict[str, Any]:
    """`{in: [...]}` in our words: a list."""
    return {fact: value["in"] if isinstance(value, dict) and value.keys() == {"in"} else value for fact, value in when.items()}
