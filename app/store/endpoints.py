"""How the channels' endpoints do, the same for all processes: since when one fails, its breaker, whether it is disabled.

Whoever changes endpoints and deliveries in one transaction takes the endpoints first, in the order of their names.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from app.store.database import Connection
from app.store.dialect import upsert
from app.store.tables import endpoints


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is known of one channel's endpoint; as made, one that has never failed."""

    channel: str
    failing_since: datetime | None = None
    """The first failure since it last accepted; None: it accepts."""
    failures: int = 0
    """Attempts that failed since then."""
    transport_failures: int = 0
    """Of these, how many in a row without any answer."""
    open_until: datetime | None = None
    """The breaker is open: the next probe may go then. None: closed."""
    last_failed_at: datetime | None = None
    error_class: str | None = None
    detail: str | None = None
    warned: int = 0
    delivered_at: datetime | None = None
    """When it last accepted, to the minute; None: not known."""
    disabled_at: datetime | None = None
    """None: it is in use."""
    disabled_by: str | None = None
    """None: by the service itself."""


_ALL: Final = select(endpoints)


async def known(conn: Connection) -> dict[str, Endpoint]:
    """All endpoints there is something to know of, by channel."""
    return {row.channel: Endpoint(**row._mapping) for row in await conn.execute(_ALL)}


async def lock(conn: Connection, channels: Collection[str]) -> dict[str, Endpoint]:
    """These endpoints, held until the transaction ends; one without a row as it is made."""
    query = select(endpoints).where(endpoints.c.channel.in_(sorted(channels))).order_by(endpoints.c.channel).with_for_update()
    found = {row.channel: Endpoint(**row._mapping) for row in await conn.execute(query)}
    return {channel: found.get(channel) or Endpoint(channel) for channel in sorted(channels)}


async def save(conn: Connection, changed: Iterable[Endpoint]) -> None:
    """Insert or replace endpoints, whole."""
    rows = [asdict(each) for each in sorted(changed, key=lambda each: each.channel)]
    if rows:
        await conn.execute(upsert(conn, endpoints, key=("channel",)), rows)


async def take_probe(conn: Connection, channel: str, at: datetime, until: datetime) -> bool:
    """Whether the caller may make the probe of an open breaker that is due at `at`; the next one is due at `until`. One caller may."""
    due = update(endpoints).where(endpoints.c.channel == channel, endpoints.c.open_until <= at)
    return (await conn.execute(due.values(open_until=until))).rowcount == 1
