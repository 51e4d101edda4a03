"""Write-backs among the deliveries: which clocks have their note, and taking back what is not wanted any more."""

from collections.abc import Collection

from sqlalchemy import select

from app.helpdesks.writing import TYPE
from app.store import outbox
from app.store.database import Connection
from app.store.dialect import among
from app.store.tables import deliveries, notices

NOTE = "with note"
"""What the milestone of an order that holds a note ends with."""


async def noted(conn: Connection, clock_ids: Collection[str], escalation_ids: Collection[str]) -> set[str]:
    """Of some clocks, and of escalations that have none, the ids of those whose note is written, or on its way there."""
    found: set[str] = set()
    for column, ids in ((deliveries.c.clock_id, clock_ids), (deliveries.c.escalation_id, escalation_ids)):
        if ids:
            query = select(column).join(notices, notices.c.id == deliveries.c.notice_id)
            which = (among(column, ids), deliveries.c.type == TYPE, notices.c.milestone.endswith(NOTE))
            alive = deliveries.c.state.in_([outbox.PENDING, outbox.PAUSED, "delivered"])
            found |= set((await conn.execute(query.where(*which, alive))).scalars())
    return found


async def take_back(conn: Connection, escalation_ids: Collection[str]) -> int:
    """Take back what some runs wanted written and is not yet; how many."""
    if not escalation_ids:
        return 0
    which = (among(deliveries.c.escalation_id, escalation_ids), deliveries.c.type == TYPE)
    return len(await outbox.take_back(conn, *which))
