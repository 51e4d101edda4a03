"""Where a clock stands on the way to the rungs of a ladder that name a part of its target."""

from __future__ import annotations

from datetime import datetime

from app.rules.cycle import Cycle
from app.rules.deadline import runs, warnings
from app.rules.escalation import AtPercent, Ladder, Step
from app.rules.policy import PercentWarning


def percents(ladder: Ladder) -> tuple[float, ...]:
    """The parts of the target that rungs name, in the order of the ladder."""
    return tuple(step.at.percent for step in ladder.steps if isinstance(step.at, AtPercent))


def marks(cycle: Cycle, ladder: Ladder) -> dict[float, datetime | None]:
    """By percent, when so much of the target is, or was, used up; None: not while the clock stands as it does."""
    wanted = {f"{percent:g}%": percent for percent in percents(ladder)}
    if not wanted:
        return {}
    calendar = cycle.terms.calendar
    named = tuple(PercentWarning(name, percent) for name, percent in wanted.items())
    found = {mark.name: mark.at for mark in warnings(calendar, cycle.anchor, cycle.target, named, runs(calendar, cycle.stretches))}
    return {percent: found.get(name) for name, percent in wanted.items()}


def percent_of(cycle: Cycle, milestone: str) -> float | None:
    """The part of the target at which a warning of this name stands; None for one that is told otherwise (`30m before`)."""
    for warning in cycle.terms.warnings:
        if isinstance(warning, PercentWarning) and warning.name == milestone:
            return warning.percent
    return None


def opens_at(ladder: Ladder, percent: float) -> bool:
    """Whether a warning at this part of the target is a rung of the ladder."""
    return any(_is_at(step, percent) for step in ladder.steps)


def _is_at(step: Step, percent: float) -> bool:
    return isinstance(step.at, AtPercent) and step.at.percent == percent
