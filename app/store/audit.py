"""The audit log: who did what to what. Written in the transaction of the deed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.ids import new_id
from app.store import bulk
from app.store.database import Connection
from app.store.tables import audit_log


async def record_all(conn: Connection, at: datetime, actor: str, action: str, details: Mapping[str, Mapping[str, Any]]) -> None:
    """Note that `actor` did `action` to several subjects: the details by subject."""
    shared = {"at": at, "actor": actor[:200], "action": action}
    rows = [{"id": new_id("aud"), "subject": subject[:300], "detail": dict(detail), **shared} for subject, detail in details.items()]
    await bulk.write(conn, audit_log, "insert", rows)


async def record(conn: Connection, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """Note that `actor` did `action` (such as `breach.acknowledged`) to `subject` (an id or a name)."""
    await record_all(conn, at, actor, action, {subject: detail or {}})
