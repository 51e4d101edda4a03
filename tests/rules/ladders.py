"""Ladders for tests, and climbing them: `climb(LADDER, START + HOUR)`."""

from datetime import date, datetime, timedelta
from typing import Any

from app.rules.calendar import ALWAYS, Calendar, CalendarSpec
from app.rules.escalation import After, AtBreach, Ladder, Step, Trigger
from app.rules.escalation_advance import Advance, Ground, advance
from app.rules.escalation_log import Entry
from app.rules.escalation_run import Run, replay
from tests.support.clock import START

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OFFICE = Calendar(
    CalendarSpec(
        "office", "Europe/Berlin", dict.fromkeys(range(5), ((32_400, 43_200), (46_800, 61_200))),
        holidays={date(2026, 4, 3): "Good Friday"}, yearly={(12, 25): "Christmas"}, open_days={date(2026, 4, 4): ((36_000, 50_400),)},
    )
)  # fmt: skip


def ladder(*triggers: Trigger, **more: Any) -> Ladder:
    """A ladder whose rung number n tells the channel `cN`, from 1."""
    return Ladder("ladder", tuple(Step(n, trigger, notify=(f"c{n + 1}",)) for n, trigger in enumerate(triggers)), **more)


LADDER = ladder(AtBreach(), After(1800), After(1800))


def opened(counts_from: datetime | None = START) -> Entry:
    """The first line of a log; `counts_from` None: the promise is not broken yet."""
    return Entry("opened", START, due_at=counts_from, why="breach")


def ground(of: Ladder, at: datetime, calendar: Calendar = ALWAYS, **more: Any) -> Ground:
    """What a run stands on, with all channels of the ladder to be told."""
    channels = {name for step in of.steps for name in step.notify} | {of.last_resort or ""}
    return Ground(of, calendar, at, **{"channels": channels, "marks": {}} | more)


def climb(of: Ladder, at: datetime, run: Run | None = None, **more: Any) -> Advance:
    """What the run, or else a fresh one of a broken promise, does by an instant."""
    return advance(run or replay([opened()], ALWAYS), ground(of, at, **more))


def spoken(done: Advance) -> list[tuple[int, int]]:
    """The rungs that spoke, from 1, and for which time again."""
    return [(speech.step.index + 1, speech.loop) for speech in done.speeches]
