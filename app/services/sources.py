"""The configured sources and how they do."""

from datetime import datetime, timedelta
from typing import Any

from app.errors import SourceNotFound
from app.helpdesks import SourceConfig
from app.services.configuration import LiveConfig
from app.services.silence import catch_up, judged, patience
from app.store import reads
from app.store import sources as stored
from app.store.database import Database
from app.store.sources import Job, State
from app.timesource import Now

Row = dict[str, Any]


async def overview(db: Database, live: LiveConfig, now: Now) -> list[Row]:
    """Every configured source, in the order of the document."""
    return await _described(db, dict(live.current.loaded.sources), now())


async def one(db: Database, live: LiveConfig, now: Now, name: str) -> Row:
    """One source. SourceNotFound."""
    config = live.current.loaded.sources.get(name)
    if config is None:
        raise SourceNotFound(f"There is no source {name} in the configuration.")
    return (await _described(db, {name: config}, now()))[0]


async def _described(db: Database, configured: dict[str, SourceConfig], at: datetime) -> list[Row]:
    """As of now, whether or not a worker has looked since."""
    async with db.read() as conn:
        last = await reads.last_received(conn, configured)
        waiting = await reads.quarantined(conn)
        known = await stored.states(conn, configured)
        heard = {name: await catch_up(conn, known.get(name) or State(name, at)) for name in configured}
        jobs = await stored.jobs(conn)
    return [
        _row(config, last.get(name), waiting.get(name, 0), *heard[name], at)
        | {"name": name, "jobs": [_job(job) for job in jobs if job.source == name]}
        for name, config in configured.items()
    ]


def _row(config: SourceConfig, last: datetime | None, quarantined: int, state: State, is_caught_up: bool, at: datetime) -> Row:
    allowed, usual = patience(state, config), state.rhythm.usual_gap
    now = judged(state, config, at) if is_caught_up else state
    return {
        "kind": config.kind,
        "path": f"/v1/sources/{config.name}/webhook",
        "last_received_at": last,
        "received_last_hour": state.rhythm.count(at - timedelta(hours=1)),
        "received_last_day": state.rhythm.count(at - timedelta(days=1)),
        "usual_gap_seconds": _seconds(usual),
        "silent_after_seconds": _seconds(allowed),
        "silent": now.silent_since is not None or (last is None and allowed is not None),
        "silent_since": now.silent_since,
        "quarantined": quarantined,
    }


def _job(job: Job) -> Row:
    return {
        "job": job.job,
        "progress": job.progress,
        "updated_at": job.updated_at,
        "finished_at": job.finished_at,
        "next_at": job.next_at,
        "error": job.error,
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
