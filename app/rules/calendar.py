"""Calendars: when a promise runs. Local wall time decides what is open; how long is real elapsed time.

Every instant in is an aware datetime of any zone, every instant out is UTC, everything is exact to the microsecond. How clock changes
are read stands in `app.rules.openings`. Nothing is open before 1970 or after 2209, save on the calendar `always`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from app.rules.business_days import open_day_after, time_within
from app.rules.hours import SECOND, CalendarSpec, LocalDays, Piece, checked_spec, load_zone, microseconds, parse_hours
from app.rules.openings import BEYOND, EPOCH, MICROSECOND, Openings, compile_openings, merged, walk
from app.rules.problems import InvalidTarget, NoWorkingTime
from app.rules.values import make

__all__ = ["ALWAYS", "HORIZON", "Calendar", "CalendarSpec", "Place", "Span", "parse_hours"]

HORIZON: Final = timedelta(days=5 * 365 + 2)
"""How far from the instant asked about an answer may lie: five years. What is farther is a mistake, not a deadline."""

_HORIZON: Final = HORIZON // MICROSECOND
_HORIZON_DAYS: Final = HORIZON.days
_FIRST: Final = 0
_LAST: Final = (datetime(2210, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
_FAR: Final = datetime(9000, 1, 1, tzinfo=UTC)
_NOTHING: Final = timedelta()
_NOTHING_YET: Final = Openings(_LAST, _FIRST, ())
_TOO_FAR: Final = "the calendar {} has not that much open time within five years"


@dataclass(frozen=True)
class Span:
    """A stretch `[start, end)` in UTC, and why it counts or not: `open`, `closed` or `holiday NAME`."""

    start: datetime
    end: datetime
    open: bool
    why: str


class Calendar:
    """One calendar, compiled on first use for the years asked about, and for more when they are asked for.

    Equal and hashable by its spec. Raises InvalidHours when the spec cannot be: overlapping or backwards intervals, unknown zone.
    A calendar that never opens can be made; whatever needs open time from it raises NoWorkingTime.
    """

    __slots__ = ("_days", "_openings", "_spec", "_zone")

    def __init__(self, spec: CalendarSpec) -> None:
        self._spec = checked_spec(spec)
        self._zone = load_zone(spec.zone)
        self._days = LocalDays(self._spec)
        self._openings = _NOTHING_YET

    @classmethod
    def always(cls) -> "Calendar":
        """The built-in calendar named `always`: open around the clock, in UTC."""
        return cls(CalendarSpec(name="always", always=True))

    @property
    def name(self) -> str:
        """The name in the document."""
        return self._spec.name

    @property
    def zone(self) -> str:
        """The IANA name of its zone."""
        return self._spec.zone

    @property
    def spec(self) -> CalendarSpec:
        """What it was made from."""
        return self._spec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __repr__(self) -> str:
        return f"Calendar({self.name!r}, {self.zone!r})"

    def add_open_time(self, start: datetime, seconds: float) -> datetime:
        """The first instant at which `seconds` of open time have passed since `start`, in UTC.

        What ends exactly at closing is due at closing. Zero seconds from any instant is that instant. Raises InvalidTarget for
        negative seconds, NoWorkingTime when the answer would lie beyond the horizon.
        """
        needed = seconds * SECOND if type(seconds) is int else microseconds(seconds)
        self._check_amount(needed)
        return self.after(start, MICROSECOND * needed)

    def after(self, start: datetime, open_time: timedelta) -> datetime:
        """The same for a span of open time."""
        openings = self._openings
        day = (start - EPOCH).days - openings.base
        if not (0 <= day < openings.days - _HORIZON_DAYS and _NOTHING < open_time <= HORIZON and start.tzinfo is UTC):
            return self._after_rarely(start, open_time)
        # `place` and `Place.after`, written out, are twice as quick as called.
        closes, index = openings.closes, openings.by_day[day]
        while closes[index] <= start:
            index += 1
        opens = openings.opens[index]
        due = (start if start > opens else opens) + open_time  # noqa: FURB136  # a third of what `max` takes
        if due > closes[index]:
            due = openings.further(index, due)
        if due - start > HORIZON:
            raise NoWorkingTime(_TOO_FAR.format(self.name))
        return due

    def place(self, start: datetime) -> "Place":
        """An instant, looked up once for all that is asked from it on."""
        openings = self._openings
        day = (start - EPOCH).days - openings.base
        if not 0 <= day < openings.days - _HORIZON_DAYS or start.tzinfo is not UTC:
            return Place(self, start, None, 0, start)
        closes, index = openings.closes, openings.by_day[day]
        while closes[index] <= start:
            index += 1
        opens = openings.opens[index]
        since = start if start > opens else opens  # noqa: FURB136
        return make(Place, (self, start, openings, index, since))

    def after_if_any(self, start: datetime, open_time: timedelta) -> datetime | None:
        """`after`, for whatever is unusual; None when the answer would lie beyond the horizon."""
        try:
            return self._after_rarely(start, open_time)
        except NoWorkingTime:
            return None

    def _after_rarely(self, start: datetime, open_time: timedelta) -> datetime:
        """The same for everything unusual: zero, too much, a calendar that is always open, years that are not compiled yet."""
        if self._spec.always and start.tzinfo is UTC and start < _FAR and _NOTHING < open_time <= HORIZON:
            return start + open_time
        at, needed = _at(start), open_time // MICROSECOND
        self._check_amount(needed)
        due = at + needed
        if needed and not self._spec.always:
            openings = self._covering(at, at + _HORIZON)
            due = openings.first_with(openings.before(_clipped(at)) + needed)
        return self._answer(due, at)

    def subtract_open_time(self, end: datetime, seconds: float) -> datetime:
        """The last instant `t`, in UTC, with exactly `seconds` of open time in `[t, end)`: "30 minutes before due".

        What begins exactly at an opening begins there, not at the closing before. Zero seconds is `end` itself. Raises as
        `add_open_time` does.
        """
        at, needed = _at(end), microseconds(seconds)
        self._check_amount(needed)
        begin = at - needed
        if needed and not self._spec.always:
            openings = self._covering(at - _HORIZON, at)
            amount = openings.before(_clipped(at)) - needed
            begin = openings.last_with(amount) if amount >= 0 else -BEYOND
        return self._answer(begin, at)

    def open_microseconds_between(self, start: datetime, end: datetime) -> int:
        """The open time in `[start, end)`, in microseconds; 0 when `end` is not after `start`."""
        return self.open_time_between(start, end) // MICROSECOND

    def open_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The open time in `[start, end)`; zero when `end` is not after `start`."""
        if start.tzinfo is not UTC or end.tzinfo is not UTC:
            start, end = _utc(start), _utc(end)
        if end <= start:
            return _NOTHING
        if self._spec.always:
            return end - start
        openings = self._openings
        first, last = (start - EPOCH).days - openings.base, (end - EPOCH).days - openings.base
        if not 0 <= first <= last < openings.days:
            return MICROSECOND * self._between_rarely(_at(start), _at(end))
        return openings.given_before(end, last) - openings.given_before(start, first)

    def _between_rarely(self, begin: int, stop: int) -> int:
        """The same in years that are not compiled yet."""
        openings = self._covering(begin, stop)
        return openings.before(_clipped(stop)) - openings.before(_clipped(begin))

    def add_business_days(self, start: datetime, days: int, *, at_close: bool = False) -> datetime:
        """The same local time `days` open days later, in UTC; `at_close`: the last closing of that day.

        An open day is a local date with any open time. Counting starts with the first open day after the local date of `start`,
        whether `start` itself is open or not. Where the calendar is not open at that time of that day, the answer is the next
        opening of the day, or else its last closing: a promise never ends outside the hours. A time that the zone skips counts as
        the jump; of a repeated one the first is meant. Raises InvalidTarget unless `days` >= 1, NoWorkingTime beyond the horizon.
        """
        if days < 1:
            raise InvalidTarget(f"a number of business days is 1 or more, not {days}")
        if not _FIRST <= _at(start) <= _LAST:
            raise NoWorkingTime(_TOO_FAR.format(self.name))
        local = start.astimezone(self._zone)
        found = open_day_after(self._zone, self._days.open_pieces, local.date(), days, within=HORIZON.days)
        if found is None:
            raise NoWorkingTime(_TOO_FAR.format(self.name))
        day, spans = found
        return EPOCH + MICROSECOND * (spans[-1][1] if at_close else time_within(self._zone, day, spans, local.time()))

    def is_open(self, at: datetime) -> bool:
        """Whether the calendar is open at this instant; at a closing it is not."""
        moment = _at(at)
        return self._spec.always or self._span_at(moment, moment)[0] <= moment

    def next_open(self, at: datetime) -> datetime:
        """The first open instant from `at` on, in UTC: `at` itself when it is open. Raises NoWorkingTime beyond the horizon."""
        moment = _at(at)
        if self._spec.always:
            return self._answer(moment, moment)
        opens, _ = self._span_at(moment, moment + _HORIZON)
        return self._answer(max(opens, moment), moment)

    def next_close(self, at: datetime) -> datetime | None:
        """When the opening that holds `at`, or else the next one, ends, in UTC; None when that is beyond the horizon or never."""
        moment = _at(at)
        if self._spec.always:
            return None
        _, closes = self._span_at(moment, moment + _HORIZON)
        return EPOCH + MICROSECOND * closes if closes < moment + _HORIZON else None

    def spans(self, start: datetime, end: datetime) -> list[Span]:
        """`[start, end)` cut into what is open and what is not, and why: in order, without gaps, neighbours of one kind made one."""
        begin, stop = _at(start), _at(end)
        if stop <= begin:
            return []
        inside = (_clipped(begin), _clipped(stop))
        pieces: list[Piece] = [(begin, inside[0], "closed"), *walk(self._zone, self._days.all_pieces, *inside), (inside[1], stop, "closed")]
        if self._spec.always:
            pieces = [(begin, stop, "open")]
        return [
            Span(EPOCH + MICROSECOND * since, EPOCH + MICROSECOND * until, why == "open", why)
            for since, until, why in merged(piece for piece in pieces if piece[0] < piece[1])
        ]

    def _span_at(self, start: int, end: int) -> tuple[int, int]:
        """The first open span that ends after `start`; far beyond everything when there is none before `end`."""
        openings = self._covering(start, end)
        index = openings.index_at(_clipped(start))
        return openings.starts[index], openings.ends[index]

    def _covering(self, start: int, end: int) -> Openings:
        """Openings that cover `[start, end]` and the horizon of `start`, compiled now where they were not.

        Two threads may do the same work at once; neither harms the other.
        """
        openings = self._openings
        start, end = _clipped(start), _clipped(max(end, start + _HORIZON))
        if not openings.lo <= start <= end <= openings.hi:
            lo, hi = min(_year(start, -1), openings.lo), max(_year(end, 2), openings.hi)
            openings = self._openings = compile_openings(self._zone, self._days.open_pieces, _clipped(lo), _clipped(hi))
        return openings

    def _check_amount(self, amount: int) -> None:
        """Of open time, in microseconds."""
        if amount < 0:
            raise InvalidTarget("an amount of open time cannot be negative")
        if amount > _HORIZON:
            raise NoWorkingTime(_TOO_FAR.format(self.name))

    def _answer(self, answer: int, asked: int) -> datetime:
        """`answer` in UTC. Raises NoWorkingTime when it is more than the horizon away from `asked`, or outside all years."""
        if abs(answer - asked) > _HORIZON:
            raise NoWorkingTime(_TOO_FAR.format(self.name))
        try:
            return EPOCH + MICROSECOND * answer
        except OverflowError as error:
            raise NoWorkingTime(_TOO_FAR.format(self.name)) from error


