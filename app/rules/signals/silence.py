"""Silence: no public message of a human agent for too long, counted in open time of a calendar.

It counts from the last such message, or from the creation, and anew from a reopening. A solved ticket is not silent. Notes, bots and the
customer's own messages break no silence.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from app.rules.guidance import Guidance
from app.rules.policy import OpenTime
from app.rules.problems import NoWorkingTime
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Silence
from app.rules.signals._spells import Evidence, Holding

AFTER_SOLVE: Final = False
CURE: Final[str | None] = "answered"
GUIDANCE: Final = Guidance(
    (
        "Write even if there is nothing new: say what happens now and when they hear from you next.",
        "Keep to that time; set it so that you can.",
        "If you wait for somebody else, say for whom and since when.",
    ),
    "We have not forgotten {ticket}. It is being worked on, and you will hear from us by {next_update}.",
)


class Quiet(NamedTuple):
    """Nobody wrote in `[start, end)`; `since`: from when the silence counts. `end` None: nobody has written yet."""

    since: datetime
    start: datetime
    end: datetime | None
    key: str | None


def holds(past: Past, knobs: Silence) -> Iterable[Holding]:
    """From the instant at which the silence is too long until somebody writes."""
    for quiet in _quiet(past):
        too_long_at = _due(knobs, quiet.since)
        if too_long_at is not None and (quiet.end is None or too_long_at < quiet.end):
            sentence = f"No public message of an agent since {shown_at(quiet.since)}, {knobs.words}."
            yield Holding(max(too_long_at, quiet.start), quiet.end, Evidence((sentence,), (quiet.key,) if quiet.key else ()))


def _due(knobs: Silence, since: datetime) -> datetime | None:
    """When the silence is too long; None: the calendar has not that much open time."""
    target = knobs.longer_than
    if target is None:
        return None
    try:
        if isinstance(target, OpenTime):
            return knobs.calendar.add_open_time(since, target.seconds)
        return knobs.calendar.add_business_days(since, target.days, at_close=target.at_close)
    except NoWorkingTime:
        return None


def _quiet(past: Past) -> Iterator[Quiet]:
    """The silences of the ticket while it is open, by time."""
    quiet: Quiet | None = None
    wrote_at: datetime | None = None
    for place, start, _ in past.pieces():
        step = past.steps[place]
        is_over = step.is_solved or step.is_gone
        if quiet is not None and (is_over or step.by_agent.last_reply_at != wrote_at):
            yield quiet._replace(end=start)
            quiet = None
        wrote_at = step.by_agent.last_reply_at
        if quiet is None and not is_over:
            since = start if place or wrote_at is not None else step.created_at
            quiet = Quiet(since, start, None, step.events[-1].key if step.events else None)
    if quiet is not None:
        yield quiet
