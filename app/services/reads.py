"""Asking: lists by page or as a whole, and single things. Nothing here writes."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from app.errors import BreachNotFound, ClockNotFound, DeliveryNotFound, EscalationNotFound, MessageNotFound, SilenceNotFound, TicketNotFound
from app.rules.calendar import Calendar
from app.rules.explain import as_json, explain
from app.rules.policy import Book
from app.schemas.instants import rfc3339
from app.services.configuration import Current, LiveConfig
from app.services.keys import cursor_secret
from app.services.signalling import shown
from app.services.silences import state_of
from app.services.silencing import silence_of
from app.store import context, escalations, reads
from app.store.cursors import Signer
from app.store.database import Database
from app.store.listings import CLOCKS, EVENTS, SIGNALS, SILENCES, TICKETS
from app.store.lists import Ask, Listing, Pairs, Row, read_ask, read_page
from app.store.reads import Conditions
from app.store.types import from_microseconds
from app.timesource import Now

STREAMED: Final = 500
"""Rows read at once when a whole list is streamed: memory stays flat."""
_DELIVERIES: Final = 200
_SECOND: Final = 1_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Listed:
    """One page. Instants are datetimes; `next_cursor` None: the last page."""

    rows: list[Row]
    next_cursor: str | None


class Reader:
    """Answers questions from the database; one per process."""

    def __init__(self, db: Database, live: LiveConfig, now: Now, *, cursor_key: str | None = None, admin_key: str | None = None) -> None:
        self._db, self._live, self._now = db, live, now
        self._cursor_key, self._admin_key = cursor_key, admin_key
        self._signer: Signer | None = None

    async def ask(self, listing: Listing, pairs: Pairs, *, also: Conditions = (), scope: str = "") -> Ask:
        """The question of a query string, checked; raises what `read_ask` raises."""
        return read_ask(listing, pairs, self._now(), await self._signing(), also, scope)

    async def page(self, listing: Listing, ask: Ask) -> Listed:
        """The page that was asked for."""
        async with self._db.read() as conn:
            page = await read_page(conn, listing, ask)
        rows = [self._complete(listing, row, ask.at) for row in page.rows]
        return Listed(rows, (await self._signing()).sign(page.next, ask.binding) if page.next else None)

    async def all(self, listing: Listing, ask: Ask) -> AsyncIterator[list[Row]]:
        """Every row from the cursor on, in portions. Each portion is a transaction of its own, so that a slow reader holds nothing up."""
        ask = replace(ask, limit=STREAMED)
        while True:
            async with self._db.read() as conn:
                page = await read_page(conn, listing, ask)
            yield [self._complete(listing, row, ask.at) for row in page.rows]
            if page.next is None:
                return
            ask = replace(ask, after=page.next)

    async def ticket(self, reference: str) -> Row:
        """One ticket, by our id or `source:external`. TicketNotFound."""
        async with self._db.read() as conn:
            row = await reads.ticket(conn, reference)
        if row is None:
            raise TicketNotFound(f"There is no ticket {reference}.")
        return self._complete(TICKETS, row, self._now())

    async def ticket_with_signals(self, reference: str) -> Row:
        """The same with the signals it has raised, oldest first, without those that were taken back. TicketNotFound."""
        row = await self.ticket(reference)
        async with self._db.read() as conn:
            found = (await context.signals_of(conn, [row["id"]])).get(row["id"], ())
        return row | {"signals": [{**each._mapping, **each.evidence} for each in found]}

    async def explain(self, reference: str, at: datetime | None) -> dict[str, Any]:
        """The working behind the ticket's clocks, by the configuration in force. TicketNotFound.

        With `at`: as it stood at that instant, by the events up to it. None: now, by all events.
        """
        ticket = await self.ticket(reference)
        current, moment = self._live.current, at or self._now()
        async with self._db.read() as conn:
            timeline = await reads.timeline(conn, ticket["id"])
            if at is not None:
                timeline = timeline.until(at)
            signals = await shown(conn, ticket["id"], ticket["source"], timeline, current.loaded, current.book, moment)
        working = await asyncio.to_thread(lambda: as_json(explain(timeline, current.book, moment)))
        return {"ticket_id": ticket["id"], **working, "signals": signals}

    async def clock(self, clock_id: str) -> Row:
        """One clock. ClockNotFound."""
        async with self._db.read() as conn:
            row = await reads.clock(conn, clock_id)
        if row is None:
            raise ClockNotFound(f"There is no clock {clock_id}.")
        return self._complete(CLOCKS, row, self._now())

    async def breach(self, breach_id: str) -> Row:
        """One breach with evidence and deliveries. BreachNotFound."""
        async with self._db.read() as conn:
            row = await reads.breach(conn, breach_id)
            if row is None:
                raise BreachNotFound(f"There is no breach {breach_id}.")
            row["deliveries"] = await reads.deliveries_of(conn, breach_id, limit=_DELIVERIES)
        return row

    async def escalation(self, escalation_id: str) -> Row:
        """One escalation with its log and deliveries. EscalationNotFound."""
        async with self._db.read() as conn:
            row = await reads.escalation(conn, escalation_id)
            if row is None:
                raise EscalationNotFound(f"There is no escalation {escalation_id}.")
            row["log"] = [_line(line) for line in await escalations.log_of(conn, escalation_id)]
            row["deliveries"] = await reads.deliveries_of_escalation(conn, escalation_id, limit=_DELIVERIES)
        return row

    async def delivery(self, delivery_id: str) -> Row:
        """One delivery with every try. DeliveryNotFound."""
        async with self._db.read() as conn:
            row = await reads.delivery(conn, delivery_id)
            if row is None:
                raise DeliveryNotFound(f"There is no delivery {delivery_id}.")
            tries = await reads.attempts_of(conn, delivery_id)
        row["history"] = [
            {name: value for name, value in attempt.items() if name != "delivery_id"} | _answer(dict(attempt)) for attempt in tries
        ]
        return row

    async def silence(self, silence_id: str) -> Row:
        """One silence, as it stands now. SilenceNotFound."""
        async with self._db.read() as conn:
            row = await reads.silence(conn, silence_id)
        if row is None:
            raise SilenceNotFound(f"There is no silence {silence_id}.")
        return self._complete(SILENCES, row, self._now())

    async def message(self, message_id: str) -> Row:
        """One message of the inbox, raw. MessageNotFound."""
        async with self._db.read() as conn:
            row = await reads.message(conn, message_id)
        if row is None:
            raise MessageNotFound(f"There is no message {message_id}.")
        return row | {"body": None if row["body"] is None else _raw(row["body"])}

    async def _signing(self) -> Signer:
        if self._signer is None:
            self._signer = Signer(await cursor_secret(self._db, self._cursor_key, self._admin_key))
        return self._signer

    def _complete(self, listing: Listing, row: Row, at: datetime) -> Row:
        completion = _COMPLETIONS.get(listing.name)
        return completion(row, at, self._live.current) if completion else row


def _with_time_left(row: Row, at: datetime, current: Current) -> Row:
    """A clock as of `at`: what a running one has consumed since it was judged, and what is left. Seconds are cut, towards the past."""
    due, target = row["due_at"], row["target_seconds"]
    running = row["state"] == "running" and due is not None
    remaining = None if target is None else (target - row["elapsed_seconds"]) * _SECOND
    if running:
        calendar = _calendar(current.book, row["policy"], row["metric"])
        remaining = None if calendar is None else _open_between(calendar, at, due)
        if target is not None and remaining is not None:
            row["elapsed_seconds"] = (target * _SECOND - remaining) // _SECOND
        elif calendar is not None:
            row["elapsed_seconds"] += max(0, _open_between(calendar, row["judged_at"], at)) // _SECOND
    row["remaining_seconds"] = None if remaining is None else remaining // _SECOND
    row["remaining_calendar_seconds"] = int((due - at).total_seconds() // 1) if running else None
    row["elapsed_percent"] = None if not target else round(100 * row["elapsed_seconds"] / target, 1)
    return row


def _calendar(book: Book, policy: str, metric: str) -> Calendar | None:
    """The calendar a clock runs on; None when its policy is not in the configuration any more (it is about to be judged anew)."""
    terms = next((chosen.terms.get(metric) for chosen in book.policies if chosen.name == policy), None)
    return terms.calendar if terms is not None else None


def _open_between(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Open microseconds from `start` to `end`; negative when `end` is the earlier one."""
    if start <= end:
        return calendar.open_microseconds_between(start, end)
    return -calendar.open_microseconds_between(end, start)


