"""The working of a verdict, line by line: which policy and why not the others, which target and from where, which time counted and why not.

Made by the very functions that judge. The counted seconds of a clock's spans add up to what it has consumed, and those ahead to what is
left until it is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.rules.choose import Rejection, rejections
from app.rules.cycles import Cycle
from app.rules.evaluate import Clock, Verdict, evaluate, target_text
from app.rules.policy import Book
from app.rules.timeline import Timeline


@dataclass(frozen=True)
class SpanLine:
    """`[start, end)` in UTC and the microseconds of it that counted; `why` says what it was: `counted`, `closed`, `holiday NAME`,
    `paused (FACTS)`, `stopped (REASON)`."""

    start: datetime
    end: datetime
    counted: int
    why: str


@dataclass(frozen=True)
class ClockLines:
    """One clock, explained. `spans` cover it from its start to its stop or the moment of asking; `ahead` from there until it is due."""

    clock: Clock
    target_from: str
    """Where in the document the target stands."""
    spans: tuple[SpanLine, ...]
    ahead: tuple[SpanLine, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything behind the verdict on a ticket at a moment."""

    verdict: Verdict
    rejected: tuple[Rejection, ...]
    clocks: tuple[ClockLines, ...]


def explain(timeline: Timeline, book: Book, at: datetime) -> Explanation:
    """The verdict at the instant `at` (aware), with its working."""
    verdict = evaluate(timeline, book, at)
    facts = verdict.ticket.facts if verdict.ticket else {}
    return Explanation(
        verdict=verdict,
        rejected=tuple(rejections(book, facts, verdict.ticket.at)) if verdict.ticket else (),
        clocks=tuple(_explain_clock(clock, at) for clock in verdict.clocks),
    )


def _explain_clock(clock: Clock, at: datetime) -> ClockLines:
    cycle = clock.cycle
    until = cycle.stopped_at if cycle.stopped_at is not None else max(at, cycle.anchor)
    is_ahead = clock.state == "running" and clock.breached_at is None
    return ClockLines(
        clock=clock,
        target_from=_target_from(cycle),
        spans=tuple(_lines(cycle, cycle.anchor, until)),
        ahead=tuple(_lines(cycle, until, clock.due_at)) if is_ahead and clock.due_at is not None else (),
    )


def _target_from(cycle: Cycle) -> str:
    return f"policies.{cycle.policy}.targets.{cycle.metric}.{cycle.terms.word_for(cycle.priority)}"


def _lines(cycle: Cycle, start: datetime, end: datetime) -> Iterator[SpanLine]:
    """The stretches within `[start, end)`; running ones are split where the calendar opens and closes."""
    calendar = cycle.terms.calendar
    for stretch in cycle.stretches:
        begin, stop = max(stretch.start, start), end if stretch.end is None else min(stretch.end, end)
        if begin >= stop:
            continue
        if stretch.kind != "running":
            yield SpanLine(begin, stop, 0, f"{stretch.kind} ({stretch.why})")
            continue
        for span in calendar.spans(begin, stop):
            counted = calendar.open_microseconds_between(span.start, span.end)
            yield SpanLine(span.start, span.end, counted, "counted" if span.open else span.why)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON values: instants RFC 3339 UTC with microseconds, counted time in seconds."""
    verdict = explanation.verdict
    return {
        "at": _instant(verdict.at),
        "policy": verdict.policy,
        "tier": verdict.tier,
        "rejected_policies": [{"policy": r.policy, "because": r.because} for r in explanation.rejected],
        "clocks": [_clock_json(lines) for lines in explanation.clocks],
    }


def _clock_json(lines: ClockLines) -> dict[str, Any]:
    clock, cycle = lines.clock, lines.clock.cycle
    return {
        "metric": cycle.metric,
        "cycle": cycle.number,
        "state": clock.state,
        "health": clock.health,
        "policy": cycle.policy,
        "calendar": cycle.terms.calendar.name,
        "time_zone": cycle.terms.calendar.zone,
        "target": target_text(cycle.target),
        "target_from": lines.target_from,
        "priority": cycle.priority,
        "started_at": _instant(cycle.anchor),
        "stopped_at": _instant(cycle.stopped_at),
        "stopped_by": cycle.stopped_by,
        "due_at": _instant(clock.due_at),
        "breached_at": _instant(clock.breached_at),
        "cause": clock.cause if clock.breached_at else None,
        "elapsed_seconds": clock.consumed / 1_000_000,
        "remaining_seconds": None if clock.remaining is None else clock.remaining / 1_000_000,
        "milestones": [{"name": m.name, "at": _instant(m.at), "passed": m in clock.passed} for m in clock.milestones],
        "spans": [_span_json(span) for span in lines.spans],
        "ahead": [_span_json(span) for span in lines.ahead],
    }


def _span_json(span: SpanLine) -> dict[str, Any]:
    return {"from": _instant(span.start), "to": _instant(span.end), "counted_seconds": span.counted / 1_000_000, "why": span.why}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
