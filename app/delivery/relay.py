"""The relay: takes ready deliveries out of the outbox, sends them, has recorded what came of it.

A delivery is claimed with a lease and a fencing number, sent outside any transaction, and recorded under that number. Whoever dies on
the way leaves a lease that ends; whoever comes back late finds a newer number and changes nothing. Channels are claimed by
themselves and sent by senders of their own, so one that is slow or dead holds back only itself; an endpoint that gives no answer
is left alone by its breaker (`app.delivery.breaker`), without its deliveries losing attempts. What can go at once does not come this way:
it is claimed by the transaction that enqueues it (`app.delivery.express`).
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from app.delivery import fallbacks
from app.delivery.breaker import PROBE, Tried
from app.delivery.client import DeliveryClient
from app.delivery.digests import fold_ready
from app.delivery.express import LEASE, Express, Handed, give_up_at
from app.delivery.recorder import Record, Recorder
from app.delivery.routes import Routes
from app.delivery.schedule import next_attempt_at
from app.delivery.sending import Attempt, Notices, attempt
from app.delivery.turns import PER_CHANNEL, InHand, Turns
from app.delivery.write_back import WriteBacks, is_write_back
from app.exchange import Delivered, Rejected, Retry
from app.store import claims, endpoints, outbox
from app.store.claims import Claim, End, Ended, Head, Want
from app.store.database import Connection, Database
from app.telemetry import metrics
from app.timesource import Now

__all__ = ["LEASE", "PER_CHANNEL", "Relay"]

log = logging.getLogger(__name__)

_UPKEEP: Final = timedelta(seconds=1)
_BACKLOG_MAX: Final = 2000
_DETAIL_MAX: Final = 1000


class Relay:
    """The senders of one process. `routes_now` gives the channels of the configuration in force."""

    def __init__(
        self,
        db: Database,
        client: DeliveryClient,
        routes_now: Callable[[], Routes],
        now: Now,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._db = db
        self._client = client
        self._routes_now = routes_now
        self._now = now
        self._jitter = jitter
        self.on_room: Callable[[], None] = lambda: None
        """Called when there may be more to claim before the instant that `run_once` has named."""
        self.express = Express(self._room_at_once, self._send_at_once)
        """For transactions that enqueue what can go at once."""
        self._recorder = Recorder(db, routes_now, lambda: self.on_room())
        self._turns = Turns()
        self._notices = Notices()
        self._write_backs = WriteBacks(db, client, routes_now, self._at)
        self._senders: set[asyncio.Task[None]] = set()
        self._more: set[str] = set()
        self._upkept: datetime | None = None
        self._stopping = False
        self._skew = timedelta(0)
        """What the database's clock is ahead of this machine's."""

    async def run_once(self) -> datetime | None:
        """Claim what is ready and start sending it. Returns when the next delivery is ready, None when none is waiting."""
        async with self._db.ask() as conn:  # most looks find nothing, and end here
            told, heads = await claims.look(conn)
        at = self._db.present(told, self._now)
        self._skew = at - self._now()
        is_idle = self._is_idle(heads, at)
        if not is_idle or self._turns.waiting():
            await self._look_closer(at)
        self._observe(heads, at)
        if is_idle:
            return self._nearest(heads, at, set())
        async with self._db.begin() as conn:
            await self._keep_up(conn, at)
            await self._fold(conn, heads, at)
            asked, taken = await self._claim(conn, heads, at)
            heads = (await claims.look(conn))[1] if asked else heads
            bodies = await claims.bodies(conn, self._notices.missing(taken))
        self._send(taken, bodies, give_up_at())
        return self._nearest(heads, at, asked - {claim.channel for claim in taken})

    def _send(self, taken: Sequence[Claim], bodies: Mapping[str, bytes], until: float) -> None:
        """Let claims wait for their turn, and start as many senders as may be at work."""
        notices = self._notices.keep(taken, bodies)
        self._turns.add(InHand(claim, notices[claim.notice_id], until) for claim in taken)
        self._start()

    def _room_at_once(self, channel: str) -> int:
        """How many deliveries of a channel may go past the outbox: none before it is known how the endpoints do, to one that is not well,
        or while older ones wait."""
        endpoint = self._recorder.book.get(channel)
        is_well = endpoint is None or (endpoint.disabled_at is None and endpoint.open_until is None)
        is_open = self._upkept is not None and not self._stopping and self._recorder.backlog <= _BACKLOG_MAX
        return self._turns.room(channel) if is_open and is_well and channel not in self._more else 0

    def _send_at_once(self, handed: Handed) -> None:
        if self._stopping:
            self._give_back(handed.claims)
        else:
            self._send(handed.claims, handed.bodies, handed.until)

    async def reclaim(self) -> int:
        """After a start on SQLite, where nobody else can be sending: what a killed process had on its way is ready at once, not when its
        lease ends. How many there were; on PostgreSQL always 0, since the holder may be alive."""
        if self._db.dialect != "sqlite":
            return 0
        async with self._db.begin() as conn:
            return await claims.release(conn, await self._db.now(conn, self._now))

    @property
    def sending(self) -> int:
        """How many requests are on their way."""
        return self._turns.busy

    async def drain(self) -> None:
        """Wait until everything claimed is sent and recorded."""
        while self._senders or self._recorder.backlog:
            if self._senders:
                await asyncio.wait(set(self._senders))
            await self._recorder.idle()

    async def stop(self) -> None:
        """Send nothing more: what waits for its turn is given back, what is on its way is awaited and recorded."""
        self._stopping = True
        waiting = self._turns.waiting()
        self._turns.drop({claim.id for claim in waiting})
        self._give_back(waiting)
        await self.drain()

    async def _look_closer(self, at: datetime) -> None:
        """Learn how the endpoints do, and drop what was taken back meanwhile."""
        version = self._recorder.version
        waiting = self._turns.waiting()  # before the moment that is read: what is handed over later is not in it, and wanted all the same
        async with self._db.read() as conn:
            self._recorder.learn(await endpoints.known(conn), version)
            await self._drop_unwanted(conn, waiting, at)

    async def _drop_unwanted(self, conn: Connection, waiting: Sequence[Claim], at: datetime) -> None:
        """Look again at what waits for its turn here: what was taken back meanwhile is not sent."""
        if waiting:
            wanted = await claims.still_wanted(conn, waiting)
            unwanted = [claim for claim in waiting if claim.id not in wanted]
            self._turns.drop({claim.id for claim in unwanted})
            self._recorder.put(Record(Ended(claim, "superseded", at)) for claim in unwanted)

    def _is_idle(self, heads: Sequence[Head], at: datetime) -> bool:
        return self._upkept is not None and timedelta(0) <= at - self._upkept < _UPKEEP and all(head.at > at for head in heads)

    async def _keep_up(self, conn: Connection, at: datetime) -> None:
        """Once a second: end what is not worth saying any more, tell the fallbacks."""
        if self._upkept is not None and timedelta(0) <= at - self._upkept < _UPKEEP:
            return
        self._upkept = at
        await outbox.expire(conn, at)
        await fallbacks.tell(conn, self._routes_now(), at)

    async def _fold(self, conn: Connection, heads: Sequence[Head], at: datetime) -> None:
        """Where a channel groups: of what is ready, decide what goes by itself, and fold the rest (`app.delivery.digests`)."""
        routes = self._routes_now()
        for head in heads:
            group, endpoint = routes.groups.get(head.channel), self._recorder.book.get(head.channel)
            is_served = endpoint is None or (endpoint.disabled_at is None and endpoint.open_until is None)
            if group is not None and head.lane == outbox.LIVE and head.at <= at and is_served:
                await fold_ready(conn, head.channel, group, routes, at)

    async def _claim(self, conn: Connection, heads: Sequence[Head], at: datetime) -> tuple[set[str], list[Claim]]:
        """Claim for the channels that have something ready, are in use and have room: which were asked, and what was taken."""
        wants: list[Want] = []
        for head in heads:
            endpoint = self._recorder.book.get(head.channel)
            if head.at > at or self._recorder.backlog > _BACKLOG_MAX:
                continue
            if endpoint is not None and endpoint.disabled_at is not None:
                await outbox.hold(conn, head.channel, at)
                self._give_back(self._turns.clear(head.channel))
            elif endpoint is not None and endpoint.open_until is not None:
                if endpoint.open_until <= at and await endpoints.take_probe(conn, head.channel, at, at + PROBE):
                    wants.append(Want(head.channel, head.lane, 1))
            elif (room := self._turns.room(head.channel) - sum(w.room for w in wants if w.channel == head.channel)) > 0:
                wants.append(Want(head.channel, head.lane, room))
        taken = await claims.claim(conn, at, wants, lease=LEASE, ordered=self._routes_now().ordered)
        return {want.channel for want in wants}, taken

    def _nearest(self, heads: Sequence[Head], at: datetime, fruitless: set[str]) -> datetime | None:
        """When there is something to claim again. Not counted: what is ready while its channel has no room (a sender says when it has),
        or while others hold it (`fruitless`: claimed in vain just now)."""
        self._more = {head.channel for head in heads if head.at <= at}
        found: list[datetime] = []
        for head in heads:
            endpoint = self._recorder.book.get(head.channel)
            if endpoint is not None and endpoint.open_until is not None:
                found.append(max(head.at, endpoint.open_until, at + _UPKEEP))
            elif head.at > at or (head.channel not in fruitless and self._turns.room(head.channel) > 0):
                found.append(head.at)
        return min(found, default=None)

    def _start(self) -> None:
        """Start as many senders as may be at work."""
        for channel in () if self._stopping else self._turns.free():
            task = asyncio.create_task(self._send_all(channel), name=f"deliver to {channel}")
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)

    async def _send_all(self, channel: str) -> None:
        """One sender: one delivery after another while there are some."""
        try:
            while (each := self._turns.take(channel)) is not None:
                await self._deliver(each)
                if channel in self._more and self._turns.room(channel) > 0:
                    self._more.discard(channel)
                    self.on_room()
        finally:
            self._turns.stopped(channel)
            self._start()

    async def _deliver(self, each: InHand) -> None:
        """One attempt, from claim to record. A fault of ours counts as an attempt and is tried again."""
        claim, begun, started = each.claim, monotonic(), self._at()
        if begun > each.until or self._is_disabled(claim.channel):
            self._give_back([claim])
            return
        if claim.expires_at is not None and claim.expires_at <= started:
            self._recorder.put([Record(Ended(claim, "expired", started))])
            return
        try:
            if is_write_back(claim.channel) and (ended := await self._write_backs.put_off(claim, started)) is not None:
                self._recorder.put([Record(ended)])
                return
            made = await self._attempt(each)
        except Exception:
            log.exception("A delivery could not be attempted.", extra={"event": "delivery.failed", "delivery_id": claim.id})
            made = Attempt(Retry("internal", "the attempt failed here; the log has the details"), "unknown")
        released = self._turns.tried(claim.channel, monotonic() - begun, answered=made.answered)
        self._recorder.put([self._record(claim, made, started)])
        self._give_back(released)

    async def _attempt(self, each: InHand) -> Attempt:
        if is_write_back(each.claim.channel):
            return await self._write_backs.attempt(each.claim, each.notice)
        return await attempt(self._client, self._routes_now().channels.get(each.claim.channel), each.notice, self._at)

    def _record(self, claim: Claim, made: Attempt, started: datetime) -> Record:
        at = self._at()
        again: datetime | None = None
        state: End
        detail: str | None
        match made.outcome:
            case Delivered():
                state, error_class, detail = "delivered", "ok", None
                if not is_write_back(claim.channel):  # which wait for their budget, and tell nobody
                    metrics.DETECTED_TO_DELIVERED.observe(max(0.0, (at - claim.created_at).total_seconds()))
            case Rejected(error_class=error_class, detail=detail, dropped=dropped):
                state = "superseded" if dropped else "dead"
            case Retry(error_class=error_class, detail=detail, not_before=hint):
                tries = claim.attempts - claim.earlier_attempts
                again = next_attempt_at(tries, at, outcome_hint=hint, expires_at=claim.expires_at, jitter=self._jitter())
                state = "pending" if again is not None else "expired" if claim.expires_at is not None else "dead"
        metrics.DELIVERIES.labels(made.kind, error_class).inc()
        detail = detail[:_DETAIL_MAX].replace("\x00", "") if detail else None
        row = made.row(claim, started, error_class, detail)
        gone = isinstance(made.outcome, Rejected) and made.outcome.disable
        shown = None if error_class == "ok" else error_class
        return Record(Ended(claim, state, at, again, shown, detail, row), Tried(at, error_class, detail, gone))

    def _give_back(self, unsent: Iterable[Claim]) -> None:
        """Claims that were not sent after all: ready again at once, without an attempt."""
        at = self._at()
        self._recorder.put(Record(Ended(claim, "pending", at, at)) for claim in unsent)

    def _is_disabled(self, channel: str) -> bool:
        endpoint = self._recorder.book.get(channel)
        return endpoint is not None and endpoint.disabled_at is not None

    def _at(self) -> datetime:
        """The present by the database's clock, as far as it is known here."""
        return self._now() + self._skew

    def _observe(self, heads: Sequence[Head], at: datetime) -> None:
        known = self._recorder.book.values()
        metrics.OUTBOX_OLDEST.set(max((max(0.0, (at - head.at).total_seconds()) for head in heads), default=0.0))
        metrics.BREAKERS_OPEN.set(sum(each.open_until is not None for each in known))
        metrics.ENDPOINTS.labels("disabled").set(sum(each.disabled_at is not None for each in known))
        metrics.ENDPOINTS.labels("failing").set(sum(each.disabled_at is None and each.failing_since is not None for each in known))