class Place(NamedTuple):
    """An instant on a calendar."""

    calendar: Calendar
    start: datetime
    openings: Openings | None
    """None: the calendar is always open, or the instant lies in years that are not compiled yet."""
    opening: int
    """The first one that ends after the instant."""
    since: datetime
    """From when on it is open."""

    def after(self, open_time: timedelta) -> datetime | None:
        """The first instant at which so much open time (> 0) has passed; None when it would lie beyond the horizon."""
        calendar, start, openings, index, since = self
        if openings is None:
            return calendar.after_if_any(start, open_time)
        due = since + open_time
        if due > openings.closes[index]:
            due = openings.further(index, due)
        return due if due - start <= HORIZON else None

    def each_after(self, open_times: Sequence[timedelta]) -> list[datetime | None]:
        """The same for several spans."""
        calendar, start, openings, index, since = self
        if openings is None:
            return [calendar.after_if_any(start, open_time) for open_time in open_times]
        closes, latest = openings.closes[index], start + HORIZON
        found: list[datetime | None] = []
        for open_time in open_times:
            due = since + open_time
            if due > closes:
                due = openings.further(index, due)
            found.append(due if due <= latest else None)
        return found

    def open_until(self, end: datetime) -> timedelta:
        """The open time in `[start, end)`; zero when `end` is not after `start`."""
        calendar, start, openings, index, since = self
        if openings is None or end.tzinfo is not UTC:
            return calendar.open_time_between(start, end)
        if end <= openings.closes[index]:
            return end - since if end > since else _NOTHING
        last = (end - EPOCH).days - openings.base
        if last >= openings.days:
            return calendar.open_time_between(start, end)
        return openings.given_before(end, last) - openings.given[index] - (since - openings.opens[index])


def _utc(instant: datetime) -> datetime:
    return EPOCH + (instant - EPOCH)


def _at(instant: datetime) -> int:
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def _clipped(at: int) -> int:
    return min(max(at, _FIRST), _LAST)


def _year(at: int, years: int) -> int:
    """The first instant of the year of `at`, so many years later."""
    return _at(datetime((EPOCH + MICROSECOND * at).year + years, 1, 1, tzinfo=UTC))


ALWAYS: Final = Calendar.always()
