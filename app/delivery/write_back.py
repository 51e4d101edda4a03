"""Write-backs: deliveries to a helpdesk's own API. Several calls make one attempt, each answer feeding the next (`app.helpdesks.writing`).

Before the first call it is looked at again whether it is still wanted, and whether the source's budget has room; what has to wait is given
back without an attempt. The calls of one attempt end together, within the lease.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.channels import Notice
from app.delivery.budget import Budget
from app.delivery.client import DeliveryClient, Exchange
from app.delivery.routes import Routes
from app.delivery.schedule import classify, retry_after
from app.delivery.sending import NO_CHANNEL, Attempt
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome, Rejected, Retry
from app.helpdesks import SourceConfig
from app.helpdesks.writing import PREFIX, Calls, Desk, Done, Stop, WriteBackConfig, config_of, load_order, plan
from app.store import claims
from app.store.claims import Claim, Ended
from app.store.database import Database
from app.timesource import Now

log = logging.getLogger(__name__)

READ_MAX: Final = 1024 * 1024
"""Bytes of an answer that are read: a ticket with its custom fields is more than the 8 KiB that other receivers' answers are cut to."""
KEPT_MAX: Final = 8 * 1024
"""Bytes of a refusal that are stored with the attempt. Of an answer that is no refusal nothing is: it is the customer's ticket."""
TOTAL_SECONDS: Final = 17.0
"""All calls of an attempt together."""
CALLS_MAX: Final = 60

_AGAIN: Final = frozenset({408, 409, 423, 425, 429})
_PATIENCE: Final = frozenset({429, 503})


def is_write_back(channel: str) -> bool:
    """Whether deliveries of this channel go to a helpdesk's API."""
    return channel.startswith(PREFIX)


class WriteBacks:
    """What one process knows of the helpdesks it writes to: their budgets, and what earlier orders have found out. It need not last."""

    def __init__(self, db: Database, client: DeliveryClient, routes_now: Callable[[], Routes], now: Now) -> None:
        self._db = db
        self._client = client
        self._routes_now = routes_now
        self._now = now
        self._budgets: dict[str, Budget] = {}
        self._desks: dict[str, Desk] = {}

    async def put_off(self, claim: Claim, at: datetime) -> Ended | None:
        """How the claim ends without being sent: it is not wanted any more, or it has to wait. None: it may go now."""
        async with self._db.read() as conn:
            if claim.id not in await claims.still_wanted(conn, [claim]):
                return Ended(claim, "superseded", at)
        desk = self._desk(claim.channel)
        later = self._budget(desk.source.name, desk.config, at).wait_until(at) if desk is not None else None
        return Ended(claim, "pending", at, later) if later is not None else None

    async def attempt(self, claim: Claim, notice: Notice) -> Attempt:
        """Make all calls of an order, one after another."""
        desk = self._desk(claim.channel)
        if desk is None:
            return Attempt(Rejected("internal", NO_CHANNEL), "unknown")
        order = load_order(notice.event, is_repeat=claim.attempts > 1)
        made = _Made(desk, self._budget(desk.source.name, desk.config, self._now()), self._client, self._now)
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                outcome = await made.run(plan(order, desk))
        except TimeoutError:
            outcome = Retry("timeout", "the helpdesk's answers did not come in time")
        return made.attempt(outcome)

    def _desk(self, channel: str) -> Desk | None:
        """The helpdesk behind a channel; None when the configuration has it no more. What was found out goes with the configuration."""
        source = self._routes_now().sources.get(channel)
        config = config_of(source) if source is not None else None
        if source is None or config is None:
            return None
        known = self._desks.get(channel)
        if known is None or known.source is not source:
            known = self._desks[channel] = Desk(source, config)
        return known

    def _budget(self, name: str, config: WriteBackConfig, at: datetime) -> Budget:
        found = self._budgets.get(name)
        if found is None or found.per_minute != config.budget:
            found = self._budgets[name] = Budget.full(config.budget, at)
        return found


class _Made:
    """One attempt under way."""

    def __init__(self, desk: Desk, budget: Budget, client: DeliveryClient, now: Now) -> None:
        self._desk = desk
        self._budget = budget
        self._client = client
        self._now = now
        self._spent = 0.0
        self._method = "GET"
        self._exchange: Exchange | None = None

    async def run(self, calls: Calls[None]) -> Outcome:
        """The outcome of a plan's calls. A budget that the helpdesk has exhausted is closed."""
        try:
            outcome = await self._run(calls)
        except Stop as stop:
            outcome = _outcome(stop.done, self._desk.config, self._now())
        finally:
            calls.close()
        self._budget.made(self._spent)
        if isinstance(outcome, Retry) and outcome.not_before is not None:
            self._budget.close(outcome.not_before)
        return outcome

    async def _run(self, calls: Calls[None]) -> Outcome:
        try:
            asked = next(calls)
            for _ in range(CALLS_MAX):
                exchange = await self._send(asked)
                if not isinstance(exchange.response, HttpResponse):
                    return Retry(exchange.error_class or "internal", exchange.detail)
                asked = calls.send(exchange.response)
        except StopIteration:
            return Delivered()
        return Rejected("internal", "the plan of this write-back does not end")

    async def _send(self, asked: HttpRequest) -> Exchange:
        config = self._desk.config
        cost = 1 if asked.method == "GET" else config.write_cost
        self._spent += cost
        self._budget.spend(cost, self._now())
        self._method = asked.method
        self._exchange = await self._client.send(asked, allow_http=config.allow_http, show_path=config.show_path, body_bytes=READ_MAX)
        return self._exchange

    def attempt(self, outcome: Outcome) -> Attempt:
        """As it is recorded: the last call stands for all."""
        exchange = self._exchange
        if exchange is not None and isinstance(exchange.response, HttpResponse):
            answer = exchange.response
            body = answer.body[:KEPT_MAX] if answer.status >= 300 else b""
            exchange = replace(exchange, response=replace(answer, body=body))
        return Attempt(outcome, _kind(self._desk.source), self._method, exchange)


def _outcome(done: Done, config: WriteBackConfig, at: datetime) -> Outcome:
    """What the end of a plan means for the delivery."""
    response = done.response
    if done.dropped:
        return Rejected("ok", done.detail, dropped=True)
    if response is None:
        return Rejected("internal", done.detail)
    status = response.status
    error_class = classify(status) if status >= 300 else "protocol_error"
    if not (done.again or status in _AGAIN or status in config.busy or status >= 500):
        return Rejected(error_class, done.detail)
    hint = at + timedelta(seconds=done.seconds) if done.seconds is not None else None
    if status in _PATIENCE or done.again:
        hint = retry_after(response.headers.get("retry-after"), at) or hint
    return Retry(error_class, done.detail, hint)


def _kind(source: SourceConfig) -> str:
    """What metrics call it."""
    return f"write-back {source.kind}"
