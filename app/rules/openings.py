"""Wall time becomes real time here, and nowhere else.

**Gaps and folds.** The clock on the wall decides, always: an instant is open exactly when the local time shown at that instant lies
inside an opening interval of the local date shown. Everything follows from that one sentence:

* An opening or closing inside a gap (clocks go forward) happens at the jump. 02:30-06:00 opens the instant 02:00 becomes 03:00; an
  interval that lies wholly inside the gap does not exist that day; a 0-24 day has 23 h.
* A repeated hour (clocks go back) is open both times or closed both times. A 0-24 day has 25 h; 01:00-04:00 around a repeated
  02:00-03:00 has 4 h; 22:00-02:00 closes when 02:00 first shows. An edge strictly inside the repeated hour is passed twice:
  02:30-06:00 opens at the first 02:30, closes again when 03:00 becomes 02:00, and opens for good at the second 02:30.
* A date that a zone skips has no open time; a jump at midnight needs no rule of its own.

All numbers here are microseconds since 1970-01-01T00:00Z, all spans half-open.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from app.rules.hours import DAY, SECOND, Piece

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BEYOND = 1 << 60
"""An instant after everything (about the year 38500)."""

_FAR = datetime(9000, 1, 1, tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

PiecesOn = Callable[[date], Iterable[Piece]]
"""The pieces of a local date, in microseconds of the wall clock, in order."""


def offsets(zone: ZoneInfo, start: int, end: int) -> list[tuple[int, int, int]]:
    """The stretches of `[start, end)` with one UTC offset each, in order: (from, to, offset). Assumes no two changes within a day."""
    found = []
    since, offset = start, _offset_at(zone, start)
    probes = [*range(start, end, DAY), end]
    for before, probe in pairwise(probes):
        if _offset_at(zone, probe) != offset:
            change = _change(zone, before, probe, offset)
            if change < end:
                found.append((since, change, offset))
                since, offset = change, _offset_at(zone, change)
    found.append((since, end, offset))
    return found


def _offset_at(zone: ZoneInfo, at: int) -> int:
    offset = (EPOCH + MICROSECOND * at).astimezone(zone).utcoffset() or timedelta()
    return offset // MICROSECOND


def _change(zone: ZoneInfo, after: int, until: int, offset: int) -> int:
    """The first whole second in `(after, until]` at which the zone's offset is no longer `offset`."""
    seconds = range(after // SECOND + 1, until // SECOND + 1)
    return seconds[bisect_left(seconds, True, key=lambda second: _offset_at(zone, second * SECOND) != offset)] * SECOND


def first_showing(zone: ZoneInfo, day: date, wall: int) -> int:
    """The first instant at which clocks show `wall` (microseconds of the local `day`); in a gap: the jump."""
    shown = (day.toordinal() - _EPOCH_ORDINAL) * DAY + wall
    stretches = offsets(zone, shown - DAY, shown + DAY)
    since, _, offset = next(stretch for stretch in stretches if shown < stretch[1] + stretch[2])
    return max(shown - offset, since)


def spans_on(zone: ZoneInfo, pieces_on: PiecesOn, day: date) -> list[Piece]:
    """The real time of the pieces of one local date, in order; empty where the zone has no such date."""
    midnight = (day.toordinal() - _EPOCH_ORDINAL) * DAY
    return merged(walk(zone, lambda other: pieces_on(day) if other == day else (), midnight - DAY, midnight + 2 * DAY))


def walk(zone: ZoneInfo, pieces_on: PiecesOn, start: int, end: int) -> Iterator[Piece]:
    """The real time of every piece of every local day in `[start, end)`, in order, clipped to it, empty ones left out."""
    for since, until, offset in offsets(zone, start, end):
        for number in range((since + offset) // DAY, (until + offset - 1) // DAY + 1):
            midnight = number * DAY - offset
            for opens, closes, why in pieces_on(date.fromordinal(_EPOCH_ORDINAL + number)):
                piece_from = max(midnight + opens, since)
                piece_to = min(midnight + closes, until)
                if piece_from < piece_to:
                    yield piece_from, piece_to, why


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, with neighbours of one kind that touch made one (24:00 and 00:00 of the next day)."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1][1] == piece[0] and joined[-1][2] == piece[2]:
            joined[-1] = (joined[-1][0], piece[1], piece[2])
        else:
            joined.append(piece)
    return joined


class Openings:
    """The open spans of `[lo, hi)` (two midnights), compiled: sorted arrays and running sums, answered by a look at the day and by bisect.

    Never changed once built, so it may be read from any thread. One more span stands behind the last, at `BEYOND`: whoever lands in it
    has run out of open time, and no search falls off the end. What is asked all day long finds the arrays as instants and spans of time
    too: to add and compare these is several times as quick as to turn them into numbers and back.
    """

    __slots__ = ("base", "by_day", "closes", "days", "ends", "given", "hi", "lo", "opens", "shifts", "starts", "sums")

    def __init__(self, lo: int, hi: int, spans: Sequence[Piece]) -> None:
        self.lo, self.hi = lo, hi
        self.starts = [*(span[0] for span in spans), BEYOND]
        self.ends = [*(span[1] for span in spans), 2 * BEYOND]
        self.sums = [0, *accumulate(end - start for start, end in zip(self.starts, self.ends, strict=True))]
        """Open time before each span; the last one is behind them all."""
        self.shifts = [open_before - start for open_before, start in zip(self.sums, self.starts, strict=False)]
        """What turns an instant inside a span into the open time before it."""
        self.opens = [*(EPOCH + MICROSECOND * span[0] for span in spans), _FAR]
        self.closes = [*(EPOCH + MICROSECOND * span[1] for span in spans), _END]
        self.given = [MICROSECOND * open_before for open_before in self.sums]
        """`starts`, `ends` and `sums` as instants and as spans of time."""
        self.base, self.days = lo // DAY, (hi - lo) // DAY
        self.by_day = self._first_ends()

    def _first_ends(self) -> list[int]:
        """For each UTC day of the window, the index of the first span that ends after its midnight."""
        found, index = [], 0
        for midnight in range(self.base * DAY, self.hi + 1, DAY):
            while self.ends[index] <= midnight:
                index += 1
            found.append(index)
        return found

    def index_at(self, at: int) -> int:
        """The first span that ends after `at`, which must lie in `[lo, hi]`."""
        index = self.by_day[at // DAY - self.base]
        while self.ends[index] <= at:
            index += 1
        return index

    def given_before(self, at: datetime, day: int) -> timedelta:
        """How much is open before an instant of the day that has this number in `by_day`."""
        index = self.by_day[day]
        while self.closes[index] <= at:
            index += 1
        opens, given = self.opens[index], self.given[index]
        return given + (at - opens) if at > opens else given

    def further(self, index: int, due: datetime) -> datetime:
        """The instant that has as much open time before it as `due` (after a closing) would have, had that opening not closed."""
        given = self.given
        amount = given[index] + (due - self.opens[index])
        index += 1
        if given[index + 1] < amount:  # most targets end in the next opening
            index = bisect_left(given, amount, index + 1) - 1
        return self.opens[index] + (amount - given[index])

    def before(self, at: int) -> int:
        """How much of `[lo, at)` is open."""
        index = self.index_at(at)
        return max(at + self.shifts[index], self.sums[index])

    def first_with(self, amount: int) -> int:
        """The first instant with `amount` (> 0) of open time before it: the closing, where the last such is an opening."""
        return amount - self.shifts[bisect_left(self.sums, amount) - 1]

    def last_with(self, amount: int) -> int:
        """The last instant with exactly `amount` (>= 0) of open time before it: the opening, where the first such is a closing."""
        return amount - self.shifts[bisect_right(self.sums, amount) - 1]


def compile_openings(zone: ZoneInfo, open_on: PiecesOn, lo: int, hi: int) -> Openings:
    """The open spans of `[lo, hi)`, where `open_on` names the open pieces of a local date."""
    return Openings(lo, hi, merged(walk(zone, open_on, lo, hi)))
