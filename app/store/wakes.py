"""Waking escalations whose rungs reach nobody: they look at once, and do not wait for their time."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, case, literal, select, update

from app.store.database import Connection
from app.store.dialect import among
from app.store.tables import deliveries, escalations
from app.store.types import UtcDateTime


async def wake(conn: Connection, delivery_ids: Collection[str], at: datetime) -> None:
    """These deliveries were given up, and what they told if they are digests: have the escalations behind them look whether the rung that
    spoke last reached anybody."""
    if delivery_ids:
        in_digests = among(deliveries.c.waits_for, delivery_ids) & (deliveries.c.state == "suppressed")
        await _wake(conn, among(deliveries.c.id, delivery_ids) | in_digests, at)


async def wake_held(conn: Connection, channel: str, at: datetime) -> None:
    """What waits for this channel is held: the same for the escalations of all that is."""
    await _wake(conn, (deliveries.c.channel == channel) & (deliveries.c.state == "paused"), at)


async def _wake(conn: Connection, which: ColumnElement[bool], at: datetime) -> None:
    theirs = select(deliveries.c.escalation_id).where(which, deliveries.c.escalation_id.is_not(None))
    is_moving = escalations.c.state.in_(("pending", "active")) & escalations.c.paused.is_(False)  # others look when they go on
    soon = case((is_moving, literal(at, UtcDateTime())), else_=escalations.c.next_step_at)
    statement = update(escalations).where(escalations.c.id.in_(theirs), escalations.c.closed_at.is_(None))
    await conn.execute(statement.values(woken=True, next_step_at=soon))
