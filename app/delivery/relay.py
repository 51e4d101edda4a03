"""The relay: takes ready deliveries out of the outbox, sends them, records what came of it.

A delivery is claimed with a lease and a fencing number, sent outside any transaction, and recorded under that number. Whoever dies on
the way leaves a lease that ends; whoever comes back late finds a newer number and changes nothing. One slow endpoint holds back only
itself: a channel with enough requests on their way is left out of the next claim.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import orjson

from app import channels
from app.channels import ChannelConfig, Notice
from app.delivery.client import DeliveryClient, Exchange
from app.delivery.schedule import next_attempt_at
from app.exchange import Delivered, Outcome, Rejected, Retry
from app.store import outbox
from app.store.database import Database
from app.store.outbox import Claim
from app.telemetry import metrics
from app.timesource import Now

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than any attempt may take (DNS, connect, total, body: 17 s)."""
PER_CHANNEL = 4
IN_FLIGHT = 200
_DETAIL_MAX = 1000

ChannelsNow = Callable[[], Mapping[str, ChannelConfig]]


class Relay:
    """The senders of one process. `channels_now` gives the channels of the configuration in force."""

    def __init__(
        self, db: Database, client: DeliveryClient, channels_now: ChannelsNow, now: Now, *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._db = db
        self._client = client
        self._channels_now = channels_now
        self._now = now
        self._jitter = jitter
        self.on_room: Callable[[], None] = lambda: None
        """Called when a channel that was full has room again: there may be more to claim."""
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()

    async def run_once(self) -> datetime | None:
        """Claim what is ready and start sending it. Returns when the next delivery is ready, None when none is waiting."""
        free = IN_FLIGHT - len(self._sending)
        room = outbox.Room(self._busy, most=PER_CHANNEL)
        async with self._db.begin() as conn:
            at = await self._db.now(conn, self._now)
            claims = await outbox.claim(conn, at, lease=LEASE, limit=min(free, 64), room=room) if free > 0 else []
            nearest = await outbox.next_attempt_at(conn, without=room.full)
        metrics.OUTBOX_OLDEST.set(max(0.0, (at - nearest).total_seconds()) if nearest is not None else 0)
        for claim in claims:
            self._busy[claim.channel] += 1
            task = asyncio.create_task(self._deliver(claim, at), name=f"deliver {claim.id}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return nearest

    async def reclaim(self) -> int:
        """After a start on SQLite, where nobody else can be sending: what a killed process had on its way is ready at once, not when its
        lease ends. How many there were; on PostgreSQL always 0, since the holder may be alive."""
        if self._db.dialect != "sqlite":
            return 0
        async with self._db.begin() as conn:
            return await outbox.release(conn, await self._db.now(conn, self._now))

    @property
    def sending(self) -> int:
        """How many requests are on their way."""
        return len(self._sending)

    async def drain(self) -> None:
        """Wait for what is on its way."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def _deliver(self, claim: Claim, at: datetime) -> None:
        """One attempt, from claim to record. A fault of ours counts as an attempt and is tried again."""
        started = self._now()
        exchange: Exchange | None = None
        kind = "unknown"
        try:
            config = self._channels_now().get(claim.channel)
            if claim.expires_at is not None and claim.expires_at <= at:
                await self._record(
                    claim, {"state": "expired", "error_class": None, "detail": "not worth saying any more"}, started, None, "expired"
                )
                return
            if config is None:
                outcome: Outcome = Rejected("internal", f"there is no channel {claim.channel!r} in the configuration any more")
            else:
                kind = config.kind
                outcome, exchange = await self._send(claim, config)
            await self._conclude(claim, outcome, exchange, started, kind)
        except Exception:
            log.exception("A delivery could not be attempted.", extra={"event": "delivery.failed", "delivery_id": claim.id})
        finally:
            self._leave(claim.channel)

    def _leave(self, channel: str) -> None:
        was_full = self._busy[channel] >= PER_CHANNEL or len(self._sending) >= IN_FLIGHT
        self._busy[channel] -= 1
        if was_full:
            self.on_room()

    async def _send(self, claim: Claim, config: ChannelConfig) -> tuple[Outcome, Exchange | None]:
        notice = Notice(claim.notice_id, claim.type, claim.body, orjson.loads(claim.body))
        channel = channels.load(config.kind)
        try:
            request = channel.render(notice, config, self._now())
        except Exception:
            log.exception("A notice could not be rendered.", extra={"event": "delivery.render_failed", "delivery_id": claim.id})
            return Retry("internal", "the notice could not be rendered; the log has the details"), None
        exchange = await self._client.send(request, allow_http=config.allow_http, show_path=config.show_path)
        if exchange.response is None:
            return Retry(exchange.error_class or "internal", exchange.detail), exchange
        return channel.interpret(exchange.response, self._now()), exchange

    async def _conclude(self, claim: Claim, outcome: Outcome, exchange: Exchange | None, started: datetime, kind: str) -> None:
        at = self._now()
        match outcome:
            case Delivered():
                values: dict[str, Any] = {
                    "state": "delivered",
                    "next_attempt_at": None,
                    "delivered_at": at,
                    "error_class": None,
                    "detail": None,
                }
                error_class = "ok"
                metrics.DETECTED_TO_DELIVERED.observe(max(0.0, (at - claim.noticed_at).total_seconds()))
            case Rejected(error_class=error_class, detail=detail):
                values = {"state": "dead", "next_attempt_at": None, "error_class": error_class, "detail": detail[:_DETAIL_MAX]}
            case Retry(error_class=error_class, detail=detail, not_before=hint):
                again = next_attempt_at(claim.attempt, at, outcome_hint=hint, expires_at=claim.expires_at, jitter=self._jitter())
                state = "pending" if again is not None else "dead"
                values = {"state": state, "next_attempt_at": again, "error_class": error_class, "detail": detail[:_DETAIL_MAX]}
        metrics.DELIVERIES.labels(kind, error_class).inc()
        await self._record(claim, values, started, exchange, error_class)
        if values["state"] == "dead":
            log.warning("A delivery is dead.", extra={"event": "delivery.dead", "delivery_id": claim.id, "class": error_class})

    async def _record(
        self, claim: Claim, values: Mapping[str, Any], started: datetime, exchange: Exchange | None, error_class: str
    ) -> None:
        response = exchange.response if exchange else None
        attempt = {
            "delivery_id": claim.id,
            "number": claim.attempt,
            "started_at": started,
            "method": "POST",
            "url": exchange.url_redacted if exchange else "",
            "status": response.status if response else None,
            "error_class": error_class,
            "detail": values.get("detail"),
            "timing": asdict(exchange.timing) if exchange else {},
            "answer": response.body if response else None,
        }
        async with self._db.begin() as conn:
            kept = await outbox.complete(conn, claim, {"next_attempt_at": None} | dict(values), attempt)
        if not kept:
            log.info("A delivery was concluded elsewhere.", extra={"event": "delivery.stale", "delivery_id": claim.id})
