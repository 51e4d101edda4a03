"""Whether this process should get traffic."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from app.errors import SlaError
from app.services.auditor import Auditor
from app.store import migrations
from app.store.database import Database
from app.telemetry import metrics

MAX_LAG: Final = 30.0
"""Seconds that detection may be behind before a worker is not ready."""

Name = Literal["database", "migrations", "configuration", "detection", "clocks", "escalations", "deliveries"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, and what was found."""

    name: Name
    ok: bool
    detail: str


async def checks(db: Database, url: str, *, detects: bool, since_detection: float | None, auditor: Auditor | None = None) -> list[Check]:
    """All checks. `detects`: this process runs detection too, and `since_detection` is how many seconds ago it last did (None: not yet).
    `auditor` says what is due and not done; that, too, counts against a process that detects only.

    Answers within a few seconds, whatever is broken.
    """
    found = [await _database(db)]
    if found[0].ok:
        found.append(await _migrations(url))
    found.append(_configuration())
    if not detects:
        return found
    lags = await auditor.lags() if auditor is not None and found[0].ok else []
    return [*found, _detection(since_detection), *(Check(lag.name, lag.ok, lag.detail) for lag in lags if lag.name != "detection")]


async def _database(db: Database) -> Check:
    try:
        await db.ping()
    except SlaError as error:
        return Check("database", False, error.detail)
    return Check("database", True, "answers")


async def _migrations(url: str) -> Check:
    try:
        async with asyncio.timeout(5):
            behind = await asyncio.to_thread(migrations.is_behind, url)
    except (SlaError, TimeoutError) as error:
        return Check("migrations", False, str(error) or "no answer in time")
    return Check("migrations", not behind, "run `slawatch migrate`" if behind else "at the head")


def _configuration() -> Check:
    ok = metrics.value("slawatch_config_last_reload_successful") == 1
    return Check("configuration", ok, "the newest revision is in force" if ok else "the newest revision could not be loaded")


def _detection(since: float | None) -> Check:
    """Behind is who has due clocks it has not judged, and who has not looked for a while."""
    if since is None:
        return Check("detection", False, "has not run yet")
    lag = max(since, metrics.value("slawatch_evaluation_lag_seconds") or 0.0)
    return Check("detection", lag <= MAX_LAG, f"{lag:.3f} seconds behind")
