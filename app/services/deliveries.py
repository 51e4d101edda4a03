"""Deliveries in the hands of people: try one again now, make good what a channel has missed."""

from datetime import datetime

from app.errors import Conflict, DeliveryNotFound
from app.schemas.instants import rfc3339
from app.store import audit, endpoints, outbox
from app.store.database import Connection, Database
from app.timesource import Now


async def retry(db: Database, now: Now, delivery_id: str, *, by: str) -> None:
    """Make a delivery ready at once: one that waits goes now, one that has ended unaccepted or is held begins its schedule anew.

    DeliveryNotFound; Conflict when it was accepted already, is on its way at this moment, or its channel is disabled.
    """
    async with db.begin() as conn:
        at = await db.now(conn, now)
        row = await outbox.revive(conn, delivery_id, at)
        if row is None:
            raise DeliveryNotFound(f"There is no delivery {delivery_id}.")
        if row.state == "delivered":
            raise Conflict(f"Delivery {delivery_id} was accepted at {rfc3339(row.delivered_at)}; it is not sent again.")
        if outbox.is_on_its_way(row, at):
            raise Conflict(f"Delivery {delivery_id} is on its way at this moment; what came of it is known at {rfc3339(row.leased_until)}.")
        await _require_enabled(conn, row.channel)
        await audit.record(conn, at, by, "delivery.retried", delivery_id, {"state": row.state})


async def recover(
    db: Database,
    now: Now,
    channel: str,
    *,
    since: datetime | None,
    until: datetime | None,
    only_missing: bool,
    dry_run: bool,
    by: str,
) -> int:
    """Replay what a channel has missed, behind its live traffic; how many deliveries. With `dry_run` nothing is changed.

    What was made in [since, until) (None: no bound) and is held or dead; without `only_missing` also what the channel had accepted: sent
    again under the same ids. What has expired stays so. Conflict when the channel is disabled.
    """
    async with db.begin(aside=True) as conn:
        at = await db.now(conn, now)
        if dry_run:
            return await outbox.count_replayable(conn, channel, at, since=since, until=until, only_missing=only_missing)
        await _require_enabled(conn, channel)
        count = await outbox.replay(conn, channel, at, since=since, until=until, only_missing=only_missing)
        detail = {
            "since": rfc3339(since) if since else None,
            "until": rfc3339(until) if until else None,
            "only_missing": only_missing,
            "deliveries": count,
        }
        await audit.record(conn, at, by, "deliveries.recovered", channel, detail)
    return count


async def _require_enabled(conn: Connection, channel: str) -> None:
    endpoint = (await endpoints.known(conn)).get(channel)
    if endpoint is not None and endpoint.disabled_at is not None:
        raise Conflict(f"The channel {channel} is disabled since {rfc3339(endpoint.disabled_at)}; enable it first.")
