"""How often a source speaks, learned from what arrives, and how long it may say nothing before that is alarming.

It knows nothing of business hours: nights and weekends are gaps like others, and the longest gap of late is what keeps them quiet. So it
is slow for a source that sleeps at night; a source that should be missed sooner says so itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

TIMES: Final = 20
"""So many usual gaps without a word are alarming, unless longer gaps were seen of late."""
LONGEST_TIMES: Final = 1.25
"""So many times the longest gap of late are alarming whatever is usual."""
FLOOR: Final = timedelta(minutes=15)
"""Nothing shorter is alarming by itself."""
LEARNED_FROM: Final = 50
"""Fewer gaps say nothing."""
LEARNED_AFTER: Final = timedelta(days=7)
"""A week has to be seen, with its weekend."""
_WEIGHT: Final = 1 / 50
"""Of the newest gap in the usual one."""
_HALF_LIFE: Final = timedelta(days=14)
"""After so long a long gap counts half."""
_STEP: Final = 300
"""Seconds of a step in which arrivals are counted."""
_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Rhythm:
    """What is known of the arrivals of one source; as made, nothing."""

    first_at: datetime | None = None
    last_at: datetime | None = None
    gaps: int = 0
    usual: float = 0.0
    """Seconds between two arrivals, exponentially weighted; nothing before the first gap."""
    longest: float = 0.0
    """Seconds of the longest gap; it fades."""
    steps: tuple[tuple[int, int], ...] = ()
    """(beginning in seconds since 1970, arrivals) of each step of five minutes of the last day in which there were any, oldest first."""

    def hear(self, instants: Iterable[datetime]) -> "Rhythm":
        """After these arrivals, in whatever order they are told; one that lies before the last is counted, but is no gap."""
        first, last, gaps, usual, longest = self.first_at, self.last_at, self.gaps, self.usual, self.longest
        steps = dict(self.steps)
        for at in sorted(instants):
            begin = int(at.timestamp()) // _STEP * _STEP
            steps[begin] = steps.get(begin, 0) + 1
            if last is not None and at > last:
                gap = (at - last).total_seconds()
                usual = gap if not gaps else usual + (gap - usual) * _WEIGHT
                longest = max(gap, longest * 0.5 ** (gap / _HALF_LIFE.total_seconds()))
                gaps += 1
            first, last = first or at, at if last is None else max(at, last)
        since = 0 if last is None else int((last - _KEPT).timestamp()) - _STEP
        kept = tuple(sorted((begin, count) for begin, count in steps.items() if begin > since))
        return Rhythm(first, last, gaps, usual, longest, kept)

    def count(self, since: datetime) -> int:
        """Arrivals since an instant of the last day, to the step of five minutes it lies in."""
        return sum(count for begin, count in self.steps if datetime.fromtimestamp(begin + _STEP, UTC) > since)

    @property
    def usual_gap(self) -> timedelta | None:
        """What is usual between two arrivals; None before there were enough."""
        return timedelta(seconds=self.usual) if self.gaps >= LEARNED_FROM else None

    @property
    def patience(self) -> timedelta | None:
        """For how long it may say nothing; None while that is not known."""
        usual, first, last = self.usual_gap, self.first_at, self.last_at
        if usual is None or first is None or last is None or last - first < LEARNED_AFTER:
            return None
        return max(TIMES * usual, timedelta(seconds=LONGEST_TIMES * self.longest), FLOOR)
