"""Somebody says: I have seen this breach and take care of it."""

from app.errors import BreachNotFound, Conflict
from app.store import acknowledgements, audit, outbox
from app.store.database import Database
from app.timesource import Now


async def acknowledge(db: Database, now: Now, breach_id: str, *, by: str, note: str | None) -> None:
    """Acknowledge a breach; the first one counts, later ones change nothing. What was not sent of it yet need not be: somebody
    knows. BreachNotFound; Conflict when it was retracted."""
    async with db.begin() as conn:
        breach = await acknowledgements.lock(conn, breach_id)
        if breach is None:
            raise BreachNotFound(f"No breach has the id {breach_id}.")
        if breach["acknowledged_at"] is not None:
            return
        if breach["status"] == "retracted":
            raise Conflict("The breach was retracted: the promise was kept after all.")
        at = await db.now(conn, now)
        await acknowledgements.save(conn, breach_id, at=at, by=by, note=note)
        await outbox.supersede(conn, types=("sla.breached",), clock_ids=[breach["clock_id"]])
        await audit.record(conn, at, by, "breach.acknowledged", breach_id, {"note": note} if note else {})
