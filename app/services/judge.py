"""The one function that judges tickets: used by ingest, detection and re-judging alike, on tickets whose rows are held.

Whatever it finds due is fired, and what must be said about it is written by the same transaction.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from app.delivery.express import Express, Handed
from app.rules.evaluate import Verdict, evaluate
from app.schemas.events_out import rfc3339
from app.services import marking, retargeting, silencing
from app.services.configuration import Current
from app.services.consequences import Consequences, Move, follow
from app.services.context import backdrop_of
from app.services.escalating import Causes, Reached, Scene
from app.services.links import KEY_NAME
from app.services.notices import audience, notice
from app.services.routes import enqueue
from app.services.sayings import Raising, Saying, Telling
from app.services.signalling import Known, Sentry, known_of
from app.services.silencing import Hush
from app.services.staleness import mark
from app.store import audit, escalations, outbox, surroundings, tickets, write_backs
from app.store import clocks as clock_store
from app.store import signals as signal_store
from app.store.bulk import Sheaf
from app.store.database import Connection
from app.store.escalations import Stored
from app.store.surroundings import UNKNOWN, Surroundings
from app.store.tickets import Knowledge, LockedTicket
from app.telemetry import metrics

log = logging.getLogger(__name__)

_QUIETED: Final = ("sla.warning", retargeting.TYPE)
"""What is said of a clock before it is due."""
BATCH: Final = {"sqlite": 50, "postgresql": 100}
"""Tickets judged in one transaction at the most. Fewer on SQLite, where nobody else writes meanwhile: with a hundred a storm ends hardly
sooner, and a message waits twice as long (docs/performance.md)."""
LOGGED_MAX: Final = 20
"""Lines about breaches that one transaction logs. A line costs a fifth of what the breach does, and in a storm nobody reads them."""
SETBACK = timedelta(minutes=1)
"""How long a ticket that cannot be judged is left alone."""


Row = Mapping[str, Any]
Before = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging came to. `next_check_at`: the nearest instant at which one of the judged clocks has something to say; `next_step_at`: at
    which one of the changed escalations has something to do."""

    tickets: int
    breaches: int
    deliveries: int
    next_check_at: datetime | None
    next_step_at: datetime | None = None
    known: Iterable[Knowledge] = ()
    """What is known of the judged tickets once this transaction has been committed; made when it is asked for."""
    handed: Handed | None = None
    """What `express` is to send once this transaction has been committed."""
    sayings: Sequence[Saying] = ()
    """What clocks had to say: warnings and breaches."""

    def note(self, at: datetime) -> None:
        """Count warnings and breaches, and log the breaches: in a storm the first ones, and how many there were besides. To be called when
        they have been committed; `at`: when that was."""
        for saying in self.sayings:
            metrics.DUE_TO_DETECTED.observe(max(0.0, (at - saying.timestamp).total_seconds()))
            counter = metrics.BREACHES if saying.type == "sla.breached" else metrics.WARNINGS
            counter.labels(metric=saying.clock.cycle.metric).inc()
        broken = [saying for saying in self.sayings if saying.type == "sla.breached"]
        for saying in broken[:LOGGED_MAX]:
            late = (at - saying.timestamp).total_seconds()
            log.info("Clock breached.", extra={"event": "clock.breached", "clock_id": saying.clock_id, "late_seconds": late})
        if len(broken) > LOGGED_MAX:
            log.info("More clocks breached.", extra={"event": "clocks.breached", "count": len(broken) - LOGGED_MAX})


