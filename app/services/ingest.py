"""Ingest: durable before answered. One transaction for as many requests as are waiting (group commit).

Each arrival is stored as it came, its events are added to their tickets, the tickets are judged, and what follows is written: all or
nothing. Only after the commit does the caller hear of it. A batch that fails is done again item by item, so that one poisonous item never
fails its neighbours; the poisonous one itself is kept in quarantine.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from app.errors import SlaError, Unavailable
from app.exchange import HttpRequest
from app.ids import INBOX, new_id
from app.rules.events import TicketEvent
from app.services.configuration import LiveConfig
from app.services.judge import Judged, judge
from app.services.recent import Recent
from app.store import inbox, tickets
from app.store.bulk import Sheaf
from app.store.database import Connection, Database
from app.store.tickets import LockedTicket, Ref
from app.telemetry import metrics
from app.timesource import Now

log = logging.getLogger(__name__)

BATCH_MAX = 256
"""Arrivals in one transaction."""
PATIENCE = 5.0
"""Seconds for which an arrival waits for a ticket that somebody else holds, before its sender is asked to come again."""
AGAIN = 0.02
"""Seconds after which such an arrival is tried again. Meanwhile the others go on."""
_CREDENTIALS = ("authorization", "cookie", "token", "signature", "secret", "api-key", "apikey", "password")

Outcome = Literal["applied", "duplicate", "ignored", "quarantined"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as it came in and what a translator made of it."""

    source: str
    via: Literal["webhook", "events", "poll", "import"]
    request: HttpRequest
    received_at: datetime
    events: tuple[TicketEvent, ...] = ()
    delivery_id: str | None = None
    ignored: str | None = None
    """Why it has no meaning for us; None when it has."""
    quarantined: str | None = None
    """Why it cannot be read; None when it can."""
    replay_of: str | None = None
    """The inbox id of the message that is replayed; None for a new one."""
    quiet: bool = False
    """It is history: what was broken before now is recorded, and nobody is told."""


@dataclass(frozen=True, slots=True)
class TicketRef:
    """A ticket by our id and by its name in the helpdesk."""

    id: str
    source: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an arrival. `accepted` says for each event whether it was new."""

    id: str
    outcome: Outcome
    reason: str | None = None
    tickets: tuple[TicketRef, ...] = ()
    accepted: tuple[bool, ...] = ()


@dataclass(slots=True, eq=False)
class _Waiting:
    arrival: Arrival
    done: asyncio.Future[Receipt]
    until: float | None = None
    """By the loop's clock, until when it waits for its tickets; None: it has not met one that is held."""


@dataclass(slots=True)
class _Plan:
    """One arrival inside a transaction."""

    arrival: Arrival
    id: str
    tickets: list[LockedTicket] = field(default_factory=list)
    accepted: list[bool] = field(default_factory=list)
    held_up: bool = False
    """One of its tickets is held by somebody else: nothing of it is done in this transaction."""


Nudge = Callable[[datetime | None, int], None]
"""Told after each commit: the nearest instant at which a changed clock has something to say, and how many deliveries were enqueued."""


