"""Canonical events from `POST /v1/events`: each judged by itself, stored together, answered one by one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from app.errors import Fault, Unavailable
from app.exchange import HttpRequest
from app.rules.events import TicketEvent
from app.schemas.events_in import read_event
from app.schemas.json_items import Item
from app.services.ingest import Arrival, Ingest, Receipt, TicketRef, unreadable
from app.timesource import Now

AHEAD: Final = timedelta(minutes=5)
"""An event further ahead of our clock than this is accepted with a warning."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item. `faults` have pointers into the item."""

    pointer: str
    outcome: Literal["applied", "duplicate", "quarantined", "refused", "unavailable"]
    receipt: str | None = None
    ticket: TicketRef | None = None
    key: str | None = None
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


async def take(ingest: Ingest, items: Sequence[Item], request: HttpRequest, now: Now) -> list[Result]:
    """Store what can be read; in the order of the items. Returns when it is durable. Unavailable when nothing could be stored."""
    at = now()
    results: dict[int, Result] = {}
    groups: dict[str, list[tuple[int, TicketEvent]]] = {}
    for index, item in enumerate(items):
        event = _read(item, at)
        if isinstance(event, TicketEvent):
            groups.setdefault(event.source, []).append((index, event))
        else:
            results[index] = Result(item.pointer, "refused", faults=tuple(event))
    base = Arrival("", "events", request, at)
    told = await asyncio.gather(*(_store(ingest, replace(base, source=source), group) for source, group in groups.items()))
    for index, event, receipt in (entry for entries in told for entry in entries):
        results[index] = _result(items[index].pointer, event, receipt, at)
    ordered = [results[index] for index in range(len(items))]
    if ordered and all(result.outcome == "unavailable" for result in ordered):
        raise Unavailable("The events could not be stored at the moment.", headers={"Retry-After": "1"})
    return ordered


Told = tuple[int, TicketEvent, tuple[Receipt, TicketRef | None, bool] | Unavailable]


async def _store(ingest: Ingest, base: Arrival, group: Sequence[tuple[int, TicketEvent]]) -> list[Told]:
    """One message for the events of a source. When one of them is poison, one for each, so that only that one suffers."""
    try:
        receipt = await ingest.submit(replace(base, events=tuple(event for _, event in group)))
    except Unavailable as error:
        return [(index, event, error) for index, event in group]
    if receipt.outcome == "quarantined" and len(group) > 1:
        alone = await asyncio.gather(*(_store(ingest, base, [entry]) for entry in group))
        return [told for tolds in alone for told in tolds]
    accepted = receipt.accepted or (False,) * len(group)
    refs = {(ticket.source, ticket.external_id): ticket for ticket in receipt.tickets}
    return [
        (index, event, (receipt, refs.get((event.source, event.ticket)), new)) for (index, event), new in zip(group, accepted, strict=True)
    ]


def _read(item: Item, at: datetime) -> TicketEvent | list[Fault]:
    if item.fault is not None:
        return [item.fault]
    event = read_event(item.value)
    if isinstance(event, TicketEvent) and (why := unreadable([event], at)) is not None:
        return [Fault("/at" if "dated" in why else "", why)]
    return event


def _result(pointer: str, event: TicketEvent, told: tuple[Receipt, TicketRef | None, bool] | Unavailable, at: datetime) -> Result:
    if isinstance(told, Unavailable):
        return Result(pointer, "unavailable", key=event.key, faults=(Fault("", told.detail),))
    receipt, ticket, new = told
    warnings = (f"the event is dated {(event.at - at).total_seconds():.0f} seconds ahead of our clock",) if event.at - at > AHEAD else ()
    if receipt.outcome == "quarantined":
        return Result(
            pointer, "quarantined", receipt.id, None, event.key, warnings, (Fault("", receipt.reason or "could not be processed"),)
        )
    return Result(pointer, "applied" if new else "duplicate", receipt.id, ticket, event.key, warnings)
