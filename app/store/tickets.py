"""Tickets and their events. The ticket row is the one lock: whoever holds it may judge."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import FromClause, Integer, LargeBinary, Select, bindparam, select, type_coerce, update

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


async def lock_ids(conn: Connection, ids: Collection[str]) -> list[LockedTicket]:
    """Lock tickets by our id, in id order. Who holds one of them is waited for."""
    return [LockedTicket(*row) for row in await conn.execute(_BY_ID, {"ids": ids})]


async def lock_stale(conn: Connection, revision: int, *, limit: int) -> list[LockedTicket]:
    """Lock tickets last judged by an older revision of the document, as `take` does."""
    return await take(conn, _STALE, {"revision": revision, "most": limit})


async def lock_dated(conn: Connection, at: datetime, *, limit: int) -> list[LockedTicket]:
    """Lock tickets that have to be judged at or before `at` though no clock is due, as `take` does."""
    return await take(conn, _DATED, {"at": at, "most": limit})


async def take(conn: Connection, query: Select[Any], given: Mapping[str, Any]) -> list[LockedTicket]:
    """Lock what a query made from `free` finds, each ticket once. What somebody else holds is left out and does not count: its holder
    judges it, and several processes that ask at once share the work.
    """
    held = {row.id: LockedTicket(*row) for row in await conn.execute(query, given)}
    return list(held.values())


def free(joined: FromClause = tickets) -> Select[Any]:
    """The tickets of a join that nobody holds, for `take`: a query without its conditions; its limit is called `most`."""
    query = select(*_COLUMNS).select_from(joined).limit(bindparam("most", type_=Integer))
    return query.with_for_update(of=tickets, skip_locked=True)


_COLUMNS: Final = (
    tickets.c.id,
    tickets.c.source,
    tickets.c.external_id,
    RAW_TIMELINE,
    tickets.c.version,
    tickets.c.revision,
    tickets.c.rejudge_at,
)
_REF: Final = named_among_pairs(tickets.c.source, tickets.c.external_id, "refs")
_BY_REF: Final = select(SERVER_TIME, *_COLUMNS).where(_REF).order_by(tickets.c.id).with_for_update()
_BY_REF_IF_FREE: Final = _BY_REF.with_for_update(skip_locked=True)
_BY_ID: Final = select(*_COLUMNS).where(named_among(tickets.c.id, "ids")).order_by(tickets.c.id).with_for_update()
_STALE: Final = free().where(tickets.c.revision < bindparam("revision")).order_by(tickets.c.revision, tickets.c.id)
_DATED: Final = free().where(tickets.c.rejudge_at <= bindparam("at"))


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
