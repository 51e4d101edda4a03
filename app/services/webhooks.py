"""A helpdesk's webhook: verified, read, stored; or only looked at (preview); or read again (replay)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app import helpdesks
from app.errors import Conflict, MessageNotFound, SourceNotFound, Unreadable
from app.exchange import HttpRequest
from app.helpdesks import Answer, Reading, SourceConfig
from app.helpdesks._describe import event_as_json
from app.services.configuration import LiveConfig
from app.services.ingest import Arrival, Ingest, Receipt, unreadable
from app.store import inbox
from app.store.database import Database
from app.timesource import Now


@dataclass(frozen=True, slots=True)
class Preview:
    """What a payload would say; nothing was stored."""

    outcome: Literal["applied", "ignored", "quarantined"]
    reason: str | None
    events: list[dict[str, Any]]


async def receive(ingest: Ingest, live: LiveConfig, source: str, request: HttpRequest, now: Now) -> Receipt | Answer:
    """Verify the raw bytes, read them, return once they are durable: the receipt, or what the vendor has to read instead of it.

    SourceNotFound, InvalidSignature (nothing is stored), Unavailable. What is authentic but cannot be read goes to quarantine. A handshake
    of the vendor's set-up carries no ticket: it is verified and answered, and nothing is stored.
    """
    config = configured(live, source)
    at = now()
    helpdesks.load(config.kind).verify(request, config, at)
    answer = helpdesks.answer_of(request, config)
    if answer is not None and answer.handshake:
        return answer
    receipt = await ingest.submit(_arrival(config, source, request, at))
    return receipt if answer is None else answer


def preview(live: LiveConfig, source: str, request: HttpRequest, now: Now) -> Preview:
    """What a payload would say. The signature is not asked for."""
    config = configured(live, source)
    try:
        reading = _read(config, request, now())
    except Unreadable as error:
        return Preview("quarantined", error.detail, [])
    return Preview(reading.outcome, reading.reason, [event_as_json(event) for event in reading.events])


async def replay(ingest: Ingest, db: Database, live: LiveConfig, message_id: str) -> Receipt:
    """Read a stored message again, as of when it arrived, by the source as it is configured now.

    MessageNotFound; Conflict when its body was not kept (duplicates) or it came as canonical events, which are read at once.
    """
    async with db.read() as conn:
        row = await inbox.get(conn, message_id)
    if row is None:
        raise MessageNotFound(f"There is no message {message_id}.")
    if row.body is None or row.via not in ("webhook", "import"):
        raise Conflict(f"Message {message_id} cannot be replayed: its body was not kept, everything it says is known already.")
    config = configured(live, row.source)
    return await ingest.submit(_arrival(config, row.source, _stored(row), row.received_at, replay_of=message_id))


def tried(live: LiveConfig, row: Any) -> tuple[str, str | None]:
    """What reading a stored message again would come to, and why; nothing is stored. What it says may be known already."""
    config = configured(live, row.source)
    arrival = _arrival(config, row.source, _stored(row), row.received_at)
    outcome = "quarantined" if arrival.quarantined else "ignored" if arrival.ignored else "applied"
    return outcome, arrival.quarantined or arrival.ignored


def configured(live: LiveConfig, source: str) -> SourceConfig:
    """The source of this name. SourceNotFound."""
    config = live.current.loaded.sources.get(source)
    if config is None:
        raise SourceNotFound(f"There is no source {source!r} in the configuration.")
    return config


def _stored(row: Any) -> HttpRequest:
    """The request as it came in."""
    return HttpRequest(method=row.method, url=row.url, headers=row.headers, body=row.body)


def _arrival(config: SourceConfig, source: str, request: HttpRequest, at: datetime, replay_of: str | None = None) -> Arrival:
    try:
        reading = _read(config, request, at)
    except Unreadable as error:
        return Arrival(source, "webhook", request, at, quarantined=error.detail, replay_of=replay_of)
    ignored = (reading.reason or "no meaning for us") if reading.outcome == "ignored" else None
    return Arrival(source, "webhook", request, at, reading.events, reading.delivery_id, ignored, replay_of=replay_of)


def _read(config: SourceConfig, request: HttpRequest, at: datetime) -> Reading:
    reading = helpdesks.load(config.kind).parse(request, config, at)
    if (why := unreadable(reading.events, at)) is not None:
        raise Unreadable(why)
    return reading
