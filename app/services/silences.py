"""Silences in the hands of people: made, ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.config.conditions import dated
from app.errors import Fault, InvalidBody, SilenceNotFound
from app.ids import SILENCE, new_id
from app.rules.conditions import parse_condition
from app.rules.problems import InvalidCondition, RuleError
from app.rules.silences import Silence
from app.services.configuration import LiveConfig
from app.services.silencing import calendar_of, silence_of
from app.store import audit, silences
from app.store.database import Database
from app.store.filters import nearest
from app.timesource import Now

LONGEST: Final = timedelta(days=30)
_PAST: Final = timedelta(minutes=1)
"""So far in the past a start may lie: clocks differ."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """A silence that somebody wants. It ends at `ends_at`, or after `span`."""

    match: Mapping[str, Any]
    reason: str
    by: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    span: timedelta | None = None
    channels: list[str] = field(default_factory=list)
    weekly: Mapping[str, Any] | None = None
    """`timezone` and `hours`, as calendars of the document have them; None: it holds all the time."""


async def create(db: Database, live: LiveConfig, now: Now, wish: Wish) -> str:
    """Make a silence; its id. InvalidBody with everything that is wrong with it.

    What is suppressed already when it ends is told then, by one summary for each channel, as far as it is still broken.
    """
    async with db.begin() as conn:
        at = await db.now(conn, now)
        starts_at = max(wish.starts_at or at, at)
        ends_at = wish.ends_at or starts_at + (wish.span or timedelta(0))
        faults = [*_times(wish, at, starts_at, ends_at), *_condition(wish.match), *_channels(wish.channels, live), *_weekly(wish.weekly)]
        if faults:
            raise InvalidBody("The silence cannot be.", errors=faults)
        row: Row = {
            "id": new_id(SILENCE),
            "match": dict(wish.match),
            "channels": list(dict.fromkeys(wish.channels)),
            "weekly": dict(wish.weekly) if wish.weekly is not None else None,
            "reason": wish.reason,
            "author": wish.by,
            "created_at": at,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "ended_at": None,
            "ended_by": None,
            "over_at": ends_at,
        }
        made = silence_of(row)
        first = made.next_end(starts_at)
        if first is None:
            raise InvalidBody(
                "The silence cannot be.", errors=[Fault("/weekly/hours", "none of these hours lies between its start and its end")]
            )
        await silences.add(conn, {**row, "next_summary_at": first})
        detail = {"match": row["match"], "reason": wish.reason, "ends_at": ends_at.isoformat()}
        await audit.record(conn, at, wish.by, "silence.created", made.id, detail)
    return made.id


async def end(db: Database, now: Now, silence_id: str, *, by: str) -> None:
    """End a silence now; ending it twice is the same as once. What is still broken is told at once. SilenceNotFound."""
    async with db.begin() as conn:
        row = await silences.one(conn, silence_id)
        if row is None:
            raise SilenceNotFound(f"There is no silence {silence_id}.")
        at = await db.now(conn, now)
        if row["over_at"] <= at:
            return
        await silences.end(conn, silence_id, at, by)
        await audit.record(conn, at, by, "silence.ended", silence_id, {})


def state_of(silence: Silence, at: datetime) -> str:
    """`scheduled`, `active`, `waiting` (between two windows) or `ended`."""
    if at >= silence.ends_at:
        return "ended"
    if at < silence.starts_at:
        return "scheduled"
    return "active" if silence.holds_at(at) else "waiting"


def _times(wish: Wish, at: datetime, starts_at: datetime, ends_at: datetime) -> Iterator[Fault]:
    if (wish.ends_at is None) is (wish.span is None):
        yield Fault("/ends_at", "say when it ends: by ends_at or by for, one of the two")
        return
    if wish.starts_at is not None and wish.starts_at < at - _PAST:
        yield Fault("/starts_at", "lies in the past; leave it out for a silence that begins now")
    if ends_at <= starts_at:
        yield Fault("/ends_at", "lies before it begins")
    elif ends_at - starts_at > LONGEST:
        yield Fault("/ends_at", "a silence lasts at most 30 days")


def _condition(match: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        parse_condition(dated(dict(match)))
    except InvalidCondition as error:
        yield Fault("/match" + "".join(f"/{step}" for step in error.path), str(error))


def _channels(names: list[str], live: LiveConfig) -> Iterator[Fault]:
    known = live.current.loaded.channels
    for index, name in enumerate(names):
        if name not in known:
            yield Fault(f"/channels/{index}", f"there is no channel of this name in the configuration{nearest(name, known)}")


def _weekly(weekly: Mapping[str, Any] | None) -> Iterator[Fault]:
    if weekly is None:
        return
    try:
        calendar_of(weekly)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            steps = [step for step in each["loc"] if step != "[key]"]
            yield Fault("/weekly/hours" + "".join(f"/{step}" for step in steps), each["msg"])
    except (RuleError, PydanticCustomError) as error:
        yield Fault("/weekly", str(error))
