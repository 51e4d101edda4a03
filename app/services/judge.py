"""The one function that judges tickets: used by ingest, detection and re-judging alike, on tickets whose rows are held.

Whatever it finds due is fired, and what must be said about it is written by the same transaction.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.rules.evaluate import evaluate
from app.schemas.events_out import rfc3339
from app.services import marking, silencing
from app.services.configuration import Current
from app.services.consequences import Consequences, Move, follow
from app.services.context import backdrop_of
from app.services.escalating import Causes, Reached, Scene
from app.services.links import KEY_NAME
from app.services.notices import audience, notice
from app.services.routes import enqueue
from app.services.sayings import Raising, Saying, Telling
from app.services.signalling import Sentry, known_of
from app.services.silencing import Hush
from app.services.staleness import mark
from app.store import audit, escalations, outbox, tickets, write_backs
from app.store import clocks as clock_store
from app.store import signals as signal_store
from app.store.database import Connection
from app.store.escalations import Stored
from app.store.tickets import LockedTicket
from app.telemetry import metrics

log = logging.getLogger(__name__)

SETBACK = timedelta(minutes=1)
"""How long a ticket that cannot be judged is left alone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging came to. `next_check_at`: the nearest instant at which one of the judged clocks has something to say; `next_step_at`: at
    which one of the changed escalations has something to do."""

    tickets: int
    breaches: int
    deliveries: int
    next_check_at: datetime | None
    next_step_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Runs:
    """What is known of the escalations of the held tickets: those not closed by ticket id, what was opened before, who was reached."""

    open: Mapping[str, Sequence[Stored]]
    opened: Causes
    reached: Reached


async def judge(conn: Connection, held: Sequence[LockedTicket], current: Current, at: datetime, *, tolerant: bool = False) -> Judged:
    """Judge tickets at the instant `at` and write all that follows.

    `tolerant`: a ticket whose judging fails is pushed ahead and counted instead of failing the others.
    """
    stored = await clock_store.of_tickets(conn, [ticket.id for ticket in held])
    broken = [row.id for rows in stored.values() for row in rows if row.breached_at is not None]
    breaches = await clock_store.breaches_of(conn, broken)
    runs = await _runs(conn, held, stored)
    known = await known_of(conn, held, current)
    hush = await silencing.load(conn, at, since=min((run.row.opened_at for each in runs.open.values() for run in each), default=None))
    found = Consequences()
    for ticket in held:
        own = Consequences()
        try:
            verdict = evaluate(ticket.timeline, current.book, at)
            follow(own, ticket, verdict, stored[ticket.id], breaches, revision=current.revision, at=at)
            opened = runs.open.get(ticket.id, ())
            scene = Scene(own, ticket, verdict, current, at, hush)
            sentry = Sentry(scene, known)
            scene.follow(opened, runs.opened, runs.reached, sentry.cures(opened))
            sentry.follow(opened)
            found.add(own)
        except Exception:
            if not tolerant:
                raise
            log.exception("A ticket could not be judged.", extra={"event": "judge.failed", "ticket_id": ticket.id})
            metrics.JUDGE_FAILURES.inc()
            await clock_store.postpone(conn, ticket.id, at + SETBACK)
            await escalations.postpone(conn, ticket.id, at + SETBACK)
    return await write(conn, found, current, at, hush)


async def _runs(conn: Connection, held: Sequence[LockedTicket], stored: Mapping[str, Sequence[Any]]) -> _Runs:
    """What the escalations of these tickets need to go on."""
    found = await escalations.open_of_tickets(conn, [ticket.id for ticket in held])
    opened = await escalations.causes(conn, [row.id for rows in stored.values() for row in rows if row.fired])
    woken = [run for runs in found.values() for run in runs if run.row.woken]
    said = [entry.notice for run in woken for entry in run.log if entry.notice]
    return _Runs(found, opened, await escalations.reached(conn, said, [run.row.id for run in woken]) if woken else {})


async def write(conn: Connection, found: Consequences, current: Current, at: datetime, hush: Hush | None = None) -> Judged:
    """Store what follows and enqueue what must be said about it, in the transaction of the caller, who holds the tickets. `hush`: the
    silences that hold; None: they are asked for."""
    hush = hush or await silencing.load(conn, at)
    await mark(conn, found, at)
    await tickets.save(conn, found.ticket_rows)
    await clock_store.save(conn, found.clock_rows)
    await clock_store.save_breaches(conn, found.breach_rows)
    await escalations.save(conn, found.run_rows)
    await signal_store.save(conn, found.signal_rows)
    link_key = await escalations.key(conn, KEY_NAME, at) if current.public_url and found.run_rows else None
    notices: list[dict[str, object]] = []
    deliveries: list[dict[str, object]] = []
    on_their_way: dict[tuple[str, str], str] = {}
    closed = await _closed(conn, found, on_their_way)
    cleared = await _cleared(conn, found, current, closed, on_their_way)
    told = [*_announced([*found.sayings, *found.tellings, *found.raisings], current), *closed, *cleared]
    backdrop = await backdrop_of(conn, [saying for saying, channels in told if channels])
    for saying, channels in told:
        if channels:
            row, rows = notice(saying, current, channels, at, backdrop, link_key)
            notices.append(row)
            deliveries += [each | _waiting(each, on_their_way) for each in silencing.suppress(hush, saying, rows, current)]
    await write_backs.take_back(conn, found.quiet_runs)
    ordered = await marking.rows(conn, found.wishes, current, at)
    notices += ordered.notices
    deliveries += ordered.deliveries
    await audit.record_all(conn, at, "document", "clock.retargeted", {move.clock_id: _moved(move) for move in found.moves})
    await enqueue(conn, current, notices, deliveries)
    await outbox.supersede(conn, types=("sla.warning",), clock_ids=found.quiet_clocks)
    for saying in found.sayings:
        _note(saying, at)
    return Judged(len(found.ticket_rows), len(found.breach_rows), len(deliveries), found.next_check_at, found.next_step_at)


def _moved(move: Move) -> dict[str, object]:
    return {
        "due_before": rfc3339(move.due_before) if move.due_before else None,
        "due_after": rfc3339(move.due_after) if move.due_after else None,
        "revision_before": move.revision_before,
        "revision_after": move.revision_after,
    }


def _note(saying: Saying, at: datetime) -> None:
    metrics.DUE_TO_DETECTED.observe(max(0.0, (at - saying.timestamp).total_seconds()))
    if saying.type == "sla.breached":
        metrics.BREACHES.labels(metric=saying.clock.cycle.metric).inc()
        late = (at - saying.timestamp).total_seconds()
        log.info("Clock breached.", extra={"event": "clock.breached", "clock_id": saying.clock_id, "late_seconds": late})
    else:
        metrics.WARNINGS.labels(metric=saying.clock.cycle.metric).inc()


def _announced(sayings: Sequence[Saying | Telling | Raising], current: Current) -> list[tuple[Saying | Telling | Raising, list[str]]]:
    return [(saying, audience(saying, current)) for saying in sayings]


async def _closed(conn: Connection, found: Consequences, on_their_way: dict[tuple[str, str], str]) -> list[tuple[Saying, list[str]]]:
    """The all-clears: to those who were told of the breach. Who was not told yet need not be any more, and hears that it was met late.

    To whom it is being told at this moment gets both; `on_their_way` notes which delivery decides, by clock and channel.
    """
    ids = [saying.clock_id for saying in found.closings]
    taken_back: dict[str, set[str]] = {}
    for row in await outbox.supersede(conn, types=("sla.breached",), clock_ids=ids):
        taken_back.setdefault(row.clock_id, set()).add(row.channel)
        if row.withdrawn:
            on_their_way[row.clock_id, row.channel] = row.id
    on_their_way.update(await outbox.in_digests(conn, type_="sla.breached", clock_ids=ids))
    told = await outbox.told(conn, type_="sla.breached", clock_ids=ids)
    result: list[tuple[Saying, list[str]]] = []
    for saying in found.closings:
        deciding = {channel for clock_id, channel in on_their_way if clock_id == saying.clock_id}
        result.append((saying, sorted(told.get(saying.clock_id, set()) | deciding)))
        if saying.type == "sla.recovered":
            late = replace(saying, type="sla.met_late", milestone=saying.milestone.replace("recovered", "met_late"))
            result.append((late, sorted(taken_back.get(saying.clock_id, ()))))
    return result


def _waiting(row: Mapping[str, object], on_their_way: Mapping[tuple[str, str], str]) -> dict[str, object]:
    """What makes an all-clear wait until it is known whether what it ends was told; of two that wait one is sent."""
    if row["type"] not in ("sla.recovered", "sla.retracted", "sla.met_late", "escalation.deescalated"):
        return {}
    ends = row["escalation_id"] if row["type"] == "escalation.deescalated" else row["clock_id"]
    awaited = on_their_way.get((str(ends), str(row["channel"])))
    return {"waits_for": awaited, "waits_if": "superseded" if row["type"] == "sla.met_late" else "delivered"} if awaited else {}


async def _cleared(
    conn: Connection,
    found: Consequences,
    current: Current,
    closed: Sequence[tuple[Saying, list[str]]],
    on_their_way: dict[tuple[str, str], str],
) -> list[tuple[Telling, list[str]]]:
    """The all-clears of escalations: to those whom a rung had told and who do not hear anyway that the clock is fine, and to subscribers.

    Whom a rung is telling at this moment hears it only if that arrives; `on_their_way` notes by which delivery.
    """
    reaching: dict[str, set[str]] = {}
    for row in await escalations.take_back(conn, found.quiet_runs):
        if row.withdrawn:
            reaching.setdefault(row.escalation_id, set()).add(row.channel)
            on_their_way[row.escalation_id, row.channel] = row.id
    told = await escalations.told(conn, [telling.row["id"] for telling in found.clears])
    clocks = [telling.row["clock_id"] for telling in found.clears if telling.row["clock_id"] is not None]
    alarmed = await outbox.told(conn, type_="sla.breached", clock_ids=clocks)
    spared = {clock_id: set(channels) for clock_id, channels in alarmed.items()}
    for saying, channels in closed:
        spared.setdefault(saying.clock_id, set()).update(channels)
    result: list[tuple[Telling, list[str]]] = []
    for telling in found.clears:
        for channel in told.get(telling.row["id"], ()):  # it has heard one rung for certain: no need to wait for another
            on_their_way.pop((telling.row["id"], channel), None)
        named = told.get(telling.row["id"], set()) | reaching.get(telling.row["id"], set())
        clock_id = telling.row["clock_id"] or ""
        if telling.clock is None:  # a clock that never ran, as is known now, says nothing any more: this is the all-clear of its breach too
            named |= alarmed.get(clock_id, set())
        else:
            named -= spared.get(clock_id, set())
        meant = replace(telling, channels=tuple(sorted(named)))
        result.append((meant, audience(meant, current)))
    return result
