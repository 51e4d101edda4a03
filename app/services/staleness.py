"""Breaches of sources that are silent: marked, because what was done about them may not be known."""

from dataclasses import replace
from datetime import datetime

from app.services.consequences import Consequences
from app.store import sources
from app.store.database import Connection


async def mark(conn: Connection, found: Consequences, at: datetime) -> None:
    """Mark the breaches that are recorded at `at` while their source is silent, in their rows and in what is said of them."""
    fresh = [row for row in found.breach_rows if row["detected_at"] == at]
    silent = await sources.silent(conn) if fresh else set()
    if not silent:
        return
    for row in fresh:
        row["source_stale"] = row["source"] in silent
    found.sayings = [
        replace(saying, source_stale=True) if saying.breach_id is not None and saying.ticket.source in silent else saying
        for saying in found.sayings
    ]
