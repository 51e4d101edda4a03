"""What came of attempts, written down in groups: all that ended within ten milliseconds in one transaction, or within fifty where nothing
waits for it. On SQLite each group takes the turn of those who detect what is due.

With the deliveries goes what the attempts say of the endpoints, and what people should hear of that.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.delivery.breaker import Tried, after, is_news
from app.delivery.operations import announce
from app.delivery.routes import Routes
from app.errors import Unavailable
from app.store import claims, endpoints, outbox
from app.store.claims import Ended
from app.store.database import Connection, Database
from app.store.endpoints import Endpoint

log = logging.getLogger(__name__)

GROUP_SECONDS: Final = 0.01
"""How long a record waits for others when something waits for it: a retry, or the next delivery of an ordered channel."""
REST_SECONDS: Final = 0.05
"""How long one waits otherwise."""
GROUP_MAX: Final = 500
_AGAIN_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Record:
    """The end of a claim and, when something was sent, how the endpoint took it."""

    ended: Ended
    tried: Tried | None = None


class Recorder:
    """Writes records down, in the order in which they come. `book` is what is known of the endpoints, by channel."""

    def __init__(self, db: Database, routes_now: Callable[[], Routes], wake: Callable[[], None]) -> None:
        self._db = db
        self._routes_now = routes_now
        self._wake = wake
        self.book: Mapping[str, Endpoint] = {}
        self.version = 0
        """Counts what was written to the book: what was read before that is older than the book."""
        self._records: list[Record] = []
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        """Set when something waits for what is to be written, or there is enough of it."""

    @property
    def backlog(self) -> int:
        """How many records are not written yet."""
        return len(self._records)

    def learn(self, book: Mapping[str, Endpoint], version: int) -> None:
        """Take over what was read from the store, unless more was written since `version`."""
        if version == self.version:
            self.book = book

    def put(self, records: Iterable[Record]) -> None:
        """Have records written soon."""
        before = len(self._records)
        self._records.extend(records)
        ordered = self._routes_now().ordered
        fresh = self._records[before:]
        if len(self._records) >= GROUP_MAX or any(each.ended.state != "delivered" or each.ended.claim.channel in ordered for each in fresh):
            self._hurry.set()
        if self._records and self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="record attempts")

    async def idle(self) -> None:
        """Wait until everything is written."""
        while self._writing is not None:
            self._hurry.set()
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        """Group by group until nothing is left. What cannot be written is tried again, and let go of when its lease has ended: then it
        would be refused."""
        try:
            while self._records:
                await self._gather()
                group = self._records[:GROUP_MAX]
                try:
                    await self._write_group(group)
                except Unavailable as error:
                    log.warning("Attempts wait to be recorded.", extra={"event": "delivery.unrecorded", "detail": error.detail})
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                except Exception:
                    log.exception(
                        "Attempts could not be recorded together.", extra={"event": "delivery.record_failed", "count": len(group)}
                    )
                    await self._write_one_by_one(group)
                del self._records[: len(group)]
        finally:
            self._writing = None

    async def _gather(self) -> None:
        """Let others come that are written together with what is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS - GROUP_SECONDS):
                await self._hurry.wait()
        if len(self._records) < GROUP_MAX:
            await asyncio.sleep(GROUP_SECONDS)
        if len(self._records) <= GROUP_MAX:
            self._hurry.clear()

    async def _write_one_by_one(self, group: list[Record]) -> None:
        """One that cannot be written must not take the others with it; it is claimed again when its lease ends."""
        for record in group:
            try:
                await self._write_group([record])
            except Exception:
                fields = {"event": "delivery.record_failed", "delivery_id": record.ended.claim.id}
                log.exception("An attempt could not be recorded.", extra=fields)

    async def _write_group(self, group: list[Record]) -> None:
        routes = self._routes_now()
        tries: dict[str, list[Tried]] = {}
        for record in group:
            if record.tried is not None:
                tries.setdefault(record.ended.claim.channel, []).append(record.tried)
        news = {channel: tried for channel, tried in tries.items() if is_news(self.book.get(channel), tried)}
        async with self._db.begin() as conn:
            changed = await self._note_endpoints(conn, news, routes) if news else {}
            kept = await claims.complete(conn, [record.ended for record in group])
            ended = [each.ended for each in group if each.ended.claim.channel in routes.ordered and each.ended.state != outbox.PENDING]
            await claims.followers(conn, (each.claim for each in ended), group[-1].ended.at)
        if changed:
            self.book = {**self.book, **changed}
            self.version += 1
        self._say(group, kept)
        if ended or changed:
            self._wake()

    async def _note_endpoints(self, conn: Connection, news: Mapping[str, list[Tried]], routes: Routes) -> dict[str, Endpoint]:
        """The endpoints as they are now; the steps on the way are announced, and what waits for one that is disabled is held."""
        known = await endpoints.lock(conn, news)
        changed: dict[str, Endpoint] = {}
        for channel, tries in news.items():
            changed[channel], steps = after(known[channel], tries)
            for step, endpoint in steps:
                at = tries[-1].at
                held = await outbox.hold(conn, channel, at) if step == "disabled" else 0
                await announce(conn, step, endpoint, routes, at, held=held)
                log.warning("An endpoint's state has changed.", extra={"event": f"endpoint.{step}", "channel": channel})
        await endpoints.save(conn, changed.values())
        return changed

    def _say(self, group: list[Record], kept: list[bool]) -> None:
        for record, mine in zip(group, kept, strict=True):
            ended = record.ended
            fields = {"delivery_id": ended.claim.id, "class": ended.error_class}
            if not mine and ended.attempt_row is not None:
                log.info("A delivery was concluded elsewhere.", extra={"event": "delivery.stale", **fields})
            elif ended.state == "dead":
                log.warning("A delivery is dead.", extra={"event": "delivery.dead", **fields})