class Ingest:
    """The group-commit writer of one process. `start` before the first `submit`; `stop` answers everything that is waiting."""

    def __init__(
        self, db: Database, live: LiveConfig, now: Now, *, queue_limit: int = 4096, nudge: Nudge | None = None, patience: float = PATIENCE
    ) -> None:
        self._db = db
        self._live = live
        self._now = now
        self._limit = queue_limit
        self._patience = patience
        self._nudge = nudge or (lambda _at, _count: None)
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._is_last = False
        """Whether nobody comes after the batch that is being stored."""
        self._recent = Recent()
        self._aside: dict[_Waiting, asyncio.TimerHandle] = {}

    def on_commit(self, nudge: Nudge) -> None:
        """Have `nudge` called after each commit from now on."""
        self._nudge = nudge

    async def start(self) -> None:
        self._is_last = False
        self._task = asyncio.create_task(self._run(), name="ingest")

    async def stop(self) -> None:
        """Take nothing new, commit what is waiting, end."""
        if self._task is not None:
            task, self._task = self._task, None
            self._queue.put_nowait(None)
            await task
            for waiting, timer in list(self._aside.items()):
                timer.cancel()
                await self._commit([waiting], skip_locked=False)

    async def submit(self, arrival: Arrival) -> Receipt:
        """Returns once the arrival is durable. Unavailable when too many are waiting or the database is not there."""
        if self._task is None:
            raise Unavailable("The service is shutting down.", headers={"Retry-After": "5"})
        if self._queue.qsize() >= self._limit:
            raise Unavailable("Too many messages are waiting to be stored.", headers={"Retry-After": "1"})
        waiting = _Waiting(arrival, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        receipt = await waiting.done
        metrics.INGESTED.labels(via=arrival.via, outcome=receipt.outcome).inc()
        return receipt

    async def _run(self) -> None:
        while not self._is_last and (first := await self._queue.get()) is not None:
            if not first.done.cancelled():
                await self._commit([first], boards=True)

    def _board(self, batch: list[_Waiting]) -> None:
        """Take along who is waiting by now."""
        while len(batch) < BATCH_MAX and not self._queue.empty():
            more = self._queue.get_nowait()
            if more is None:
                self._is_last = True
                return
            if not more.done.cancelled():
                batch.append(more)

    async def _commit(self, batch: list[_Waiting], *, boards: bool = False, skip_locked: bool = True) -> None:
        """One transaction for all; when it fails, one for each. `boards`: it takes along who comes until it has its turn."""
        try:
            receipts = await self._store(batch, boards=boards, skip_locked=skip_locked)
        except Unavailable as error:
            if boards:  # whoever waits behind them would wait as long for the same answer
                self._board(batch)
            _answer(batch, [error] * len(batch))
        except Exception as error:
            if len(batch) > 1:
                log.warning(
                    "A batch failed and is stored item by item.", extra={"event": "ingest.split", "size": len(batch)}, exc_info=error
                )
                for waiting in batch:
                    await self._commit([waiting])
            else:
                await self._isolate(batch[0], error)
        else:
            _answer(batch, receipts)
            for waiting in (waiting for waiting, receipt in zip(batch, receipts, strict=True) if receipt is None):
                self._set_aside(waiting)

    def _set_aside(self, waiting: _Waiting) -> None:
        """Somebody else holds its ticket: it is tried again in a moment, and the others need not wait for it."""
        loop = asyncio.get_running_loop()
        waiting.until = waiting.until or loop.time() + self._patience
        if loop.time() < waiting.until:
            self._aside[waiting] = loop.call_later(AGAIN, self._try_again, waiting)
        else:
            _answer([waiting], [Unavailable("The ticket is being changed by somebody else.", headers={"Retry-After": "1"})])

    def _try_again(self, waiting: _Waiting) -> None:
        if self._task is not None:  # else nobody may look into the queue any more: `stop` sees to what is aside
            del self._aside[waiting]
            self._queue.put_nowait(waiting)

    async def _isolate(self, waiting: _Waiting, error: Exception) -> None:
        """An arrival that cannot be processed even alone is kept, without effect, until somebody replays it."""
        log.error("A message could not be processed.", extra={"event": "ingest.poison", "source": waiting.arrival.source}, exc_info=error)
        reason = f"It could not be processed: {type(error).__name__}. The log has the details; replay it after an update."
        try:
            poison = _Waiting(replace(waiting.arrival, events=(), quarantined=reason), waiting.done)
            receipts: Sequence[Receipt | Exception | None] = await self._store([poison])
        except Exception as second:
            log.exception("A message could not be stored.", extra={"event": "ingest.lost", "source": waiting.arrival.source})
            receipts = [
                second if isinstance(second, SlaError) else Unavailable("The message could not be stored.", headers={"Retry-After": "30"})
            ]
        _answer([waiting], receipts)

    async def _store(self, batch: list[_Waiting], *, boards: bool = False, skip_locked: bool = True) -> list[Receipt | None]:
        """What became of each; None: nothing yet, somebody else holds its ticket."""
        with metrics.INGEST_COMMIT_SECONDS.time():
            receipts, judged = await self._transact(batch, boards, skip_locked)
        metrics.INGEST_BATCH.observe(len(batch))
        if judged is not None:
            self._nudge(judged.next_check_at, judged.deliveries)
        return receipts

    async def _transact(self, batch: list[_Waiting], boards: bool, skip_locked: bool) -> tuple[list[Receipt | None], Judged | None]:
        async with self._db.begin() as conn:
            if boards:  # not before: on SQLite a turn may have been long in coming
                self._board(batch)
            began, sheaf = self._now(), Sheaf(conn)
            plans = [_Plan(each.arrival, each.arrival.replay_of or new_id(INBOX)) for each in batch]
            changed, at = await self._apply(conn, sheaf, plans, skip_locked)
            judged = await judge(conn, changed, self._live.current, at, sheaf=sheaf) if changed else None
            receipts = [None if plan.held_up else _receipt(plan) for plan in plans]
            await _file(conn, sheaf, plans, receipts, at)
            await sheaf.write()
        if judged is not None:
            self._recent.keep(judged.known)
            judged.note(at + (self._now() - began))
        return receipts, judged

    async def _apply(
        self, conn: Connection, sheaf: Sheaf, plans: Sequence[_Plan], skip_locked: bool
    ) -> tuple[list[LockedTicket], datetime]:
        """Add the events to their tickets; the tickets that were told something new, and the present."""
        refs = {ref for plan in plans for ref in _refs(plan.arrival)}
        locked, told = await tickets.lock_refs(conn, refs, skip_locked=skip_locked)
        at = await self._db.now(conn, self._now) if told is None else self._db.present(told, self._now)
        missing = refs - locked.keys()  # few: most tickets are known
        if missing:
            locked |= await tickets.make_refs(conn, missing, at, skip_locked=skip_locked)
        held = {ref: self._recent.remind(ticket) for ref, ticket in locked.items()}
        if len(held) < len(refs):
            for plan in plans:
                plan.held_up = any(ref not in held for ref in _refs(plan.arrival))
        fresh = _fresh_events([plan for plan in plans if not plan.held_up], held)
        tickets.add_events(sheaf, fresh, at)
        news: dict[str, list[TicketEvent]] = {}
        for ticket_id, event, _ in fresh:
            news.setdefault(ticket_id, []).append(event)
        loud = {ticket.id for plan in plans if not plan.arrival.quiet for ticket in plan.tickets}
        return [ticket.with_fresh(news[ticket.id], quiet=ticket.id not in loud) for ticket in held.values() if ticket.id in news], at


def _refs(arrival: Arrival) -> list[Ref]:
    return [(event.source, event.ticket) for event in arrival.events]


def _fresh_events(plans: Sequence[_Plan], held: dict[Ref, LockedTicket]) -> list[tuple[str, TicketEvent, str]]:
    """The events nobody has told us before, here or earlier: (ticket id, event, inbox id). Notes in each plan what was new."""
    named = [(plan, held[(event.source, event.ticket)], event) for plan in plans for event in plan.arrival.events]
    seen: set[tuple[str, str]] = set()
    fresh: list[tuple[str, TicketEvent, str]] = []
    for plan, ticket, event in named:
        plan.tickets.append(ticket)
        is_new = (ticket.id, event.key) not in seen and not ticket.knows(event.key)
        plan.accepted.append(is_new)
        if is_new:
            seen.add((ticket.id, event.key))
            fresh.append((ticket.id, event, plan.id))
    return fresh


def _receipt(plan: _Plan) -> Receipt:
    arrival = plan.arrival
    named = tuple(dict.fromkeys(TicketRef(t.id, t.source, t.external_id) for t in plan.tickets))
    if arrival.quarantined is not None:
        return Receipt(plan.id, "quarantined", arrival.quarantined)
    if arrival.ignored is not None:
        return Receipt(plan.id, "ignored", arrival.ignored)
    outcome: Outcome = "applied" if any(plan.accepted) else "duplicate"
    return Receipt(plan.id, outcome, None, named, tuple(plan.accepted))


async def _file(conn: Connection, sheaf: Sheaf, plans: Sequence[_Plan], receipts: Sequence[Receipt | None], at: datetime) -> None:
    """The inbox rows: new messages are stored, replayed ones concluded."""
    rows = []
    for plan, receipt in zip(plans, receipts, strict=True):
        if receipt is None:
            continue
        ids = [ticket.id for ticket in receipt.tickets]
        if plan.arrival.replay_of is not None:
            await inbox.conclude(conn, plan.id, outcome=receipt.outcome, reason=receipt.reason, tickets=ids, replayed_at=at)
        else:
            rows.append(_inbox_row(plan, receipt, ids))
    inbox.add(sheaf, rows)


def _inbox_row(plan: _Plan, receipt: Receipt, ticket_ids: list[str]) -> dict[str, Any]:
    arrival = plan.arrival
    return {
        "id": plan.id,
        "source": arrival.source,
        "via": arrival.via,
        "delivery_id": arrival.delivery_id,
        "received_at": arrival.received_at,
        "method": arrival.request.method,
        "url": arrival.request.url.split("?", 1)[0],
        "headers": {name: value for name, value in arrival.request.headers.items() if not _is_credential(name)},
        "body": None if receipt.outcome == "duplicate" else arrival.request.body,
        "outcome": receipt.outcome,
        "reason": receipt.reason,
        "tickets": ticket_ids,
    }


@lru_cache(maxsize=1024)  # helpdesks send the same few names again and again
def _is_credential(header: str) -> bool:
    return any(word in header.lower() for word in _CREDENTIALS)


def _answer(batch: Sequence[_Waiting], results: Sequence[Receipt | Exception | None]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        if result is None or waiting.done.done():
            continue
        if isinstance(result, Receipt):
            waiting.done.set_result(result)
        else:
            waiting.done.set_exception(result)


FUTURE = timedelta(days=1)
"""An event dated later than this ahead of us is no clock skew: it cannot be read."""
ANCIENT = 2000
"""No ticket is older than this year."""
_KEY_MAX, _TICKET_MAX = 500, 300


def unreadable(events: Sequence[TicketEvent], received_at: datetime) -> str | None:
    """Why these events cannot be applied whatever the helpdesk meant; None when they can."""
    for event in events:
        if event.at > received_at + FUTURE:
            return f"the event is dated {event.at.isoformat()}, more than a day ahead"
        if event.at.year < ANCIENT:
            return f"the event is dated {event.at.isoformat()}, before the year {ANCIENT}"
        if not event.ticket or len(event.ticket) > _TICKET_MAX:
            return f"the ticket's id must have 1 to {_TICKET_MAX} characters"
        if not event.key or len(event.key) > _KEY_MAX:
            return f"the event's key must have 1 to {_KEY_MAX} characters"
    return None
