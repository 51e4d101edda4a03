"""Calendars: when a promise runs. Local wall time decides what is open; how long is real elapsed time.

Every instant in is an aware datetime of any zone, every instant out is UTC, everything is exact to the microsecond. How clock changes
are read stands in `app.rules.openings`. Nothing is open before 1970 or after 2209, save on the calendar `always`.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app.rules.business_days import open_day_after, time_within
from app.rules.hours import SECOND, CalendarSpec, LocalDays, Piece, checked_spec, load_zone, microseconds, parse_hours
from app.rules.openings import BEYOND, EPOCH, MICROSECOND, Openings, compile_openings, merged, walk
from app.rules.problems import InvalidTarget, NoWorkingTime

__all__ = ["ALWAYS", "HORIZON", "Calendar", "CalendarSpec", "Span", "parse_hours"]

HORIZON: Final = timedelta(days=5 * 365 + 2)
"""How far from the instant asked about an answer may lie: five years. What is farther is a mistake, not a deadline."""

_HORIZON: Final = HORIZON // MICROSECOND
_FIRST: Final = 0
_LAST: Final = (datetime(2210, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
_NOTHING_YET: Final = Openings(_LAST, _FIRST, ())
_TOO_FAR: Final = "the calendar {} has not that much open time within five years"


@dataclass(frozen=True, slots=True)
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
        since = start - EPOCH
        at = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
        openings = self._openings
        if not (0 < needed <= _HORIZON and openings.lo <= at <= openings.hi - _HORIZON):
            return self._add_rarely(at, needed)
        # Asked for every clock: `Openings.before` and `first_with`, written out, are a third faster than called.
        ends, sums = openings.ends, openings.sums
        index = openings.by_day[since.days - openings.base]
        while ends[index] <= at:
            index += 1
        amount = at + openings.shifts[index]
        if amount < sums[index]:
            amount = sums[index]
        amount += needed
        index += 1 + (sums[index + 1] < amount)  # most targets end in this opening or in the next
        if sums[index] < amount:
            index = bisect_left(sums, amount, index)
        due = amount - openings.shifts[index - 1]
        if due > at + _HORIZON:
            raise NoWorkingTime(_TOO_FAR.format(self.name))
        return EPOCH + MICROSECOND * due

    def _add_rarely(self, at: int, needed: int) -> datetime:
        """The same for everything unusual: zero, too much, a calendar that is always open, years that are not compiled yet."""
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
        begin, stop = _at(start), _at(end)
        if stop <= begin or self._spec.always:
            return max(stop - begin, 0)
        openings = self._openings
        if not (openings.lo <= begin and stop <= openings.hi):
            openings = self._covering(begin, stop)
            begin, stop = _clipped(begin), _clipped(stop)
        return openings.before(stop) - openings.before(begin)

    def open_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The open time in `[start, end)`; zero when `end` is not after `start`."""
        return MICROSECOND * self.open_microseconds_between(start, end)

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


def _at(instant: datetime) -> int:
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def _clipped(at: int) -> int:
    return min(max(at, _FIRST), _LAST)


def _year(at: int, years: int) -> int:
    """The first instant of the year of `at`, so many years later."""
    return _at(datetime((EPOCH + MICROSECOND * at).year + years, 1, 1, tzinfo=UTC))


ALWAYS: Final = Calendar.always()
