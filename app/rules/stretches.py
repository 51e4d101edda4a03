"""Stretches of a cycle: when its clock ran, stood still, or was stopped. They lie end to end; only the last may be open-ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

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
    return (Stretch(at, None, "running"),)


def closed(stretches: Stretches, at: datetime) -> Stretches:
    """The last stretch ended at an instant. A clock stopped the moment it started keeps one empty stretch."""
    return _ended(stretches, at) or (_until(at, stretches[-1]),)


def turned(stretches: Stretches, at: datetime, kind: Kind, why: str | None) -> Stretches:
    """From `at` on (the start of the last stretch at the earliest) of this kind; the same as before when it is already."""
    last = stretches[-1]
    if last.kind == kind and last.why == why and last.end is None:
        return stretches
    at = max(at, last.start)
    before = stretches if last.end is not None else _ended(stretches, at)
    if before and before[-1][1:] == (at, kind, why):
        return (*before[:-1], before[-1]._replace(end=None))
    return (*before, Stretch(at, None, kind, why))


def _ended(stretches: Stretches, at: datetime) -> Stretches:
    """The last stretch ended at an instant, dropped when nothing is left of it."""
    last = stretches[-1]
    return (*stretches[:-1], _until(at, last)) if last.start < at else stretches[:-1]


def _until(at: datetime, stretch: Stretch) -> Stretch:
    return Stretch(stretch.start, at, stretch.kind, stretch.why)


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
