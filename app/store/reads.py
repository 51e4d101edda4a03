"""What the API asks beyond lists: single rows, counts, and conditions that come from the address."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, select

from app.rules.timeline import Timeline
from app.store import timeline_codec
from app.store.database import Connection
from app.store.listings import BREACHES, CLOCKS, DELIVERIES, ESCALATIONS, INBOX, SILENCES, TICKETS, ticket_is
from app.store.lists import Row, read_one
from app.store.tables import attempts, breaches, clocks, deliveries, escalations, events, inbox, silences, tickets
from app.store.tickets import RAW_TIMELINE

Conditions = tuple[ColumnElement[bool], ...]


def events_of(ticket_id: str) -> Conditions:
    """Events of one ticket."""
    return (events.c.ticket_id == ticket_id,)


def clocks_of(ticket_id: str) -> Conditions:
    """Clocks of one ticket."""
    return (clocks.c.ticket_id == ticket_id,)


async def ticket(conn: Connection, reference: str) -> Row | None:
    """The ticket of our id or `source:external`."""
    return await read_one(conn, TICKETS, ticket_is(tickets.c.id, reference))


async def timeline(conn: Connection, ticket_id: str) -> Timeline:
    """All events of a ticket, by our id. An empty timeline when there is no such ticket."""
    row = (await conn.execute(select(RAW_TIMELINE, tickets.c.source, tickets.c.external_id).where(tickets.c.id == ticket_id))).first()
    return timeline_codec.load(*row) if row is not None else Timeline()


async def clock(conn: Connection, clock_id: str) -> Row | None:
    """One clock."""
    return await read_one(conn, CLOCKS, clocks.c.id == clock_id)


async def breach(conn: Connection, breach_id: str) -> Row | None:
    """One breach, with its evidence."""
    row = await read_one(conn, BREACHES, breaches.c.id == breach_id)
    if row is not None:
        row["evidence"] = (await conn.execute(select(breaches.c.evidence).where(breaches.c.id == breach_id))).scalar_one()
    return row


async def deliveries_of(conn: Connection, breach_id: str, *, limit: int) -> list[Row]:
    """The first `limit` deliveries about a breach, oldest first."""
    columns = [column.label(name) for name, column in DELIVERIES.columns.items()]
    query = select(*columns).where(deliveries.c.breach_id == breach_id).order_by(deliveries.c.id).limit(limit)
    return [dict(row) for row in (await conn.execute(query)).mappings()]


async def escalation(conn: Connection, escalation_id: str) -> Row | None:
    """One escalation."""
    return await read_one(conn, ESCALATIONS, escalations.c.id == escalation_id)


async def deliveries_of_escalation(conn: Connection, escalation_id: str, *, limit: int) -> list[Row]:
    """The first `limit` deliveries by which rungs of an escalation spoke, oldest first."""
    columns = [column.label(name) for name, column in DELIVERIES.columns.items()]
    query = select(*columns).where(deliveries.c.escalation_id == escalation_id).order_by(deliveries.c.id).limit(limit)
    return [dict(row) for row in (await conn.execute(query)).mappings()]


async def delivery(conn: Connection, delivery_id: str) -> Row | None:
    """One delivery."""
    return await read_one(conn, DELIVERIES, deliveries.c.id == delivery_id)


async def silence(conn: Connection, silence_id: str) -> Row | None:
    """One silence."""
    return await read_one(conn, SILENCES, silences.c.id == silence_id)


async def attempts_of(conn: Connection, delivery_id: str) -> Sequence[RowMapping]:
    """Every try of a delivery, first to last."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    return (await conn.execute(query)).mappings().all()


async def message(conn: Connection, message_id: str) -> Row | None:
    """One message of the inbox, with its headers and raw body."""
    row = await read_one(conn, INBOX, inbox.c.id == message_id)
    if row is not None:
        extra = (await conn.execute(select(inbox.c.headers, inbox.c.body).where(inbox.c.id == message_id))).one()
        row |= {"headers": extra.headers, "body": extra.body}
    return row


async def last_received(conn: Connection, sources: Iterable[str]) -> dict[str, datetime]:
    """When each source last sent something; a source that never did is left out."""
    found: dict[str, datetime] = {}
    for source in sources:
        query = (
            select(inbox.c.received_at)
            .where(inbox.c.source == source, inbox.c.via.in_(("webhook", "events")))
            .order_by(inbox.c.id.desc())
            .limit(1)
        )
        at = (await conn.execute(query)).scalar_one_or_none()
        if at is not None:
            found[source] = at
    return found


async def quarantined(conn: Connection) -> dict[str, int]:
    """How many messages of each source wait in quarantine."""
    query = select(inbox.c.source, func.count()).where(inbox.c.outcome == "quarantined").group_by(inbox.c.source)
    return {row[0]: row[1] for row in await conn.execute(query)}
