"""Signals that are conditions over facts."""

from __future__ import annotations

from collections.abc import Iterator

from app.rules.condition_tests import shown
from app.rules.conditions import Condition, facts_named
from app.rules.signals._past import Past, shown_at
from app.rules.signals._spells import Evidence, Holding, while_true


def while_matching(past: Past, condition: Condition | None) -> Iterator[Holding]:
    """While a condition holds of the ticket's facts; what shows it are the facts it looks at, as they were when it came to hold."""
    if condition is not None:
        yield from while_true(past, past.matching(condition), lambda place: facts_shown(past, place, condition))


def facts_shown(past: Past, place: int, condition: Condition) -> Evidence:
    """`priority is urgent, tags is outage, public` at a step, and the keys of the events that said so."""
    seen = past.seen(place)
    named = sorted(name for name in facts_named(condition) if seen.get(name) not in (None, ()))
    told = ", ".join(f"{name} is {shown(seen[name])}" for name in named) or "the condition holds"
    step = past.steps[place]
    keys = tuple(event.key for event in step.events if not facts_named(condition).isdisjoint(event.set))
    return Evidence((f"{shown_at(step.at)}: {told}.",), keys)
