"""Forgetting: what the document does not want kept any longer is deleted, in small transactions, by one process an hour."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from app.config.schema import Retention
from app.services.configuration import LiveConfig
from app.store import retention
from app.store.database import Connection, Database
from app.telemetry import metrics
from app.timesource import Now

log = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=1)
BATCH: Final = 500
"""Rows (or tickets, with what belongs to them) in one transaction: nobody waits long behind it."""
_JOB: Final = "retention"

Forget = Callable[[Connection, datetime, str, int], Awaitable[retention.Batch]]


class Sweeper:
    """Called now and then; does something when an hour has begun and nobody else has taken it."""

    def __init__(self, db: Database, live: LiveConfig, now: Now) -> None:
        self._db = db
        self._live = live
        self._now = now
        self._next: datetime | None = None

    async def run(self) -> int:
        """Delete one batch of each kind after the other until nothing old is left; how many rows (tickets) there were."""
        at = self._now()
        if self._next is not None and at < self._next:
            return 0
        hour = at.replace(minute=0, second=0, microsecond=0)
        self._next = hour + EVERY
        wanted = list(_wanted(self._live.current.loaded.retention))
        if not wanted:
            return 0
        async with self._db.begin() as conn:
            if not await retention.claim_run(conn, _JOB, hour, at):
                return 0
        return sum([await self._forget(kind, forget, at - timedelta(seconds=keep)) for kind, forget, keep in wanted])

    async def _forget(self, kind: str, forget: Forget, before: datetime) -> int:
        total, after = 0, ""
        while True:
            async with self._db.begin(aside=True) as conn:
                batch = await forget(conn, before, after, BATCH)
            total += len(batch.ids)
            if batch.after is None:
                break
            after = batch.after
        if total:
            metrics.FORGOTTEN.labels(kind).inc(total)
            log.info("Old rows deleted.", extra={"event": "retention.done", "kind": kind, "count": total})
        return total


def _wanted(keep: Retention) -> Iterator[tuple[str, Forget, int]]:
    """What is to be deleted, in this order, and after how many seconds."""
    kinds: tuple[tuple[str, Forget, int | None], ...] = (
        ("messages", retention.old_messages, keep.messages),
        ("deliveries", retention.old_deliveries, keep.deliveries),
        ("notices", retention.old_notices, keep.deliveries),
        ("tickets", retention.old_tickets, keep.tickets),
        ("audit", retention.old_audit, keep.audit),
    )
    return ((kind, forget, seconds) for kind, forget, seconds in kinds if seconds is not None)
