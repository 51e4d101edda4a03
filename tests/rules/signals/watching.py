"""Watching a ticket in tests: `raised(line, rule, "10:00")`."""

from collections.abc import Iterable
from datetime import datetime

from app.rules.policy import Book
from app.rules.signals import Raised, Related, SignalRule, Watch, past_of, watch
from app.rules.timeline import Timeline
from tests.rules.builders import at, book, judged

QUIET_BOOK = book(resolution="1000h")
"""A document whose promises nobody breaks in a test."""


def watched(line: Timeline, rule: SignalRule, when: str, *, by: Book = QUIET_BOOK, related: Iterable[Related] = ()) -> Watch:
    """What a ticket has raised by an instant."""
    past = past_of(line, by, at(when), judged(line, by, when).verdict.clocks, related)
    assert past is not None
    return watch([rule], past, at(when))


def raised(line: Timeline, rule: SignalRule, when: str, **more: object) -> list[Raised]:
    """The same without what lies ahead."""
    return list(watched(line, rule, when, **more).raised)  # type: ignore[arg-type]


def instants(line: Timeline, rule: SignalRule, when: str, **more: object) -> list[datetime]:
    """When it was raised."""
    return [one.raised_at for one in raised(line, rule, when, **more)]
