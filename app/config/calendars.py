"""Calendars of the document made ready: their holidays as dates, their hours compiled."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic_core import PydanticCustomError

from app.config.holidays import dated_holidays, yearly_holidays
from app.config.schema import CalendarEntry
from app.rules.calendar import Calendar, CalendarSpec
from app.rules.problems import NoWorkingTime, RuleError


class Trouble(NamedTuple):
    """What is wrong with a calendar; `path` leads from it to the place."""

    path: tuple[str | int, ...]
    code: str
    message: str


def make_calendar(name: str, entry: CalendarEntry, today: date, base: Path) -> tuple[Calendar | None, list[Trouble]]:
    """The calendar, or what is in its way. Holidays that other sources tell are worked out for the years around `today`."""
    closed, troubles = dict[date, str](), list[Trouble]()
    for index, holiday in enumerate(entry.holidays):
        try:
            closed.update(dated_holidays(holiday, today, base))
        except PydanticCustomError as error:
            troubles.append(Trouble(("holidays", index), error.type, error.message()))
    spec = CalendarSpec(
        name=name,
        zone=entry.timezone,
        hours=entry.hours,
        holidays=closed,
        yearly=yearly_holidays(entry.holidays),
        open_days={day.date: day.hours for day in entry.open_days},
    )
    try:
        calendar = Calendar(spec)
        if not troubles:
            calendar.next_open(datetime(today.year, today.month, today.day, tzinfo=UTC))
    except NoWorkingTime:
        return None, [Trouble(("hours",), "never-opens", f"the calendar {name} is never open in the next five years")]
    except RuleError as error:
        return None, [*troubles, Trouble(("hours",), "bad-hours", str(error))]
    return (None if troubles else calendar), troubles
