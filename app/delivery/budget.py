"""How many requests a helpdesk's API is asked a minute, so that a storm of breaches leaves its limit to those who work there. No I/O.

A bucket fills at the source's rate and holds what it may take at once. A write-back starts when there is anything in it and may overdraw it
by its own requests; the next ones wait. Those that have to wait get moments one after another, so they do not all come back at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BURST_SECONDS: Final = 10.0
"""What the bucket holds: as much as flows in within this time,"""
BURST_LEAST: Final = 4.0
"""and at least this many requests, about what one write-back needs."""
_SMOOTHING: Final = 0.2


@dataclass(slots=True)
class Budget:
    """The bucket of one source. It begins full."""

    per_minute: float
    filled_at: datetime
    level: float
    cost: float = 3.0
    """Requests that a write-back takes, smoothed."""
    slot: datetime | None = None
    """The last moment that was given to one that had to wait."""
    closed_until: datetime | None = None
    """The helpdesk has asked for patience."""

    @classmethod
    def full(cls, per_minute: float, at: datetime) -> "Budget":
        """A bucket that nothing was taken from yet."""
        return cls(per_minute, at, _capacity(per_minute))

    def wait_until(self, at: datetime) -> datetime | None:
        """When a write-back may go that wants to go at `at`; None: now. Each call that has to wait is given a moment of its own."""
        self._fill(at)
        if self.closed_until is not None and self.closed_until > at:
            return self._next_slot(self.closed_until)
        if self.level > 0:
            return None
        return self._next_slot(at + self._seconds(1 - self.level))

    def spend(self, requests: float, at: datetime) -> None:
        """So many requests are made."""
        self._fill(at)
        self.level -= requests

    def made(self, requests: float) -> None:
        """A write-back has taken so many requests in all."""
        self.cost += _SMOOTHING * (requests - self.cost)

    def close(self, until: datetime) -> None:
        """No request before `until`."""
        self.closed_until = until if self.closed_until is None else max(until, self.closed_until)

    def _fill(self, at: datetime) -> None:
        passed = max(0.0, (at - self.filled_at).total_seconds())
        self.level = min(_capacity(self.per_minute), self.level + passed * self.per_minute / 60)
        self.filled_at = max(at, self.filled_at)

    def _next_slot(self, earliest: datetime) -> datetime:
        after = earliest if self.slot is None else self.slot + self._seconds(self.cost)
        self.slot = max(earliest, after)
        return self.slot

    def _seconds(self, requests: float) -> timedelta:
        return timedelta(seconds=requests * 60 / self.per_minute)


def _capacity(per_minute: float) -> float:
    return max(BURST_LEAST, per_minute * BURST_SECONDS / 60)
