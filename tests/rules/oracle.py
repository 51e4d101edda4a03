"""A calendar by brute force: look at the clock on the wall at every minute. Slow, obvious, and independent of the engine.

Takes nothing from the engine but the spec. Exact for calendars with edges on whole minutes, in zones with offsets of whole minutes.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from app.rules.calendar import CalendarSpec

MINUTE = timedelta(minutes=1)


def hours_of(spec: CalendarSpec, day: date) -> tuple[tuple[int, int], ...]:
    """The intervals of a local date: special opening days beat holidays, holidays beat the week."""
    if day in spec.open_days:
        return spec.open_days[day]
    if day in spec.holidays or (day.month, day.day) in spec.yearly:
        return ()
    return spec.hours.get(day.weekday(), ())


def is_open(spec: CalendarSpec, at: datetime) -> bool:
    """What somebody who looks at the clock on the wall would say."""
    local = at.astimezone(ZoneInfo(spec.zone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    return any(opens <= second < closes for opens, closes in hours_of(spec, local.date()))


class Walk:
    """The minutes from `start` (on a whole minute) on, each open or not."""

    def __init__(self, spec: CalendarSpec, start: datetime, minutes: int) -> None:
        self.spec, self.start = spec, start.astimezone(UTC)
        self.open = [is_open(spec, at) for at in self.instants(minutes)]
        self.open_before = [0, *accumulate(map(int, self.open))]

    def instants(self, minutes: int) -> Iterator[datetime]:
        return (self.start + MINUTE * index for index in range(minutes))

    def add(self, index: int, minutes: int) -> datetime | None:
        """The first minute by which `minutes` were open since minute `index`; None when the walk is too short."""
        wanted = self.open_before[index] + minutes
        found = (number for number in range(index, len(self.open_before)) if self.open_before[number] == wanted)
        return next((self.start + MINUTE * number for number in found), None)

    def subtract(self, index: int, minutes: int) -> datetime | None:
        """The last minute from which `minutes` are open until minute `index`; None when the walk is too short."""
        wanted = self.open_before[index] - minutes
        found = (number for number in range(index, -1, -1) if self.open_before[number] == wanted)
        return next((self.start + MINUTE * number for number in found), None)

    def next(self, index: int, state: bool) -> datetime | None:
        """The first minute from `index` on that is open (or closed); None when the walk is too short."""
        found = (number for number in range(index, len(self.open)) if self.open[number] is state)
        return next((self.start + MINUTE * number for number in found), None)

    def business_days(self, days: int, *, at_close: bool) -> datetime | None:
        """The same local time `days` open days after the start; None when the walk is too short to be sure."""
        by_date: dict[date, list[tuple[datetime, time, bool]]] = {}
        for at, is_open_then in zip(self.instants(len(self.open)), self.open, strict=True):
            local = at.astimezone(ZoneInfo(self.spec.zone))
            by_date.setdefault(local.date(), []).append((at, local.time(), is_open_then))
        here = self.start.astimezone(ZoneInfo(self.spec.zone))
        open_days = [day for day in sorted(by_date)[:-1] if day > here.date() and any(minute[2] for minute in by_date[day])]
        if len(open_days) < days:
            return None
        minutes = by_date[open_days[days - 1]]
        last_closing = max(at for at, _, open_then in minutes if open_then) + MINUTE
        if at_close:
            return last_closing
        moment = next((at for at, shown, _ in minutes if shown >= here.time()), minutes[-1][0] + MINUTE)
        good = {at for at, _, open_then in minutes if open_then} | {at + MINUTE for at, _, open_then in minutes if open_then}
        return min((at for at in good if at >= moment), default=last_closing)
