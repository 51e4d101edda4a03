"""Where the present comes from. Nobody else asks the operating system for the time of day.

`Now` is handed down and read once per unit of work, so tests can move time and a transaction has one moment.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]
"""Returns the present as an aware instant in UTC."""


def utc_now() -> datetime:
    """The present of this machine, aware, in UTC."""
    return datetime.now(UTC)
