"""Escalations in the hands of people and of their own loop: opened by hand, snoozed, closed, given away; and rungs that are due."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from app.delivery.express import Express
from app.errors import Conflict, EscalationNotFound, Fault, InvalidBody, TicketNotFound
from app.rules.calendar import ALWAYS
from app.rules.escalation import AtBreach, Ladder, Step
from app.rules.escalation_log import Entry
from app.rules.evaluate import Clock, Verdict, evaluate
from app.services import silencing
from app.services.configuration import Current, LiveConfig
from app.services.consequences import Consequences
from app.services.escalating import Scene
from app.services.judge import BATCH, judge, write
from app.services.signalling import is_premature, known_of, watch_of
from app.store import audit, escalations, reads, tickets
from app.store import clocks as clock_store
from app.store.database import Connection, Database
from app.store.escalations import Stored
from app.store.filters import nearest
from app.timesource import Now

BY_HAND: Final = "by hand"

ByHandType = Literal["functional", "hierarchical"]


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the rungs that are due. `next_step_at`: the nearest instant after it; None = none."""

    tickets: int
    deliveries: int
    more: bool
    next_step_at: datetime | None
    handed: int = 0
    """How many of the deliveries are on their way already."""


async def fire_steps(db: Database, live: LiveConfig, now: Now, *, limit: int | None = None, express: Express | None = None) -> Pass:
    """Let the longest due escalations go on, each judged at this moment with its ticket; what they say commits with it.

    Tickets that somebody else holds are left to their holder. A ticket that cannot be judged is pushed ahead a minute. `express`: the way
    past the outbox; None: there is none. `limit`: of tickets; None: `BATCH`.
    """
    async with db.ask() as conn:  # most passes find nothing, and end here
        told, ahead = await escalations.nearest(conn)
    if ahead is None or ahead > db.present(told, now):
        return Pass(0, 0, more=False, next_step_at=ahead)
    async with db.begin() as conn:
        at = await db.now(conn, now)
        began = now()
        held = await escalations.lock_due(conn, at, limit=limit or BATCH[db.dialect])
        judged = await judge(conn, held, live.current, at, tolerant=True, express=express) if held else None
        _, ahead = await escalations.nearest(conn)
    committed_at = at + (now() - began)
    handed = judged.handed if judged else None
    if express is not None and handed is not None:
        express.go(handed)
    if judged is not None:
        judged.note(committed_at)
    return Pass(
        tickets=len(held),
        deliveries=judged.deliveries if judged else 0,
        more=bool(held) and ahead is not None and ahead <= at,
        next_step_at=ahead,
        handed=len(handed.claims) if handed is not None else 0,
    )


async def open_by_hand(
    db: Database, live: LiveConfig, now: Now, *, reference: str, type_: ByHandType, target: str, reason: str, by: str
) -> str:
    """Escalate a ticket (our id, or `source:external`) to a ladder or a channel of the configuration; the escalation's id.

    TicketNotFound; InvalidBody when there is no such target; Conflict when the ticket is done.
    """
    current = live.current
    ladder = _ladder_for(target, type_, current)
    async with db.begin() as conn:
        row = await reads.ticket(conn, reference)
        held = await tickets.lock_ids(conn, [row["id"]]) if row is not None else []
        if not held:
            raise TicketNotFound(f"There is no ticket {reference}.")
        at = await db.now(conn, now)
        verdict = evaluate(held[0].timeline, current.book, at)
        if verdict.ticket is None or verdict.ticket.is_solved or verdict.ticket.is_gone:
            raise Conflict("The ticket is solved, deleted or merged; there is nothing to escalate.")
        found = Consequences()
        name = target if target in current.loaded.ladders else None
        premature = is_premature(verdict, watch_of(held[0], verdict, current, at, await known_of(conn, held, current)), at)
        escalation_id = Scene(found, held[0], verdict, current, at).open(
            ladder, ALWAYS, cause="manual", counts_from=at, ladder=name, target=target, type=type_, reason=reason, opened_by=by,
            premature=premature,
        )  # fmt: skip
        await write(conn, found, current, at)
        detail = {"ticket": held[0].id, "target": target, "premature": premature}
        await audit.record(conn, at, by, "escalation.opened", escalation_id, detail)
    return escalation_id


