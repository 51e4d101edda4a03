"""Detection: the clocks whose instant has come are judged at this moment, and what is due fires."""

from dataclasses import dataclass
from datetime import datetime

from app.services.configuration import LiveConfig
from app.services.judge import judge
from app.store import clocks, tickets
from app.store.database import Database
from app.telemetry import metrics
from app.timesource import Now

BATCH = 500
"""Tickets in one transaction."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of detection. `more`: there is or may be more due right now. `next_check_at`: the nearest instant after it; None = none."""

    tickets: int
    breaches: int
    deliveries: int
    more: bool
    next_check_at: datetime | None


async def fire_due(db: Database, live: LiveConfig, now: Now, *, limit: int = BATCH) -> Pass:
    """Judge the tickets that own the longest due clocks; warnings and breaches and their notices commit together.

    Tickets that somebody else holds are left to their holder. A ticket that cannot be judged is pushed ahead a minute.
    """
    async with db.begin() as conn:
        at = await db.now(conn, now)
        due = await clocks.due_tickets(conn, at, limit=limit)
        due += await tickets.dated(conn, at, limit=max(0, limit - len(due)))
        held = await tickets.lock_ids(conn, due, skip_locked=True) if due else []
        judged = await judge(conn, held, live.current, at, tolerant=True) if held else None
        nearest = await clocks.next_check_at(conn)
    metrics.EVALUATION_LAG.set(max(0.0, (at - nearest).total_seconds()) if nearest is not None else 0)
    return Pass(
        tickets=len(held),
        breaches=judged.breaches if judged else 0,
        deliveries=judged.deliveries if judged else 0,
        more=bool(held) and nearest is not None and nearest <= at,
        next_check_at=nearest,
    )


async def rejudge_stale(db: Database, live: LiveConfig, now: Now, *, limit: int = BATCH) -> int:
    """Judge tickets that were last judged by an older revision of the document. How many were; one that cannot be is none of them."""
    current = live.current
    async with db.begin() as conn:
        at = await db.now(conn, now)
        ids = await tickets.stale(conn, current.revision, limit=limit)
        held = await tickets.lock_ids(conn, ids, skip_locked=True) if ids else []
        return (await judge(conn, held, current, at, tolerant=True)).tickets if held else 0
