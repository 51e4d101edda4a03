"""Who hears it too when a channel has not accepted in time what it was told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from app.delivery import digests
from app.delivery.routes import Routes
from app.store import folding, outbox
from app.store.database import Connection

_AT_ONCE: Final = 200


async def tell(conn: Connection, routes: Routes, at: datetime) -> None:
    """Tell the fallbacks what is overdue by now, except what they have heard already."""
    said = [
        (told, fallback.channel)
        for row in await outbox.unanswered(conn, at, limit=_AT_ONCE)
        if (fallback := routes.fallbacks.get(row.channel)) is not None and not row.withdrawn
        for told in await _said_by(conn, row, fallback.channel, routes, at)
    ]
    heard = await outbox.hearers(conn, sorted({told.notice_id for told, _ in said})) if said else set()
    made = {(told.notice_id, channel): _told_instead(told, channel, routes, at) for told, channel in said}
    await outbox.add(conn, [], [row for place, row in made.items() if place not in heard])


async def _said_by(conn: Connection, row: Any, channel: str, routes: Routes, at: datetime) -> Sequence[Any]:
    """What the fallback hears for a delivery: the same notice. Of a digest, a channel that hears every notice by itself hears those for
    which it stands, as far as they are still true and no all-clears."""
    config = routes.channels.get(channel)
    if row.type != digests.TYPE or config is None or config.groups:
        return [row]
    return [told for told in await folding.told_by(conn, row.id, at) if routes.fallback_at(row.channel, told.type, at) is not None]


def _told_instead(row: Any, channel: str, routes: Routes, at: datetime) -> dict[str, Any]:
    """The delivery of the same notice to the fallback of its channel."""
    shared = {name: getattr(row, name) for name in ("ticket_id", "clock_id", "breach_id", "escalation_id", "expires_at")}
    effect = f"{row.notice_id}:{channel}:fallback"
    ready_at = routes.ready_at(channel, at, immediate=row.immediate)
    times = {"next_attempt_at": ready_at, "fallback_at": routes.fallback_at(channel, row.type, ready_at), "immediate": row.immediate}
    return outbox.fresh(row.notice_id, row.type, channel, effect, at) | times | shared
