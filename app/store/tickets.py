"""Tickets and their events. The ticket row is the one lock: whoever holds it may judge."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, LargeBinary, Select, bindparam, select, type_coerce, update

from app.ids import TICKET, new_id
from app.rules.events import TicketEvent
from app.rules.timeline import Timeline
from app.store import bulk, timeline_codec
from app.store.database import SERVER_TIME, Connection
from app.store.dialect import among, named_among, named_among_pairs
from app.store.tables import events, tickets

RAW_TIMELINE: Final = type_coerce(tickets.c.timeline, LargeBinary)
"""As it is stored; `timeline_codec` reads it."""
Ref = tuple[str, str]
"""Source and the helpdesk's own id of a ticket."""
_UNTOLD: Final = timeline_codec.dump(Timeline())
"""The timeline of a ticket of which nothing was told yet."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a process knows of a ticket as it is stored at this version."""

    id: str
    version: int
    row: Mapping[str, Any]
    """What its row says, but for the timeline."""
    timeline: Timeline
    clocks: Sequence[Mapping[str, Any]]
    """The rows of its clocks."""
    has_runs: bool
    """Whether it may have escalations that are not closed."""


@dataclass(eq=False)
class LockedTicket:
    """A ticket whose row this transaction holds. `fresh`: events that this transaction adds to the stored timeline."""

    id: str
    source: str
    external_id: str
    stored: bytes
    """The timeline as it is in the row."""
    version: int
    revision: int
    """Of the document it was last judged by; 0 = never judged."""
    rejudge_at: datetime | None = None
    fresh: tuple[TicketEvent, ...] = ()
    quiet: bool = False
    """What was broken before now is recorded, and nobody is told: the fresh events are history."""
    known: Knowledge | None = None
    """What this process knows of the ticket as it is in the row; None: it has to be read."""

    @cached_property
    def base(self) -> Timeline:
        """What was known of the ticket before this transaction."""
        return self.known.timeline if self.known is not None else timeline_codec.load(self.stored, self.source, self.external_id)

    @property
    def clocks(self) -> Sequence[Mapping[str, Any]] | None:
        """The rows of its clocks; None: they have to be read."""
        return self.known.clocks if self.known is not None else () if self.version == 0 else None

    @property
    def may_have_runs(self) -> bool:
        """Whether it may have escalations that are not closed."""
        return self.known.has_runs if self.known is not None else self.version > 0

    @cached_property
    def timeline(self) -> Timeline:
        """Everything known of the ticket."""
        return self.base.extend(self.fresh)

    def with_fresh(self, fresh: Iterable[TicketEvent], *, quiet: bool = False) -> "LockedTicket":
        """The ticket itself, told more."""
        self.fresh, self.quiet = tuple(fresh), quiet
        self.__dict__.pop("timeline", None)
        return self

    def knows(self, key: str) -> bool:
        """Whether an event of this key was told before this transaction."""
        keys = self.base.keys
        return key in keys if keys is not None else any(event.key == key for event in self.base.events)

    def dumped(self) -> bytes:
        """The timeline as it is to be stored."""
        return timeline_codec.dump(self.timeline, self.stored, self.base) if self.fresh else self.stored

    @property
    def ref(self) -> Ref:
        return (self.source, self.external_id)


async def lock_refs(
    conn: Connection, refs: Collection[Ref], *, skip_locked: bool = False
) -> tuple[dict[Ref, LockedTicket], datetime | None]:
    """Lock tickets by name, in id order, as far as there are such; and the database's own time, if it has told it (`Database.present`).
    With `skip_locked` those that somebody else holds are left out, else their holder is waited for.
    """
    found = (await conn.execute(_BY_REF_IF_FREE if skip_locked else _BY_REF, {"refs": refs})).all() if refs else ()
    held = [LockedTicket(*row[1:]) for row in found]
    return {ticket.ref: ticket for ticket in held}, found[0][0] if found else None


