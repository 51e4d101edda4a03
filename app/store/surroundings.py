"""What there is around some tickets that matters when something is said of them: one statement, since mostly there is nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, exists, select

from app.store.database import Connection
from app.store.dialect import named_among
from app.store.tables import escalations, signals, silences, source_states
from app.store.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Whether there is, or may be, any of it."""

    runs: bool = True
    """Escalations of the tickets, closed ones too."""
    signals: bool = True
    """Signals of the tickets."""
    silences: bool = True
    """Silences that hold."""
    silent_sources: bool = True


UNKNOWN: Final = Surroundings()
"""There may be anything."""
_AT: Final = bindparam("at", type_=UtcDateTime)
_AROUND: Final = select(
    exists().where(named_among(escalations.c.ticket_id, "tickets")),
    exists().where(named_among(signals.c.ticket_id, "tickets")),
    exists().where(silences.c.over_at > _AT, silences.c.starts_at <= _AT),
    exists().where(source_states.c.silent_since.is_not(None)),
)


async def of(conn: Connection, ticket_ids: Collection[str], at: datetime) -> Surroundings:
    """What there is around these tickets at an instant."""
    return Surroundings(*[bool(found) for found in (await conn.execute(_AROUND, {"tickets": ticket_ids, "at": at})).one()])
