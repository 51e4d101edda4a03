"""Proof of life: whether what is due is done, asked by a path of its own, and told to a dead-man's switch outside as long as it is so.

The auditor shares nothing with the loops it watches: its own connection to the database, its own questions, its own task on the event
loop, whose time is monotonic. When it is not all well, or when this process is gone, the pings stop, and whoever waits for them raises
the alarm.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import SecretStr

from app import __version__
from app.delivery.client import DeliveryClient
from app.errors import SlaError
from app.exchange import HttpRequest
from app.store import auditing
from app.store.database import Database
from app.telemetry import metrics
from app.timesource import Now

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two audits."""
MAX_LAG: Final = 30.0
"""Seconds that detection and ladders may be behind, and that may pass without a look at what is due."""
MAX_UNCLAIMED: Final = 60.0
"""Seconds that a delivery may be ready without anybody taking it."""
_PATIENCE: Final = 10.0
Name = Literal["clocks", "escalations", "deliveries", "detection"]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far one thing is behind. `seconds` None: that could not be found out, which is not well either."""

    name: Name
    seconds: float | None
    allowed: float
    detail: str

    @property
    def ok(self) -> bool:
        return self.seconds is not None and self.seconds <= self.allowed


class Auditor:
    """The auditor of one process. `db` is its own, opened and closed by it; `since_check` is how many seconds ago detection last ended
    well (None: not yet). Use between `start` and `stop`."""

    def __init__(
        self, db: Database, client: DeliveryClient, now: Now, since_check: Callable[[], float | None], heartbeat_url: SecretStr | None
    ) -> None:
        self._db = db
        self._client = client
        self._now = now
        self._since_check = since_check
        self._url = heartbeat_url
        self._task: asyncio.Task[None] | None = None

    async def start(self, every: float = EVERY) -> None:
        """Audit from now on, every so many seconds."""
        self._task = asyncio.create_task(self._go_on(every), name="audit")

    async def stop(self) -> None:
        """Audit no more; the connection is given back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._db.close()

    async def lags(self) -> list[Lag]:
        """How far each thing is behind, now. Answers within a few seconds, whatever is broken."""
        try:
            async with asyncio.timeout(_PATIENCE), self._db.read() as conn:
                at = await self._db.now(conn, self._now)
                found = await auditing.overdue(conn, at)
        except (SlaError, TimeoutError) as error:
            detail = str(error) or "no answer in time"
            return [Lag(name, None, allowed, detail) for name, allowed in _ALLOWED.items()]
        known: Mapping[Name, datetime | None] = {"clocks": found.clock, "escalations": found.run, "deliveries": found.delivery}
        lags = [_lag(name, since, at) for name, since in known.items()]
        return [*lags, _looked(self._since_check())]

    async def audit(self) -> bool:
        """One audit: measure, and ping when all is well; whether it is."""
        lags = await self.lags()
        for lag in lags:
            if lag.seconds is not None:
                metrics.AUDIT_LAG.labels(lag.name).set(lag.seconds)
        behind = [lag for lag in lags if not lag.ok]
        metrics.AUDIT_SUCCESSFUL.set(not behind)
        if behind:
            fields = {"event": "audit.failed", "behind": {lag.name: lag.detail for lag in behind}}
            log.error("What is due is not done: no heartbeat is sent.", extra=fields)
        elif self._url is not None:
            await self._ping(self._url.get_secret_value())
        return not behind

    async def _ping(self, url: str) -> None:
        request = HttpRequest("GET", url, {"user-agent": f"slawatch/{__version__}"})
        exchange = await self._client.send(request)
        status = exchange.response.status if exchange.response is not None else None
        if status is not None and 200 <= status < 300:
            metrics.HEARTBEATS.labels("ok").inc()
            return
        error_class = exchange.error_class or "http_error"
        metrics.HEARTBEATS.labels(error_class).inc()
        fields = {"event": "heartbeat.failed", "class": error_class, "status": status, "detail": exchange.detail}
        log.warning("The heartbeat was not accepted.", extra=fields)

    async def _go_on(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await self.audit()
            except Exception:
                log.exception("An audit failed.", extra={"event": "audit.broken"})
                metrics.AUDIT_SUCCESSFUL.set(0)


_ALLOWED: Final[Mapping[Name, float]] = {"clocks": MAX_LAG, "escalations": MAX_LAG, "deliveries": MAX_UNCLAIMED, "detection": MAX_LAG}


def _lag(name: Name, since: datetime | None, at: datetime) -> Lag:
    seconds = 0.0 if since is None else (at - since).total_seconds()
    return Lag(name, seconds, _ALLOWED[name], "nothing is overdue" if since is None else f"{seconds:.3f} seconds behind")


def _looked(since: float | None) -> Lag:
    allowed = _ALLOWED["detection"]
    if since is None:
        return Lag("detection", None, allowed, "has not run yet")
    return Lag("detection", since, allowed, f"ran {since:.3f} seconds ago")
