"""Deadlines per second on one core, how long a calendar takes to compile, and whether the answers are right.

Anchor: workclock, the same arithmetic in Rust, where it is installed, asked the same questions in the same run; its answers must be ours.
Right is what a walk over every minute says, around the days on which clocks change.
"""

import importlib
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from app.rules.calendar import ALWAYS, Calendar, CalendarSpec
from app.rules.hours import LocalDays, load_zone
from app.rules.openings import EPOCH, MICROSECOND, compile_openings
from benchmarks import Figure, Report, interleaved
from tests.rules.calendars import CHANGES
from tests.rules.oracle import MINUTE, Walk

ANCHOR_GOAL = 5.0  # times the anchor
COMPILE_GOAL = 25.0  # milliseconds for seven years
ORACLE_DAYS = 8

HOLIDAYS = {date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25), date(2027, 1, 1)}
OFFICE = CalendarSpec(
    name="office",
    zone="Europe/Berlin",
    hours=dict.fromkeys(range(5), ((9 * 3600, 12 * 3600), (13 * 3600, 17 * 3600))),
    holidays=dict.fromkeys(HOLIDAYS, "holiday"),
)
TARGETS = (900, 1800, 3600, 4 * 3600, 8 * 3600, 24 * 3600, 40 * 3600)  # seconds of open time

Question = tuple[datetime, int]
Add = Callable[[datetime, Any], datetime]


def run(*, quick: bool) -> Report:
    """Speed against the anchor, compile time, differences to the walk."""
    questions = _questions(2_000 if quick else 20_000)
    speed, notes = _speed(questions, rounds=3 if quick else 7)
    return Report("calendar", (*speed, _compile_time(rounds=3 if quick else 9), _differences(50 if quick else 500)), notes)


def _questions(count: int) -> list[Question]:
    """Starts all over 2026, office hours or not, each with a target."""
    chance = random.Random(7)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [(first + timedelta(seconds=chance.randrange(365 * 86_400)), chance.choice(TARGETS)) for _ in range(count)]


def _speed(questions: list[Question], *, rounds: int) -> tuple[list[Figure], tuple[str, ...]]:
    office = Calendar(OFFICE)
    works = {
        "add_open_time": partial(_ask, office.add_open_time, questions),
        "subtract_open_time": partial(_ask, office.subtract_open_time, questions),
        "open_time_between": partial(
            _ask, office.open_time_between, [(start, start + timedelta(seconds=target)) for start, target in questions]
        ),
        "add_open_time, always open": partial(_ask, ALWAYS.add_open_time, questions),
    }
    anchor = _anchor()
    if anchor is not None:
        works["workclock"] = partial(_ask, anchor, [(start, timedelta(seconds=target)) for start, target in questions])
    office.add_open_time(*questions[0])
    seconds = interleaved(rounds, **works)
    figures = [Figure(name, len(questions) / taken, "per second") for name, taken in seconds.items()]
    if anchor is None:
        return figures, ("The anchor workclock is not installed: there is no ratio, and nothing was compared with it.",)
    return [*figures, *_against(anchor, office, questions, seconds)], ()


def _against(anchor: Add, office: Calendar, questions: list[Question], seconds: Mapping[str, float]) -> list[Figure]:
    """The ratio to the anchor, and in how many answers it and we differ."""
    ratio = seconds["workclock"] / seconds["add_open_time"]
    different = sum(anchor(start, timedelta(seconds=target)) != office.add_open_time(start, target) for start, target in questions)
    return [
        Figure("add_open_time / workclock", ratio, "times", f">= {ANCHOR_GOAL:g}", ratio >= ANCHOR_GOAL),
        Figure("answers that differ from workclock", different, "answers", "0", different == 0),
    ]


def _ask(answer: Callable[[Any, Any], object], questions: list[tuple[Any, Any]]) -> None:
    for start, amount in questions:
        answer(start, amount)


def _anchor() -> Add | None:
    """workclock's addition on the same calendar; None where it is not installed."""
    try:
        workclock = importlib.import_module("workclock")
    except ImportError:
        return None
    parts = [workclock.WorkDay(time(9), time(17)), workclock.Break(time(12), time(13)), workclock.Holidays(sorted(HOLIDAYS))]
    add: Add = workclock.Schedule(parts, time_zone=ZoneInfo(OFFICE.zone)).add
    return add


def _compile_time(*, rounds: int) -> Figure:
    """What the first question to a calendar costs."""
    zone, days = load_zone(OFFICE.zone), LocalDays(OFFICE)
    lo, hi = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND for year in (2025, 2032))
    taken = interleaved(rounds, compiling=lambda: compile_openings(zone, days.open_pieces, lo, hi))["compiling"] * 1000
    return Figure("compile seven years", taken, "ms", f"<= {COMPILE_GOAL:g}", taken <= COMPILE_GOAL)


def _differences(questions_each: int) -> Figure:
    """How many answers differ from the walk over every minute, in every zone, around every change of its clocks."""
    different = sum(_different(zone, day, questions_each) for zone, days in CHANGES.items() for day in days)
    return Figure(f"answers that differ from the walk, {len(CHANGES)} zones", different, "answers", "0", different == 0)


def _different(zone: str, day: str, questions: int) -> int:
    hours = dict.fromkeys(range(7), ((0, 90 * 60), (150 * 60, 12 * 3600), (13 * 3600, 86400)))
    spec = CalendarSpec(name=zone, zone=zone, hours=hours)
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=3)
    walk, calendar, chance = Walk(spec, start, ORACLE_DAYS * 1440), Calendar(spec), random.Random(day)
    asked = [(chance.randrange(4 * 1440), chance.randrange(1, 2 * 1440)) for _ in range(questions)]
    return sum(walk.add(index, minutes) != calendar.add_open_time(start + MINUTE * index, minutes * 60) for index, minutes in asked)
