"""Reading stored messages again, many at once: after a mapping was repaired, or a map of words was completed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.errors import Unavailable
from app.schemas.instants import rfc3339
from app.services import webhooks
from app.services.configuration import LiveConfig
from app.services.ingest import Ingest
from app.store import audit, inbox
from app.store.database import Database
from app.timesource import Now

AT_ONCE: Final = 64
"""Messages on their way through ingest at a time: they share its transactions, and live webhooks find room between them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: of this source, that came in [since, until) (None: no bound), oldest first, at most `limit`."""

    source: str
    outcome: str = "quarantined"
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of them. `matched`: how many there are beyond any limit; `outcomes`: of those that were read again, by outcome."""

    matched: int
    replayed: int
    outcomes: dict[str, int]
    reasons: dict[str, int]
    """Why they are in quarantine still, the commonest first, at most ten."""


async def replay(ingest: Ingest, db: Database, live: LiveConfig, now: Now, wanted: Wanted, *, dry_run: bool, by: str) -> Replayed:
    """Read messages again by the source as it is configured now. `dry_run`: nothing is stored, only told what would become of them.

    SourceNotFound. What is replayed twice says nothing new the second time.
    """
    webhooks.configured(live, wanted.source)
    async with db.read() as conn:
        matched = await inbox.count_replayable(conn, wanted.source, wanted.outcome, wanted.since, wanted.until)
        ids = await inbox.replayable(conn, wanted.source, wanted.outcome, wanted.since, wanted.until, limit=wanted.limit)
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        for outcome, reason in await (_tried(db, live, some) if dry_run else _replayed(ingest, db, live, some)):
            outcomes[outcome] += 1
            if outcome == "quarantined" and reason:
                reasons[reason] += 1
    done = Replayed(matched, len(ids), dict(outcomes), dict(reasons.most_common(10)))
    if not dry_run:
        await _note(db, now, wanted, done, by)
    return done


async def _replayed(ingest: Ingest, db: Database, live: LiveConfig, ids: Sequence[str]) -> list[tuple[str, str | None]]:
    receipts = await asyncio.gather(*(webhooks.replay(ingest, db, live, message_id) for message_id in ids), return_exceptions=True)
    for receipt in receipts:
        if isinstance(receipt, BaseException) and not isinstance(receipt, Unavailable):
            raise receipt
    told = [("unavailable", None) if isinstance(each, BaseException) else (str(each.outcome), each.reason) for each in receipts]
    if all(outcome == "unavailable" for outcome, _ in told):
        raise Unavailable("The messages could not be stored at the moment.", headers={"Retry-After": "5"})
    return told


async def _tried(db: Database, live: LiveConfig, ids: Sequence[str]) -> list[tuple[str, str | None]]:
    async with db.read() as conn:
        rows = await inbox.some(conn, ids)
    return [webhooks.tried(live, row) for row in rows]


async def _note(db: Database, now: Now, wanted: Wanted, done: Replayed, by: str) -> None:
    detail: dict[str, Any] = {
        "outcome": wanted.outcome,
        "since": rfc3339(wanted.since) if wanted.since else None,
        "until": rfc3339(wanted.until) if wanted.until else None,
        "replayed": done.replayed,
        "outcomes": done.outcomes,
    }
    async with db.begin() as conn:
        await audit.record(conn, now(), by, "inbox.replayed", wanted.source, detail)
