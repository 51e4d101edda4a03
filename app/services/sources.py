"""The configured sources and how they do."""

from datetime import datetime
from typing import Any

from app.errors import SourceNotFound
from app.helpdesks import SourceConfig
from app.rules.durations import parse_duration
from app.services.configuration import LiveConfig
from app.store import reads
from app.store.database import Database
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


async def _described(db: Database, sources: dict[str, SourceConfig], at: datetime) -> list[Row]:
    async with db.read() as conn:
        last = await reads.last_received(conn, sources)
        waiting = await reads.quarantined(conn)
    return [_row(name, config, last.get(name), waiting.get(name, 0), at) for name, config in sources.items()]


def _row(name: str, config: SourceConfig, last: datetime | None, quarantined: int, at: datetime) -> Row:
    patience = None if config.silent_after is None else parse_duration(config.silent_after, days_allowed=True)
    return {
        "name": name,
        "kind": config.kind,
        "path": f"/v1/sources/{name}/webhook",
        "last_received_at": last,
        "silent_after_seconds": patience,
        "silent": patience is not None and (last is None or (at - last).total_seconds() > patience),
        "quarantined": quarantined,
    }
