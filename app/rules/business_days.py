"""Counting in open days (`2bd`): dates on the wall, not hours. Instants are microseconds since 1970-01-01T00:00Z."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from app.rules.hours import Piece
from app.rules.openings import PiecesOn, first_showing, spans_on


def open_day_after(zone: ZoneInfo, open_on: PiecesOn, after: date, days: int, *, within: int) -> tuple[date, list[Piece]] | None:
    """The local date that is `days` (>= 1) open days after the date, with its open spans; None when it is not `within` so many dates.

    Open is a date with any open instant: hours that fall into a gap of the clocks make no open day, nor does a date the zone skips.
    """
    for distance in range(1, within + 1):
        day = after + timedelta(days=distance)
        spans = spans_on(zone, open_on, day) if open_on(day) else []
        if spans and days == 1:
            return day, spans
        days -= bool(spans)
    return None


def time_within(zone: ZoneInfo, day: date, spans: Sequence[Piece], wanted: time) -> int:
    """The wanted local time of the date where it is open or closing, else the next opening of the date, else its last closing."""
    wall = timedelta(hours=wanted.hour, minutes=wanted.minute, seconds=wanted.second, microseconds=wanted.microsecond)
    moment = first_showing(zone, day, wall // timedelta(microseconds=1))
    return next((max(moment, opens) for opens, closes, _ in spans if moment <= closes), spans[-1][1])
