"""The only door to the engine: `evaluate(timeline, book, at)`, a pure function of facts, policy and a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.rules.clock import Clock, Health, State
from app.rules.fold import fold
from app.rules.policy import Book, BusinessDays, OpenTime, Target
from app.rules.ticket import TicketAt
from app.rules.timeline import Timeline

__all__ = ["Clock", "Health", "State", "Verdict", "evaluate", "target_seconds", "target_text"]


@dataclass(frozen=True)
class Verdict:
    """What holds for a ticket at a moment."""

    at: datetime
    ticket: TicketAt | None
    """None when nothing is known of it."""
    policy: str | None
    tier: str | None
    clocks: tuple[Clock, ...]
    rejudge_at: datetime | None
    """The next instant, after `at`, at which a tier changes by date alone; None = none ahead."""


def evaluate(timeline: Timeline, book: Book, at: datetime) -> Verdict:
    """Every clock of the ticket at the instant `at` (aware). Events dated later than `at` count: helpdesk clocks run ahead of ours."""
    story = fold(timeline, book, at)
    return Verdict(
        at=at,
        ticket=story.ticket if story else None,
        policy=story.policy if story else None,
        tier=story.tier if story else None,
        clocks=story.clocks(at) if story else (),
        rejudge_at=_next_date(book, at) if book.dates else None,
    )


def _next_date(book: Book, at: datetime) -> datetime | None:
    return next((date for date in book.dates if date > at), None)


def target_seconds(target: Target) -> int | None:
    """The target in seconds of open time; None for business days."""
    return target.seconds if isinstance(target, OpenTime) else None


def target_text(target: Target) -> str:
    """As one would write it: `4h`, `1h30m`, `2bd`, `2bd@close`."""
    if isinstance(target, BusinessDays):
        return f"{target.days}bd" + ("@close" if target.at_close else "")
    text, left = "", target.seconds
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text