@dataclass(frozen=True, slots=True)
class _Case:
    """One ticket that was judged, and what follows."""

    ticket: LockedTicket
    verdict: Verdict
    stored: Sequence[Mapping[str, Any]]
    """Its clocks as they were."""
    own: Consequences = field(default_factory=Consequences)

    def knowledge(self, runs: Collection[str]) -> Knowledge:
        """What is known of the ticket afterwards. `runs`: the tickets that had escalations."""
        clocks = {row["id"]: row for row in self.stored} | {row["id"]: row for row in self.own.clock_rows}
        [row] = self.own.ticket_rows
        rest = {name: value for name, value in row.items() if name != "timeline"}
        has_runs = self.ticket.id in runs or bool(self.own.run_rows)
        return Knowledge(self.ticket.id, row["version"], rest, self.ticket.timeline, tuple(clocks.values()), has_runs)

    def before(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The rows of ticket and clocks as they were, by id; without the ticket's where it is not known."""
        ticket, [row] = self.ticket, self.own.ticket_rows
        if ticket.known is not None:
            yield ticket.id, ticket.known.row
        elif not ticket.fresh and ticket.revision == row["revision"]:  # it has been told nothing, and is read as it was
            yield ticket.id, {**row, "rejudge_at": ticket.rejudge_at}
        for stored in self.stored:
            yield stored["id"], stored


@dataclass(frozen=True, slots=True)
class _Runs:
    """What is known of the escalations of the held tickets: those not closed by ticket id, what was opened before, who was reached."""

    open: Mapping[str, Sequence[Stored]]
    opened: Causes
    reached: Reached


async def judge(
    conn: Connection,
    held: Sequence[LockedTicket],
    current: Current,
    at: datetime,
    *,
    tolerant: bool = False,
    express: Express | None = None,
    sheaf: Sheaf | None = None,
) -> Judged:
    """Judge tickets at the instant `at` and write all that follows.

    `tolerant`: a ticket whose judging fails is pushed ahead and counted instead of failing the others. `express`: the way past the outbox;
    None: there is none. `sheaf`: what the caller writes in the end, to which rows may be added; None: all is written here.
    """
    failed: set[str] | None = set() if tolerant else None
    cases = await _verdicts(conn, held, current, at, failed)
    around = UNKNOWN
    if any(case.own.sayings for case in cases):
        around = await surroundings.of(conn, [case.ticket.id for case in cases], at)
    runs = await _runs(conn, cases) if around.runs else _Runs({}, (), {})
    lively = [case for case in cases if case.own.sayings or case.ticket.id in runs.open or current.loaded.signals]
    hush = await _hush(conn, cases, lively, runs, at) if around.silences or around.runs else Hush(at)  # a run may know an ended one
    known = await known_of(conn, [case.ticket for case in lively], current)
    for case in lively:
        with _SettingAside(case.ticket, failed):
            _go_on(case, runs, known, current, at, hush)
    sound = [case for case in cases if not failed or case.ticket.id not in failed]
    found = Consequences()
    for case in sound:
        found.add(case.own)
    for ticket_id in failed or ():
        await clock_store.postpone(conn, ticket_id, at + SETBACK)
        await escalations.postpone(conn, ticket_id, at + SETBACK)
    before = dict(each for case in cases for each in case.before())
    written = await write(conn, found, current, at, hush, before, express, around, sheaf)
    return replace(written, known=(case.knowledge(runs.open) for case in sound))


async def _verdicts(conn: Connection, held: Sequence[LockedTicket], current: Current, at: datetime, failed: set[str] | None) -> list[_Case]:
    """The verdict on each ticket, and what follows for its clocks."""
    stored = {ticket.id: ticket.clocks for ticket in held if ticket.clocks is not None}
    stored |= await clock_store.of_tickets(conn, [ticket.id for ticket in held if ticket.clocks is None])
    breaches = await clock_store.breaches_of(conn, [row["id"] for rows in stored.values() for row in rows if _may_have_broken(row)])
    cases: list[_Case] = []
    for ticket in held:
        with _SettingAside(ticket, failed):
            case = _Case(ticket, evaluate(ticket.timeline, current.book, at), stored[ticket.id])
            follow(case.own, ticket, case.verdict, case.stored, breaches, revision=current.judges_as, at=at)
            retargeting.tell(case.own, ticket, case.verdict, current, at)
            cases.append(case)
    return cases


def _may_have_broken(row: Mapping[str, Any]) -> bool:
    """Whether there may be a breach of a clock, be it one that was retracted: then its generation has changed, or it was taken back."""
    return row["breached_at"] is not None or row["generation"] > 1 or row["state"] == "cancelled"


def _go_on(case: _Case, runs: _Runs, known: Known, current: Current, at: datetime, hush: Hush) -> None:
    """What follows for the escalations and signals of a ticket."""
    opened = runs.open.get(case.ticket.id, ())
    scene = Scene(case.own, case.ticket, case.verdict, current, at, hush)
    sentry = Sentry(scene, known)
    scene.follow(opened, runs.opened, runs.reached, sentry.cures(opened))
    sentry.follow(opened)


class _SettingAside:
    """A ticket that cannot be judged is set aside; `failed` None: then nothing can be."""

    __slots__ = ("_failed", "_ticket")

    def __init__(self, ticket: LockedTicket, failed: set[str] | None) -> None:
        self._ticket = ticket
        self._failed = failed

    def __enter__(self) -> None:
        """Nothing happens yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if self._failed is None or not isinstance(error, Exception):
            return False
        log.error("A ticket could not be judged.", extra={"event": "judge.failed", "ticket_id": self._ticket.id}, exc_info=error)
        metrics.JUDGE_FAILURES.inc()
        self._failed.add(self._ticket.id)
        return True


async def _runs(conn: Connection, cases: Sequence[_Case]) -> _Runs:
    """What the escalations of these tickets need to go on. Only a clock of which something is said now can open one."""
    found = await escalations.open_of_tickets(conn, [case.ticket.id for case in cases if case.ticket.may_have_runs])
    opened = await escalations.causes(conn, {saying.clock_id for case in cases for saying in case.own.sayings})
    woken = [run for runs in found.values() for run in runs if run.row.woken]
    said = [entry.notice for run in woken for entry in run.log if entry.notice]
    return _Runs(found, opened, await escalations.reached(conn, said, [run.row.id for run in woken]) if woken else {})


async def _hush(conn: Connection, cases: Sequence[_Case], lively: Sequence[_Case], runs: _Runs, at: datetime) -> Hush:
    """The silences that matter; nobody asks for them where nothing is said and no ladder stands."""
    if not lively and not any(case.own.closings or case.own.retargets for case in cases):
        return Hush(at)
    return await silencing.load(conn, at, since=min((run.row.opened_at for each in runs.open.values() for run in each), default=None))


async def write(
    conn: Connection,
    found: Consequences,
    current: Current,
    at: datetime,
    hush: Hush | None = None,
    before: Before = MappingProxyType({}),
    express: Express | None = None,
    around: Surroundings = UNKNOWN,
    sheaf: Sheaf | None = None,
) -> Judged:
    """Store what follows and enqueue what must be said about it, in the transaction of the caller, who holds the tickets.

    `hush`: the silences that hold; None: they are asked for. `before`: the rows of tickets and clocks as they are stored, by id. `around`:
    what there was around the tickets before.
    """
    hush = hush or await silencing.load(conn, at)
    if around.silent_sources:
        await mark(conn, found, at)
    states = sheaf or Sheaf(conn)
    tickets.save(states, found.ticket_rows, before)
    clock_store.save(states, found.clock_rows, before)
    clock_store.save_breaches(states, found.breach_rows)
    if sheaf is None or found.has_more:
        await states.write()
    await tickets.count_change(conn, _taken_up(found))
    await escalations.save(conn, found.run_rows)
    await signal_store.save(conn, found.signal_rows)
    link_key = await escalations.key(conn, KEY_NAME, at) if current.public_url and found.run_rows else None
    notices: list[dict[str, object]] = []
    deliveries: list[dict[str, object]] = []
    on_their_way: dict[tuple[str, str], str] = {}
    closed = await _closed(conn, found, on_their_way)
    cleared = await _cleared(conn, found, current, closed, on_their_way)
    told = [*_announced([*found.retargets, *found.sayings, *found.tellings, *found.raisings], current), *closed, *cleared]
    reading = replace(around, runs=around.runs or bool(found.run_rows), signals=around.signals or bool(found.signal_rows))
    backdrop = await backdrop_of(conn, [saying for saying, channels in told if channels], reading)
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
    await outbox.supersede(conn, types=_QUIETED, clock_ids=found.quiet_clocks)
    quiet = set(found.quiet_clocks)
    handed = await enqueue(conn, current, notices, [_unless_quiet(row, quiet) for row in deliveries], express)
    return Judged(
        tickets=len(found.ticket_rows),
        breaches=len(found.breach_rows),
        deliveries=len(deliveries),
        next_check_at=found.next_check_at,
        next_step_at=found.next_step_at,
        handed=handed,
        sayings=found.sayings,
    )


def _unless_quiet(row: Row, quiet: Collection[str]) -> Row:
    """A delivery; one that is not worth sending any more in the moment in which it is made has ended."""
    if row["clock_id"] in quiet and row["type"] in _QUIETED and row["state"] == outbox.PENDING:
        return {**row, "state": "superseded", "next_attempt_at": None}
    return row


def _taken_up(found: Consequences) -> set[str]:
    """The tickets that were not judged and have an escalation all the same: somebody opened it."""
    opened = {row["ticket_id"] for row in found.run_rows if row["fence"] == 0}
    return opened - {row["id"] for row in found.ticket_rows}


def _moved(move: Move) -> dict[str, object]:
    return {
        "due_before": rfc3339(move.due_before) if move.due_before else None,
        "due_after": rfc3339(move.due_after) if move.due_after else None,
        "revision_before": move.revision_before,
        "revision_after": move.revision_after,
    }


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