async def make_refs(conn: Connection, refs: Collection[Ref], at: datetime, *, skip_locked: bool = False) -> dict[Ref, LockedTicket]:
    """Make tickets that `lock_refs` has not found, and lock them as it does: meanwhile somebody else may have made or hold them.

    Two writers that make new ones do so in the order of their names, and do not wait for each other in a circle; should they ever, the
    database ends one, which is done again.
    """
    made = [LockedTicket(new_id(TICKET), source, external_id, _UNTOLD, version=0, revision=0) for source, external_id in sorted(refs)]
    rows = [
        {
            "id": ticket.id,
            "source": ticket.source,
            "external_id": ticket.external_id,
            "stored_at": at,
            "deleted": False,
            "timeline": ticket.stored,
            "revision": ticket.revision,
            "version": ticket.version,
        }
        for ticket in made
    ]
    if await bulk.write(conn, tickets, "insert_new", rows) < len(rows):  # somebody else was quicker with one of them
        return (await lock_refs(conn, refs, skip_locked=skip_locked))[0]
    return {ticket.ref: ticket for ticket in made}


async def lock_ids(conn: Connection, ids: Collection[str], *, skip_locked: bool) -> list[LockedTicket]:
    """Lock tickets by our id, in id order. With `skip_locked` those that somebody else holds are left out: their holder judges them."""
    return await _lock(conn, _BY_ID_IF_FREE if skip_locked else _BY_ID, {"ids": ids})


def _locking(where: ColumnElement[bool], *first: ColumnElement[Any], skip_locked: bool = False) -> Select[Any]:
    columns = (
        *first,
        tickets.c.id,
        tickets.c.source,
        tickets.c.external_id,
        RAW_TIMELINE,
        tickets.c.version,
        tickets.c.revision,
        tickets.c.rejudge_at,
    )
    return select(*columns).where(where).order_by(tickets.c.id).with_for_update(skip_locked=skip_locked)


_BY_REF: Final = _locking(named_among_pairs(tickets.c.source, tickets.c.external_id, "refs"), SERVER_TIME)
_BY_REF_IF_FREE: Final = _locking(named_among_pairs(tickets.c.source, tickets.c.external_id, "refs"), SERVER_TIME, skip_locked=True)
_BY_ID: Final = _locking(named_among(tickets.c.id, "ids"))
_BY_ID_IF_FREE: Final = _locking(named_among(tickets.c.id, "ids"), skip_locked=True)


async def _lock(conn: Connection, query: Select[Any], which: Mapping[str, Any]) -> list[LockedTicket]:
    return [LockedTicket(*row) for row in await conn.execute(query, which)]


def add_events(sheaf: bulk.Sheaf, found: Sequence[tuple[str, TicketEvent, str]], received_at: datetime) -> None:
    """Append events: (ticket id, event, inbox id) each."""
    rows = [
        {
            "ticket_id": ticket_id,
            "key": event.key,
            "at": event.at,
            "order": event.order,
            "kind": event.kind.value,
            "body": timeline_codec.body(event),
            "received_at": received_at,
            "inbox_id": inbox_id,
        }
        for ticket_id, event, inbox_id in found
    ]
    sheaf.add(events, "insert_new", rows)


def save(sheaf: bulk.Sheaf, rows: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> None:
    """Write back judged tickets: mappings of column values with the ticket's `id`; all with the same columns, but for `timeline`, which is
    only there where it has changed. `before`: the rows of some of them as they are stored, by id.
    """
    sheaf.update(tickets, [row for row in rows if "timeline" in row], before)
    sheaf.update(tickets, [row for row in rows if "timeline" not in row], before)


async def count_change(conn: Connection, ids: Collection[str]) -> None:
    """Something that belongs to these tickets has changed: what a process knows of them is what they were."""
    if ids:
        await conn.execute(update(tickets).where(among(tickets.c.id, ids)).values(version=tickets.c.version + 1))


async def stale(conn: Connection, revision: int, *, limit: int) -> list[str]:
    """Ids of tickets last judged by an older revision of the document."""
    query = select(tickets.c.id).where(tickets.c.revision < revision).order_by(tickets.c.revision, tickets.c.id).limit(limit)
    return list((await conn.execute(query)).scalars())


async def dated(conn: Connection, at: datetime, *, limit: int) -> list[str]:
    """Ids of tickets that have to be judged at or before `at` though no clock is due."""
    return list((await conn.execute(_DATED, {"at": at, "most": limit})).scalars())


_DATED: Final = select(tickets.c.id).where(tickets.c.rejudge_at <= bindparam("at")).limit(bindparam("most", type_=Integer))
