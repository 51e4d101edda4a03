"""What silences mean at one moment: which deliveries they suppress, and which ladders stand still."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from app.config.conditions import dated
from app.config.times import Week
from app.rules.calendar import Calendar, CalendarSpec
from app.rules.conditions import Condition, parse_condition
from app.rules.evaluate import Clock, Verdict
from app.rules.events import FactValue
from app.rules.hours import Intervals
from app.rules.silences import Silence, Stretch
from app.schemas.instants import rfc3339
from app.services.configuration import Current
from app.services.sayings import Raising, Saying, Telling
from app.store import silences
from app.store.database import Connection
from app.store.tickets import LockedTicket
from app.telemetry import metrics

_ENDS: Final = frozenset({"sla.recovered", "sla.met_late", "sla.retracted", "escalation.deescalated"})
"""Events that end what somebody was told: whoever was told hears them, silence or not."""
_HOURS: Final[TypeAdapter[Mapping[int, Intervals]]] = TypeAdapter(Week)
_SHOWN: Final = 200  # characters of the reason

BY_HAND: Final = "manual"
"""The cause of escalations that somebody opened: whoever does so in a silence means it."""

Facts = dict[str, FactValue]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hush:
    """The silences that hold at `at`, or held lately; the one that ends last first."""

    at: datetime
    silences: tuple[Silence, ...] = ()

    def over(self, facts: Facts, channel: str, *, of_record: bool) -> Silence | None:
        """The silence by which the channel hears nothing of such a ticket; None: it hears everything."""
        for silence in self.silences:
            meant = channel in silence.channels if silence.channels else not of_record
            if meant and silence.holds_at(self.at) and silence.is_about(facts):
                return silence
        return None

    def windows(self, facts: Facts, since: datetime) -> list[Stretch]:
        """When everybody was kept quiet about such a ticket from `since` on."""
        return [window for silence in self._for_all(facts) for window in silence.windows(since, self.at)]

    def until(self, facts: Facts) -> datetime | None:
        """When a window ends in which everybody is kept quiet about such a ticket; None: nobody is."""
        return max((end for silence in self._for_all(facts) if (end := silence.quiet_until(self.at)) is not None), default=None)

    def _for_all(self, facts: Facts) -> Iterable[Silence]:
        return (silence for silence in self.silences if not silence.channels and silence.is_about(facts))


def facts_of(ticket: LockedTicket, verdict: Verdict, clock: Clock | None) -> Facts:
    """What a silence may match: the ticket's facts, its tier, `source`, `ticket`, `policy`, and the `metric` of the clock."""
    known = verdict.ticket
    more = {"tier": verdict.tier, "policy": verdict.policy, "source": ticket.source, "ticket": ticket.external_id}
    return {**(known.facts if known is not None else {}), **more, "metric": clock.cycle.metric if clock is not None else None}


async def load(conn: Connection, at: datetime, *, since: datetime | None = None) -> Hush:
    """The silences that hold at `at`, and those that held later than `since` (None: only the present counts)."""
    rows = await silences.since(conn, min(at, since or at), at)
    return Hush(at, tuple(silence_of(row._mapping) for row in rows))


def silence_of(row: Mapping[Any, Any]) -> Silence:
    """A silence as it is stored, as a value."""
    return Silence(
        id=row["id"],
        match=_condition(orjson.dumps(row["match"])),
        starts_at=row["starts_at"],
        ends_at=row["over_at"],
        channels=frozenset(row["channels"]),
        weekly=_weekly(orjson.dumps(row["weekly"])) if row["weekly"] is not None else None,
        author=row["author"],
        reason=row["reason"],
    )


def suppress(hush: Hush, saying: Saying | Telling | Raising, rows: Sequence[Row], current: Current) -> list[Row]:
    """The deliveries of a notice; those that a silence suppresses have ended, and say by whom and why."""
    if not hush.silences or (isinstance(saying, Telling) and saying.row["cause"] == BY_HAND):
        return list(rows)
    clock = None if isinstance(saying, Raising) else saying.clock
    facts = facts_of(saying.ticket, saying.verdict, clock)
    return [_kept(row, facts, hush, current) if _may_be_kept(saying, row["channel"]) else row for row in rows]


def _may_be_kept(saying: Saying | Telling | Raising, channel: str) -> bool:
    if saying.type not in _ENDS:
        return True
    return isinstance(saying, Telling) and channel not in saying.channels


def _kept(row: Row, facts: Facts, hush: Hush, current: Current) -> Row:
    channel = current.loaded.channels.get(row["channel"])
    silence = hush.over(facts, row["channel"], of_record=channel is None or channel.of_record)
    if silence is None:
        return row
    metrics.SUPPRESSED.labels("silence").inc()
    ended = {"state": "suppressed", "next_attempt_at": None, "silence_id": silence.id}
    return {**row, **ended, "detail": said_of(silence)}


def said_of(silence: Silence) -> str:
    """`silence sil_1 by Jane until 2026-11-21T15:30:00.000Z: maintenance`."""
    reason = silence.reason if len(silence.reason) <= _SHOWN else f"{silence.reason[: _SHOWN - 1]}…"
    return f"silence {silence.id} by {silence.author} until {rfc3339(silence.ends_at)}: {reason}"


@lru_cache(maxsize=256)
def _condition(raw: bytes) -> Condition:
    return parse_condition(dated(orjson.loads(raw)))


@lru_cache(maxsize=256)
def _weekly(raw: bytes) -> Calendar:
    return calendar_of(orjson.loads(raw))


def calendar_of(weekly: Mapping[str, Any]) -> Calendar:
    """The windows of a silence as the calendar that is open in them. ValidationError or RuleError for hours that cannot be."""
    return Calendar(CalendarSpec("silence", weekly["timezone"], _HOURS.validate_python(weekly["hours"])))
