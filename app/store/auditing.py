"""What the auditor asks: plain questions to the database, by no code that the loops go by."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from app.store.database import Connection
from app.store.types import from_microseconds, to_microseconds

_CLOCKS = text("SELECT min(next_check_at) FROM clocks WHERE next_check_at IS NOT NULL")
_RUNS = text("SELECT min(next_step_at) FROM escalations WHERE next_step_at IS NOT NULL")
_DELIVERIES = text("""
    WITH RECURSIVE names(channel) AS (
        SELECT min(channel) FROM deliveries WHERE next_attempt_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(d.channel) FROM deliveries d WHERE d.next_attempt_at IS NOT NULL AND d.channel > names.channel)
        FROM names WHERE names.channel IS NOT NULL
    ), ready(channel, since) AS (
        SELECT channel, (SELECT min(d.next_attempt_at) FROM deliveries d WHERE d.channel = names.channel AND d.next_attempt_at IS NOT NULL)
        FROM names WHERE channel IS NOT NULL
    )
    SELECT min(since) FROM ready
    WHERE since <= :at
        AND NOT EXISTS (
            SELECT 1 FROM endpoints e WHERE e.channel = ready.channel AND (e.disabled_at IS NOT NULL OR e.open_until IS NOT NULL)
        )
        AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.channel = ready.channel AND d.next_attempt_at > :at AND d.leased_until > :at)
""")


@dataclass(frozen=True, slots=True)
class Overdue:
    """Since when something should have been done that is not, in UTC; None: it is not."""

    clock: datetime | None
    """The longest due clock that nobody has judged."""
    run: datetime | None
    """The longest due rung of an escalation."""
    delivery: datetime | None
    """The longest ready delivery that nobody has in hand, of channels that nobody is sending to and that are not left alone on purpose."""


async def overdue(conn: Connection, at: datetime) -> Overdue:
    """What is overdue at this instant."""
    clock = (await conn.execute(_CLOCKS)).scalar()
    run = (await conn.execute(_RUNS)).scalar()
    delivery = (await conn.execute(_DELIVERIES, {"at": to_microseconds(at)})).scalar()
    return Overdue(_past(clock, at), _past(run, at), _past(delivery, at))


def _past(value: int | None, at: datetime) -> datetime | None:
    found = None if value is None else from_microseconds(value)
    return found if found is not None and found < at else None
