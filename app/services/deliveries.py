"""Deliveries in the hands of people: try one again now."""

from app.errors import Conflict, DeliveryNotFound
from app.store import audit, outbox
from app.store.database import Database
from app.timesource import Now


async def retry(db: Database, now: Now, delivery_id: str, *, by: str) -> None:
    """Make a delivery ready at once: one that waits goes now, one that is dead, expired or superseded gets one more attempt.

    DeliveryNotFound; Conflict when it was delivered already.
    """
    async with db.begin() as conn:
        at = await db.now(conn, now)
        row = await outbox.revive(conn, delivery_id, at)
        if row is None:
            raise DeliveryNotFound(f"There is no delivery {delivery_id}.")
        if row.state == "delivered":
            raise Conflict(f"Delivery {delivery_id} was accepted at {row.delivered_at.isoformat()}; it is not sent again.")
        await audit.record(conn, at, by, "delivery.retried", delivery_id, {"state": row.state})