def _spoken(row: Row, at: datetime, current: Current) -> Row:  # noqa: ARG001
    """An event with its parts by name."""
    said = row.pop("body")
    message = said["message"]
    row["actor"] = dict(zip(("kind", "id"), said["actor"], strict=True))
    row["set"] = {
        name: rfc3339(from_microseconds(value["at"])) if isinstance(value, dict) else value for name, value in said["set"].items()
    }
    row["message"] = None if message is None else dict(zip(("author", "public", "id"), message, strict=True))
    row["echo"] = said["echo"]
    return row


def _with_tags(row: Row, at: datetime, current: Current) -> Row:  # noqa: ARG001
    row["tags"] = row["tags"] or []
    return row


def _with_state(row: Row, at: datetime, current: Current) -> Row:  # noqa: ARG001
    """A silence with its state; `ends_at` stays as it was asked for."""
    state = state_of(silence_of(row), at)
    return {"id": row["id"], "state": state, **{name: value for name, value in row.items() if name not in ("id", "over_at")}}


def _with_evidence(row: Row, at: datetime, current: Current) -> Row:  # noqa: ARG001
    """A signal; the sentences and the keys of its evidence by name."""
    evidence: Row = row.pop("evidence")
    return row | evidence


_COMPLETIONS: Final[Mapping[str, Callable[[Row, datetime, Current], Row]]] = {
    CLOCKS.name: _with_time_left,
    EVENTS.name: _spoken,
    SIGNALS.name: _with_evidence,
    SILENCES.name: _with_state,
    TICKETS.name: _with_tags,
}


def _line(line: Mapping[str, Any]) -> Row:
    """A line of an escalation's log; the instants in its detail written out."""
    detail = {
        name: rfc3339(from_microseconds(value)) if name in ("due_at", "until") else value
        for name, value in line["detail"].items()
        if name != "link"
    }
    return {name: line[name] for name in ("number", "at", "kind", "actor", "note")} | {"detail": detail}


def _answer(attempt: Mapping[str, Any]) -> Row:
    answer = attempt["answer"]
    return {"answer": None if answer is None else answer.decode("utf-8", "replace")}


def _raw(body: bytes) -> dict[str, str]:
    try:
        return {"encoding": "utf-8", "text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"encoding": "base64", "text": base64.b64encode(body).decode("ascii")}
