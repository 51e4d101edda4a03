"""Somebody says: I have seen this and take care of it. That stops the ladder for a while, never the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.errors import BreachNotFound, Conflict, Gone
from app.rules.escalation_log import Entry
from app.services import links
from app.services.configuration import LiveConfig
from app.services.escalations import Change, change_of, changing
from app.services.judge import write
from app.services.links import KEY_NAME, Link
from app.store import acknowledgements, audit, escalations, outbox, reads
from app.store.database import Connection, Database
from app.store.escalations import Stored
from app.timesource import Now

BY_LINK = "somebody with the link"

LinkState = Literal["open", "used", "expired", "closed"]


async def acknowledge(
    db: Database, live: LiveConfig, now: Now, breach_id: str, *, by: str, note: str | None, span: timedelta | None = None
) -> None:
    """Acknowledge a breach, and its escalation with it.

    Of the breach the first one counts and later ones change nothing; of the escalation each one holds for `span` from now (None: as long
    as its ladder says). What was not sent yet need not be: somebody knows. BreachNotFound; Conflict when it was retracted.
    """
    async with db.begin() as conn:
        at = await db.now(conn, now)
        await _acknowledge_breach(conn, at, breach_id, by=by, note=note)
        for escalation_id in await escalations.open_of_breach(conn, breach_id):
            stored = await escalations.one(conn, escalation_id)
            if stored is not None:
                change = await change_of(conn, live.current, at, stored)
                await _stop_ladder(change, by=by, note=note, span=span)
                await write(conn, change.scene.into, live.current, at)


async def acknowledge_escalation(
    db: Database, live: LiveConfig, now: Now, escalation_id: str, *, by: str, note: str | None, span: timedelta | None = None
) -> None:
    """Acknowledge an escalation, and its breach with it; it holds for `span` from now (None: as long as the ladder says), again and again.

    EscalationNotFound; Conflict when it is closed.
    """
    async with changing(db, live, now, escalation_id) as change:
        await _take_care(change, by=by, note=note, span=span)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a one-time link stands for at this moment. `row` is the escalation's."""

    state: LinkState
    row: Any
    ticket: str
    """The helpdesk's own id of the ticket."""


async def offer(db: Database, now: Now, token: str) -> Offer | None:
    """What a link offers; nothing is changed by asking. None when the link is none of ours."""
    async with db.read() as conn:
        key = await escalations.known_key(conn, KEY_NAME)
        link = links.read(key, token) if key is not None else None
        stored = await escalations.one(conn, link.escalation_id) if link is not None else None
        if link is None or stored is None:
            return None
        ticket = await reads.ticket(conn, stored.row.ticket_id)
        at = await db.now(conn, now)
    return Offer(_state_of(link, stored, at), stored.row, str(ticket["external_id"]) if ticket is not None else "")


async def acknowledge_by_link(db: Database, live: LiveConfig, now: Now, token: str, *, by: str | None) -> None:
    """Acknowledge by a one-time link. Gone when it was used, has expired, or what it is about is closed; EscalationNotFound."""
    async with db.read() as conn:
        key = await escalations.known_key(conn, KEY_NAME)
    link = links.read(key, token) if key is not None else None
    if link is None:
        raise Gone("The link is damaged, or not ours.")
    async with changing(db, live, now, link.escalation_id) as change:
        state = _state_of(link, change.stored, change.at)
        if state != "open":
            raise Gone(f"The link is {state}.")
        await _take_care(change, by=by or BY_LINK, note=None, span=None, link=link.notice_id)


def _state_of(link: Link, stored: Stored, at: datetime) -> LinkState:
    if link.notice_id in stored.run.links:
        return "used"
    if stored.row.closed_at is not None:
        return "closed"
    return "expired" if link.expires_at <= at else "open"


async def _take_care(change: Change, *, by: str, note: str | None, span: timedelta | None, link: str | None = None) -> None:
    """Acknowledge an escalation in its own transaction, and its breach with it, unless that was acknowledged or retracted before."""
    breach_id = change.stored.row.breach_id
    if breach_id is not None:
        row = await acknowledgements.lock(change.conn, breach_id)
        if row is not None and row["status"] != "retracted":
            await _acknowledge_breach(change.conn, change.at, breach_id, by=by, note=note)
    await _stop_ladder(change, by=by, note=note, span=span, link=link)


async def _stop_ladder(change: Change, *, by: str, note: str | None, span: timedelta | None, link: str | None = None) -> None:
    ladder, _ = change.stored.snapshot
    until = change.at + (span or timedelta(seconds=ladder.acknowledge_for))
    change.note(Entry("acknowledged", change.at, until=until, by=by, why=note, link=link))
    detail = {"until": until.isoformat()} | ({"note": note} if note else {}) | ({"link": link} if link else {})
    await audit.record(change.conn, change.at, by, "escalation.acknowledged", change.stored.row.id, detail)


async def _acknowledge_breach(conn: Connection, at: datetime, breach_id: str, *, by: str, note: str | None) -> None:
    breach = await acknowledgements.lock(conn, breach_id)
    if breach is None:
        raise BreachNotFound(f"No breach has the id {breach_id}.")
    if breach["acknowledged_at"] is not None:
        return
    if breach["status"] == "retracted":
        raise Conflict("The breach was retracted: the promise was kept after all.")
    await acknowledgements.save(conn, breach_id, at=at, by=by, note=note)
    await outbox.supersede(conn, types=("sla.breached",), clock_ids=[breach["clock_id"]])
    await audit.record(conn, at, by, "breach.acknowledged", breach_id, {"note": note} if note else {})
