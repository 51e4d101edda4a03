"""A ladder in words, for those who are told: who hears it next, and when; what a rung wants written to the ticket."""

from __future__ import annotations

from app.rules.calendar import Calendar
from app.rules.durations import format_duration
from app.rules.escalation import After, AtBreach, AtPercent, Ladder, Step, Unacknowledged, WriteBack


def next_in_words(ladder: Ladder, step: int, loop: int, calendar: Calendar) -> str | None:
    """What follows rung `step` (from 0) said for the `loop`th time again: `head-of-support in 30m`; None: nothing does."""
    said = ladder.steps[step]
    parts = []
    if said.repeat is not None and loop < said.repeat.times:
        parts.append(f"again in {_span(said.repeat.every_seconds, said, calendar)}")
    if step + 1 < len(ladder.steps):
        parts.append(_rung(ladder.steps[step + 1], calendar))
    return ", then ".join(parts) or None


def _rung(step: Step, calendar: Calendar) -> str:
    who = ", ".join(step.notify) or "the ticket is marked"
    condition = " if its condition holds then" if step.condition is not None else ""
    return f"{who} {_moment(step, calendar)}{condition}"


def _moment(step: Step, calendar: Calendar) -> str:
    match step.at:
        case AtBreach():
            return "at the breach"
        case AtPercent(percent=percent):
            return f"at {percent:g}% of the target"
        case After(seconds=seconds):
            return f"in {_span(seconds, step, calendar)}"
        case Unacknowledged(seconds=seconds):
            return f"when nobody has acknowledged for {_span(seconds, step, calendar)}"


def _span(seconds: int, step: Step, calendar: Calendar) -> str:
    around_the_clock = step.wall or calendar.spec.always
    return format_duration(seconds) + ("" if around_the_clock else " of open time")


def write_back_in_words(wanted: WriteBack) -> str:
    """`tags sla_breached; priority urgent; a private note`."""
    parts = [
        f"tags {', '.join(wanted.tags)}" if wanted.tags else "",
        f"priority {wanted.priority}" if wanted.priority else "",
        "a private note" if wanted.note else "",
        f"group {wanted.group}" if wanted.group else "",
        f"assignee {wanted.assignee}" if wanted.assignee else "",
    ]
    return "; ".join(part for part in parts if part)
