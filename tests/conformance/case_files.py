"""What a case file holds, made fit for the engine. No rule of SLAs lives here."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from app.rules.calendar import ALWAYS, Calendar, CalendarSpec, parse_hours
from app.rules.durations import parse_target
from app.rules.pauses import Pause
from app.rules.policy import Target
from app.rules.problems import InvalidHours

Case = Mapping[str, Any]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class UnusableFile(Exception):
    """The file cannot be read as a case file."""


def read_cases(file: Path) -> list[Case]:
    """The cases of a file, in order. Raises UnusableFile with a sentence."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableFile(f"{file} cannot be read: {error}") from error
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        raise UnusableFile(f"{file} has no list of cases")
    for number, case in enumerate(cases):
        if not isinstance(case, dict) or not isinstance(case.get("kind"), str) or not isinstance(case.get("expect"), dict):
            raise UnusableFile(f"case {number} of {file} is not an object with id, kind and expect")
    return cases


def instant(text: str) -> datetime:
    """An aware instant."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} names no offset")
    return at


def calendar(data: Case) -> Calendar:
    """`{always_open: true}` or `{tz, hours, holidays}` as a calendar. Raises InvalidHours as the engine does."""
    if data.get("always_open"):
        return ALWAYS
    holidays, yearly = _holidays(data.get("holidays") or ())
    hours = {_weekday(name): tuple(_interval(pair) for pair in pairs) for name, pairs in (data.get("hours") or {}).items()}
    return Calendar(CalendarSpec(name="case", zone=data.get("tz", "UTC"), hours=hours, holidays=holidays, yearly=yearly))


def target(case: Case) -> Target:
    """The target of a case, read by the engine's own language of durations."""
    if "target_working_days" in case:
        return parse_target(f"{case['target_working_days']}bd{'@close' if case.get('end_of_working_day') else ''}")
    seconds = case["target_seconds"] if "target_seconds" in case else case["target_minutes"] * 60
    return parse_target(f"{seconds:.0f}s")


def pauses(case: Case) -> list[Pause]:
    """The pauses that apply in a case; one without `to` has not ended."""
    if not case.get("pauses_apply", True):
        return []
    return [(instant(pause["from"]), instant(pause["to"]) if pause.get("to") else None) for pause in case.get("pauses") or ()]


def _weekday(name: str) -> int:
    if name not in _WEEKDAYS:
        raise InvalidHours(f"{name!r} is no weekday")
    return _WEEKDAYS.index(name)


def _interval(pair: object) -> tuple[int, int]:
    return parse_hours("-".join(map(str, pair)) if isinstance(pair, list) else pair)


def _holidays(entries: Any) -> tuple[dict[date, str], dict[tuple[int, int], str]]:
    """Dates, and days of every year: `YYYY-MM-DD`, `MM-DD` and inclusive ranges."""
    dates: dict[date, str] = {}
    yearly: dict[tuple[int, int], str] = {}
    for entry in entries:
        if isinstance(entry, str) and len(entry) == len("MM-DD"):
            yearly[int(entry[:2]), int(entry[3:])] = "holiday"
            continue
        first, last = (entry["from"], entry["to"]) if isinstance(entry, dict) else (entry, entry)
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        dates |= {start + timedelta(days=number): "holiday" for number in range((end - start).days + 1)}
    return dates, yearly
