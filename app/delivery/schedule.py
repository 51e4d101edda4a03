"""When a delivery is tried again. Pure; `classify` and `retry_after` are the channels' and offered here for the relay."""

from datetime import datetime, timedelta
from typing import Final

from app.channels._answers import classify, retry_after

__all__ = ["JITTER", "SCHEDULE", "classify", "next_attempt_at", "retry_after"]

SCHEDULE: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before attempt 1, 2, 3, ...: about three days in all."""

JITTER: Final = 0.2
"""Each wait grows by up to this part of itself, so that receivers that come back are not hit all at once."""


def next_attempt_at(
    attempt: int, at: datetime, *, outcome_hint: datetime | None, expires_at: datetime | None, jitter: float
) -> datetime | None:
    """When to try again after attempt number `attempt` (1 = the first; 0 = none yet) failed at `at`; None: the delivery is dead.

    Never before the schedule nor before `outcome_hint` (what the receiver asked for; None: nothing). `jitter` in [0, 1) is drawn by the
    caller. With `expires_at` the last wait repeats until then and an attempt past it is not made; without, the
    delivery is dead after as many attempts as the schedule has entries.
    """
    if attempt >= len(SCHEDULE) and expires_at is None:
        return None
    wait = SCHEDULE[min(attempt, len(SCHEDULE) - 1)]
    if outcome_hint is not None:
        wait = max(wait, outcome_hint - at)
    again = at + wait * (1 + JITTER * jitter)
    return again if expires_at is None or again < expires_at else None