async def snooze(
    db: Database, live: LiveConfig, now: Now, escalation_id: str, *, by: str, note: str | None, span: timedelta | None
) -> None:
    """Let the ladder sleep for a while (None: as long as an acknowledgement holds); then it goes on where it stopped.

    EscalationNotFound, Conflict.
    """
    async with changing(db, live, now, escalation_id) as change:
        if change.stored.run.state == "exhausted":
            raise Conflict("The ladder has come to its end; there is nothing to put off.")
        seconds = change.stored.snapshot[0].acknowledge_for if span is None else int(span.total_seconds())
        change.note(Entry("snoozed", change.at, until=change.at + timedelta(seconds=seconds), by=by, why=note))
        await audit.record(change.conn, change.at, by, "escalation.snoozed", escalation_id, {"seconds": seconds})


async def resolve(db: Database, live: LiveConfig, now: Now, escalation_id: str, *, by: str, note: str | None) -> None:
    """Close it by hand; those who were told hear so. Closed once, it stays so. EscalationNotFound, Conflict."""
    async with changing(db, live, now, escalation_id) as change:
        change.note(Entry("resolved", change.at, by=by, why=BY_HAND))
        await audit.record(change.conn, change.at, by, "escalation.resolved", escalation_id, {"note": note} if note else {})


async def assign(db: Database, live: LiveConfig, now: Now, escalation_id: str, *, by: str, to: str | None) -> None:
    """Give it to somebody (None: to nobody). The ladder goes on. EscalationNotFound, Conflict."""
    async with changing(db, live, now, escalation_id) as change:
        change.note(Entry("assigned", change.at, by=by, to=to))
        await audit.record(change.conn, change.at, by, "escalation.assigned", escalation_id, {"to": to})


@dataclass(slots=True)
class Change:
    """An escalation in the hands of somebody: read under the lock of its ticket, written when the block ends."""

    conn: Connection
    at: datetime
    stored: Stored
    scene: Scene
    clock: Clock | None

    def note(self, entry: Entry) -> None:
        """Somebody does this."""
        self.scene.change(self.stored, self.clock, entry)


@asynccontextmanager
async def changing(db: Database, live: LiveConfig, now: Now, escalation_id: str) -> AsyncIterator[Change]:
    """One transaction around a change of an escalation. EscalationNotFound; Conflict when it is closed."""
    async with db.begin() as conn:
        stored = await escalations.lock(conn, escalation_id)
        if stored is None:
            raise EscalationNotFound(f"There is no escalation {escalation_id}.")
        if stored.row.closed_at is not None:
            raise Conflict(f"The escalation is closed ({stored.row.closed_because}).")
        at = await db.now(conn, now)
        change = await change_of(conn, live.current, at, stored)
        yield change
        await write(conn, change.scene.into, live.current, at)


async def change_of(conn: Connection, current: Current, at: datetime, stored: Stored) -> Change:
    """An escalation ready to be changed, in a transaction that holds its ticket; the caller writes what follows."""
    [ticket] = await tickets.lock_ids(conn, [stored.row.ticket_id])
    verdict = evaluate(ticket.timeline, current.book, at)
    rows = (await clock_store.of_tickets(conn, [ticket.id]))[ticket.id] if stored.row.clock_id is not None else []
    hush = await silencing.load(conn, at)
    return Change(conn, at, stored, Scene(Consequences(), ticket, verdict, current, at, hush), _clock_of(stored, rows, verdict))


def _clock_of(stored: Stored, rows: Sequence[Mapping[str, Any]], verdict: Verdict) -> Clock | None:
    """The clock of a run in a fresh verdict: by metric and start, else by number; None: it has none, or the clock is not there any more."""
    row = next((row for row in rows if row["id"] == stored.row.clock_id), None)
    if row is None:
        return None
    mine = [clock for clock in verdict.clocks if clock.cycle.metric == row["metric"]]
    same = [each for each in mine if each.cycle.anchor == row["started_at"]] or [each for each in mine if each.cycle.number == row["cycle"]]
    return same[0] if same else None


def _ladder_for(target: str, type_: ByHandType, current: Current) -> Ladder:
    """The ladder of this name, else one rung that tells the channel of this name. InvalidBody when there is neither."""
    loaded = current.loaded
    if target in loaded.ladders:
        return loaded.ladders[target]
    if target in loaded.channels:
        return Ladder(target, (Step(0, AtBreach(), type_, (target,), immediate=True),))
    known = [*loaded.ladders, *loaded.channels]
    raise InvalidBody(
        f"There is neither a ladder nor a channel named {target}{nearest(target, known)}.",
        errors=[Fault("/target", "is no name of a ladder or channel")],
    )
