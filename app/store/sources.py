"""What is known of sources, the same for all processes: their rhythm, their silence, and how far we have read in them ourselves."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, or_, select, update

from app.rules.rhythm import Rhythm
from app.rules.timeline import Timeline
from app.store import timeline_codec
from app.store.database import Connection
from app.store.dialect import among, insert_ignoring, upsert
from app.store.tables import inbox, source_jobs, source_states, tickets
from app.store.tickets import RAW_TIMELINE
from app.store.types import from_microseconds, to_microseconds

SPOKEN: Final = ("webhook", "events")
"""The ways by which a source speaks by itself; what we fetch ourselves says nothing about whether it does."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one source; as made, one that is watched from now on."""

    source: str
    watched_since: datetime
    seen_id: str | None = None
    rhythm: Rhythm = field(default_factory=Rhythm)
    silent_since: datetime | None = None
    """The last word before the silence that was told; None: it is not silent."""

    def heard(self, arrivals: "Arrivals") -> "State":
        """After these arrivals."""
        if not arrivals.instants:
            return self
        return replace(self, seen_id=arrivals.last_id, rhythm=self.rhythm.hear(arrivals.instants))


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came in after the newest message a state knows. `more`: there is more than was asked for."""

    instants: tuple[datetime, ...]
    last_id: str | None
    more: bool


async def states(conn: Connection, sources: Collection[str], *, hold: bool = False) -> dict[str, State]:
    """The states of these sources that have one; with `hold` nobody else changes them until the transaction ends."""
    query = select(source_states).where(among(source_states.c.source, sources)).order_by(source_states.c.source)
    rows = await conn.execute(query.with_for_update() if hold else query)
    return {row.source: _state(row) for row in rows}


async def save(conn: Connection, changed: Iterable[State]) -> None:
    """Insert or replace states, whole."""
    rows = [
        {
            "source": state.source,
            "watched_since": state.watched_since,
            "seen_id": state.seen_id,
            "rhythm": _dump(state.rhythm),
            "silent_since": state.silent_since,
        }
        for state in sorted(changed, key=lambda state: state.source)
    ]
    if rows:
        await conn.execute(upsert(conn, source_states, key=("source",)), rows)


async def forget_silence(conn: Connection, configured: Collection[str]) -> None:
    """Sources that are not configured any more are not silent."""
    gone = source_states.c.silent_since.is_not(None) & ~among(source_states.c.source, configured)
    await conn.execute(update(source_states).where(gone).values(silent_since=None))


async def arrivals(conn: Connection, source: str, after: str | None, *, limit: int) -> Arrivals:
    """What a source said by itself after a message of the inbox, in the order of arrival."""
    query = select(inbox.c.id, inbox.c.received_at).where(inbox.c.source == source, inbox.c.via.in_(SPOKEN), inbox.c.id > (after or ""))
    rows = list(await conn.execute(query.order_by(inbox.c.id).limit(limit)))
    return Arrivals(tuple(row.received_at for row in rows), rows[-1].id if rows else after, len(rows) == limit)


async def silent(conn: Connection) -> set[str]:
    """The sources that are silent."""
    return set((await conn.execute(select(source_states.c.source).where(source_states.c.silent_since.is_not(None)))).scalars())


async def touched_tickets(conn: Connection, source: str, after: str | None, *, limit: int) -> tuple[list[str], str | None]:
    """Our ids of the tickets that a source spoke of after a message of the inbox, each once, and the last message that was looked at."""
    query = select(inbox.c.id, inbox.c.tickets).where(
        inbox.c.source == source, inbox.c.outcome == "applied", inbox.c.via.in_(SPOKEN), inbox.c.id > (after or "")
    )
    rows = list(await conn.execute(query.order_by(inbox.c.id).limit(limit)))
    return list(dict.fromkeys(ticket for row in rows for ticket in row.tickets)), rows[-1].id if rows else after


async def lacking(conn: Connection, ticket_ids: Collection[str], facts: Collection[str]) -> list[Row[Any]]:
    """Those of the tickets (id, external_id, requester) of which one of these facts (status, priority, organization) is not known."""
    if not ticket_ids or not facts:
        return []
    unknown = or_(*(tickets.c[fact].is_(None) for fact in sorted(facts)))
    query = select(tickets.c.id, tickets.c.external_id, tickets.c.requester)
    return list(await conn.execute(query.where(among(tickets.c.id, ticket_ids), unknown).order_by(tickets.c.id)))


async def timeline_of(conn: Connection, source: str, external_id: str) -> Timeline:
    """What is known of a ticket by its name in the helpdesk; an empty timeline when nothing is."""
    query = select(RAW_TIMELINE).where(tickets.c.source == source, tickets.c.external_id == external_id)
    stored = (await conn.execute(query)).scalar_one_or_none()
    return Timeline() if stored is None else timeline_codec.load(stored, source, external_id)


@dataclass(frozen=True, slots=True)
class Job:
    """How far a source was read by ourselves."""

    source: str
    job: str
    cursor: str | None
    progress: dict[str, int]
    next_at: datetime | None
    held_until: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    error: str | None


async def jobs(conn: Connection) -> list[Job]:
    """All of them, by source and name."""
    query = select(source_jobs).order_by(source_jobs.c.source, source_jobs.c.job)
    return [Job(**row._mapping) for row in await conn.execute(query)]


async def take(conn: Connection, source: str, job: str, at: datetime, until: datetime) -> Job | None:
    """Hold a job until `until` at the latest, if its time has come and nobody else is at it; as it stands. None: not now."""
    row = {"source": source, "job": job, "progress": {}, "updated_at": at}
    await conn.execute(insert_ignoring(conn, source_jobs).values(row))
    free = (source_jobs.c.held_until.is_(None) | (source_jobs.c.held_until <= at)) & (
        source_jobs.c.next_at.is_(None) | (source_jobs.c.next_at <= at)
    )
    taken = update(source_jobs).where(source_jobs.c.source == source, source_jobs.c.job == job, free).values(held_until=until)
    found = (await conn.execute(taken.returning(source_jobs))).first()
    return Job(**found._mapping) if found is not None else None


async def advance(conn: Connection, job: Job, at: datetime, *, until: datetime | None, **changed: Any) -> Job | None:
    """Write down how far it got. `until`: still at it; None: let go of it. None when another process has taken it meanwhile."""
    values = {"cursor": job.cursor, "progress": job.progress, **changed, "held_until": until, "updated_at": at}
    mine = update(source_jobs).where(
        source_jobs.c.source == job.source, source_jobs.c.job == job.job, source_jobs.c.held_until == job.held_until
    )
    found = (await conn.execute(mine.values(values).returning(source_jobs))).first()
    return Job(**found._mapping) if found is not None else None


def _state(row: Any) -> State:
    return State(row.source, row.watched_since, row.seen_id, _load(row.rhythm), row.silent_since)


def _dump(rhythm: Rhythm) -> dict[str, Any]:
    return {
        "first_at": None if rhythm.first_at is None else to_microseconds(rhythm.first_at),
        "last_at": None if rhythm.last_at is None else to_microseconds(rhythm.last_at),
        "gaps": rhythm.gaps,
        "usual": rhythm.usual,
        "longest": rhythm.longest,
        "steps": [list(step) for step in rhythm.steps],
    }


def _load(said: Mapping[str, Any]) -> Rhythm:
    first, last = (None if said[name] is None else from_microseconds(said[name]) for name in ("first_at", "last_at"))
    return Rhythm(first, last, said["gaps"], said["usual"], said["longest"], tuple((begin, count) for begin, count in said["steps"]))
