"""A service without HTTP: a database, a document, ingest, and a clock that only the test moves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from app.exchange import HttpRequest
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.schemas.events_out import event_types
from app.services.breaches import Pass, fire_due
from app.services.configuration import LiveConfig
from app.services.ingest import Arrival, Ingest, Receipt
from app.store.database import Database
from app.store.tables import notices
from tests.support.clock import FakeClock

DOCUMENT = """
version: 1
policies:
  - name: everyone
    targets:
      first_response: 1h
      next_response: 1h
      resolution: 4h
    warn_at: [50%]
    escalation: ladder
escalations:
  ladder:
    steps:
      - {at: breach, type: hierarchical, notify: lead}
channels:
  upstream: {kind: webhook, url: "https://hooks.example.com/sla", secret: "${env:SECRET}", events: ["sla.*"]}
  lead: {kind: webhook, url: "https://lead.example.com/sla", secret: "${env:SECRET}"}
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_KINDS = {
    "created": (EventKind.TICKET_CREATED, ActorKind.CUSTOMER),
    "asks": (EventKind.MESSAGE_CUSTOMER, ActorKind.CUSTOMER),
    "replies": (EventKind.MESSAGE_AGENT_PUBLIC, ActorKind.AGENT),
    "updated": (EventKind.TICKET_UPDATED, ActorKind.SYSTEM),
}


def event(at: datetime, what: str, ticket: str = "1", *, key: str | None = None, **facts: FactValue) -> TicketEvent:
    """`created`, `asks`, `replies` or `updated` at an instant, asserting facts."""
    kind, actor = _KINDS[what]
    message = Message(actor, public=True, id=key) if what in ("asks", "replies") else None
    return TicketEvent("desk", ticket, key or f"{what}@{at.isoformat()}", at, kind, facts, message, Actor(actor, f"{actor}-1"))


@dataclass(slots=True)
class World:
    """Everything at hand."""

    db: Database
    live: LiveConfig
    ingest: Ingest
    clock: FakeClock

    async def tell(self, *events: TicketEvent, **more: Any) -> Receipt:
        """The helpdesk tells us these events in one message, now."""
        request = HttpRequest("POST", "/v1/events", {"authorization": "Bearer secret", "content-type": "application/json"}, b"{}")
        return await self.ingest.submit(Arrival("desk", "events", request, self.clock(), events, **more))

    async def tick(self) -> Pass:
        return await fire_due(self.db, self.live, self.clock)

    async def require_documented_bodies(self) -> None:
        """Everything that was said is what its public model says, to the byte: read by it and written again it is the same."""
        for row in await self.rows(notices):
            if row.type in event_types():
                assert as_documented(row.type, row.body) == row.body

    async def rows(self, table: Table, *order: str) -> Sequence[Any]:
        async with self.db.read() as conn:
            query = select(table).order_by(*[table.c[name] for name in order or table.primary_key.columns.keys()])
            return list(await conn.execute(query))


def as_documented(type_: str, body: bytes) -> bytes:
    """A body as the model of its event writes what it has read."""
    return event_types()[type_].model_validate_json(body, strict=True).model_dump_json(exclude_none=True).encode()


@asynccontextmanager
async def world(
    db: Database, clock: FakeClock, folder: Path, document: str = DOCUMENT, *, public_url: str | None = None
) -> AsyncIterator[World]:
    file = folder / "slawatch.yaml"
    file.write_text(document)
    live = LiveConfig(db, clock, {"SECRET": SECRET}, folder, public_url=public_url)
    await live.start(file)
    ingest = Ingest(db, live, clock)
    await ingest.start()
    made = World(db, live, ingest, clock)
    yield made
    await ingest.stop()
    await made.require_documented_bodies()
