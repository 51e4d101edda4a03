"""A clock that only tests move."""

from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning outside of any summer time."""


class FakeClock:
    """A `Now` that stands still until it is set or advanced."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> datetime:
        """Go to an aware instant, backwards too; returns it in UTC."""
        assert at.tzinfo is not None, "every instant is aware"
        self._at = at.astimezone(UTC)
        return self._at

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Go on by so much; returns the new present."""
        return self.set(self._at + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
