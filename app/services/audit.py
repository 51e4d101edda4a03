"""Noting a deed whose own transaction has no place for it."""

from collections.abc import Mapping
from typing import Any

from app.services.keys import Caller
from app.store import audit
from app.store.database import Database
from app.timesource import Now


async def note(db: Database, now: Now, caller: Caller, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """Note in the audit log that `caller` did `action` to `subject`."""
    async with db.begin() as conn:
        await audit.record(conn, now(), caller.name, action, subject, detail)
