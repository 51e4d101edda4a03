"""Stretches of a cycle: when its clock ran, stood still, or was stopped. They lie end to end; only the last may be open-ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from app.rules.values import make

Kind = Literal["running", "paused", "stopped"]

_FOREVER = datetime.max.replace(tzinfo=UTC)


class Stretch(NamedTuple):
    """A stretch `[start, end)` of a cycle, in UTC; only running ones consume the target. `end` None: it lasts.

    (A named tuple, like the other values made by the dozen for each verdict: several times as quick to make as a frozen dataclass.)
    """

    start: datetime
    end: datetime | None
    kind: Kind
    why: str | None = None


Stretches = tuple[Stretch, ...]


def running_from(at: datetime) -> Stretches:
    """A clock that starts at an instant."""
    return (make(Stretch, (at, None, "running", None)),)


def closed(stretches: Stretches, at: datetime) -> Stretches:
    """The last stretch ended at an instant. A clock stopped the moment it started keeps one empty stretch."""
    start, _, kind, why = stretches[-1]
    if len(stretches) == 1:
        return (make(Stretch, (start, at, kind, why)),)
    return (*stretches[:-1], make(Stretch, (start, at, kind, why))) if start < at else stretches[:-1]


def turned(stretches: Stretches, at: datetime, kind: Kind, why: str | None) -> Stretches:
    """From `at` on (the start of the last stretch at the earliest) of this kind; the same as before when it is already."""
    start, end, former, because = stretches[-1]
    if end is not None:
        return _going_on(stretches, max(at, start), kind, why)
    if former == kind and because == why:
        return stretches
    if start < at:
        return (*stretches[:-1], make(Stretch, (start, at, former, because)), make(Stretch, (at, None, kind, why)))
    return _going_on(stretches[:-1], start, kind, why)


def _going_on(before: Stretches, at: datetime, kind: Kind, why: str | None) -> Stretches:
    """From `at` on of this kind, after stretches that have ended: the last one goes on when it ended there and is of this kind."""
    if before and before[-1][1:] == (at, kind, why):
        return (*before[:-1], before[-1]._replace(end=None))
    return (*before, make(Stretch, (at, None, kind, why)))


def cut_before(stretches: Stretches, at: datetime) -> Stretches:
    """Only what lies at or after an instant."""
    return tuple(s._replace(start=max(s.start, at)) for s in stretches if s.end is None or s.end > at)


def unpaused_before(stretches: Stretches, at: datetime) -> Stretches:
    """Pauses before an instant count as running."""
    result: list[Stretch] = []
    for stretch in stretches:
        if stretch.kind != "paused" or stretch.start >= at:
            result.append(stretch)
        elif stretch.end is not None and stretch.end <= at:
            result.append(Stretch(stretch.start, stretch.end, "running"))
        else:
            result += [Stretch(stretch.start, at, "running"), stretch._replace(start=at)]
    return tuple(result)


def paused_too(stretches: Stretches, pauses: Iterable[Stretch]) -> Stretches:
    """What ran during one of these pauses (in order, apart from each other) stands still as well."""
    held = [pause for pause in pauses if pause.kind == "paused"]
    return tuple(part for stretch in stretches for part in (_split(stretch, held) if stretch.kind == "running" else (stretch,)))


def _split(running: Stretch, pauses: Sequence[Stretch]) -> Iterator[Stretch]:
    start, end = running.start, running.end or _FOREVER
    for pause in pauses:
        begin, finish = max(pause.start, start), min(pause.end or _FOREVER, end)
        if begin < finish:
            if start < begin:
                yield Stretch(start, begin, "running")
            yield Stretch(begin, None if finish == _FOREVER else finish, "paused", pause.why)
            start = finish
    if start < end:
        yield running._replace(start=start)
