"""The silence alarm: a source that has said nothing for much longer than usual, said once, and once more when it is back.

Helpdesks switch webhooks off without a word. The clocks go on all the same: they are not held hostage to a helpdesk that has nothing to
say. What breaks meanwhile is marked `source_stale`, because what was done about it may not be known.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import orjson

from app.helpdesks import SourceConfig
from app.ids import MESSAGE, new_id
from app.rules.durations import parse_duration
from app.schemas.events_out import SourceData, SourceRecovered, SourceSilent
from app.services.configuration import Current, LiveConfig
from app.services.routes import enqueue, routes
from app.store import outbox, retention, sources
from app.store.database import Connection, Database
from app.store.sources import State
from app.telemetry import metrics
from app.timesource import Now

log = logging.getLogger(__name__)

EVERY: Final = timedelta(seconds=30)
BATCH: Final = 5000
"""Messages of one source that are looked at in one pass; the rest in the next."""
_JOB: Final = "silence"
_EPOCH_STEP: Final = int(EVERY.total_seconds())


class Watch:
    """Called now and then; looks at all sources when half a minute has begun and no other process has taken it."""

    def __init__(self, db: Database, live: LiveConfig, now: Now) -> None:
        self._db = db
        self._live = live
        self._now = now
        self._next: datetime | None = None

    async def run(self) -> int:
        """How many deliveries were enqueued."""
        at = self._now()
        configured = self._live.current.loaded.sources
        if not configured or (self._next is not None and at < self._next):
            return 0
        turn = at - timedelta(seconds=at.timestamp() % _EPOCH_STEP)
        self._next = turn + EVERY
        async with self._db.begin() as conn:
            if not await retention.claim_run(conn, _JOB, turn, at):
                return 0
            return await self._look(conn, configured, self._live.current, at)

    async def _look(self, conn: Connection, configured: Mapping[str, SourceConfig], current: Current, at: datetime) -> int:
        known = await sources.states(conn, configured.keys(), hold=True)
        changed, told, silent = [], 0, 0
        for name, config in configured.items():
            heard, is_caught_up = await catch_up(conn, known.get(name) or State(name, at))
            after = judged(heard, config, at) if is_caught_up else heard
            if (after.silent_since is None) != (heard.silent_since is None):
                told += await _announce(conn, after, config, current, at)
            silent += after.silent_since is not None
            if after != known.get(name):
                changed.append(after)
        await sources.save(conn, changed)
        await sources.forget_silence(conn, configured.keys())
        metrics.SOURCES_SILENT.set(silent)
        return told


async def catch_up(conn: Connection, state: State) -> tuple[State, bool]:
    """After what has arrived since, and whether that is all; of a flood it is only the beginning."""
    found = await sources.arrivals(conn, state.source, state.seen_id, limit=BATCH)
    return state.heard(found), not found.more


def patience(state: State, config: SourceConfig) -> timedelta | None:
    """For how long a source may say nothing: as the document says, else as was learned; None: for ever."""
    if config.silent_after is not None:
        return timedelta(seconds=parse_duration(config.silent_after, days_allowed=True))
    return state.rhythm.patience


def judged(state: State, config: SourceConfig, at: datetime) -> State:
    """Whether it is silent now."""
    allowed = patience(state, config)
    last = last_word(state)
    is_silent = allowed is not None and at - last > allowed
    return replace(state, silent_since=(state.silent_since or last) if is_silent else None)


def last_word(state: State) -> datetime:
    """When it said something last; of a source that never did, since when it is watched."""
    return state.rhythm.last_at or state.watched_since


async def _announce(conn: Connection, state: State, config: SourceConfig, current: Current, at: datetime) -> int:
    """Enqueue the event for those who hear of such things; how many do."""
    usual = state.rhythm.usual_gap
    data = SourceData(
        source=state.source,
        kind=config.kind,
        state="silent" if state.silent_since is not None else "recovered",
        last_delivery_at=state.rhythm.last_at,
        usual_gap_seconds=None if usual is None else round(usual.total_seconds()),
    )
    event = SourceSilent(timestamp=at, data=data) if state.silent_since is not None else SourceRecovered(timestamp=at, data=data)
    log.warning("A source is silent or heard again.", extra={"event": event.type, "source": state.source})
    hearers = routes(current).operators(event.type, about="")
    if not hearers:
        return 0
    notice_id = new_id(MESSAGE)
    body = orjson.dumps(event.model_dump(mode="json", exclude_none=True))
    notice = {"id": notice_id, "type": event.type, "milestone": data.state, "body": body, "created_at": at}
    effects = [outbox.fresh(notice_id, event.type, channel, f"{notice_id}:{channel}", at) for channel in hearers]
    await enqueue(conn, current, [notice], effects)
    return len(hearers)
