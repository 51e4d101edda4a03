"""Spells: stretches of time in which a ticket behaves in some way, and what shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

from app.rules.signals._past import Past
from app.rules.signals._rule import Count, Knobs, SignalRule

EVER: Final = datetime.min.replace(tzinfo=UTC)
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


class Evidence(NamedTuple):
    """What shows it: sentences, and the keys of the events they tell of."""

    sentences: tuple[str, ...]
    keys: tuple[str, ...] = ()


class Holding(NamedTuple):
    """It holds in `[start, end)`, which may lie ahead: then it will, if nothing else happens. `end` None: it lasts."""

    start: datetime
    end: datetime | None
    evidence: Evidence


class Spell(NamedTuple):
    """Holdings that follow each other without a gap."""

    start: datetime
    end: datetime | None
    holdings: tuple[tuple[Holding, Knobs], ...]

    def at(self, moment: datetime) -> tuple[Holding, Knobs]:
        """What holds at a moment of it: the one that began last."""
        return [each for each in self.holdings if each[0].start <= moment][-1]


def too_many(times: Sequence[datetime], count: Count, evidence: Callable[[int, int], Evidence]) -> Iterator[Holding]:
    """Where more than `count.more_than` of these instants (sorted) lie within the window that ends then.

    `evidence(first, after)` tells of the instants `[first, after)` that are in the window when it comes to hold.
    """
    least = count.more_than or 0
    window = timedelta(seconds=count.within) if count.within is not None else None
    for place in range(least, len(times)):
        start = times[place]
        end = times[place - least] + window if window is not None else None
        if end is None or start < end:
            first = next(index for index, at in enumerate(times) if window is None or at > start - window)
            yield Holding(start, end, evidence(first, place + 1))


def while_true(past: Past, flags: Sequence[bool], evidence: Callable[[int], Evidence]) -> Iterator[Holding]:
    """Where a flag of the steps is up without a break. `evidence(place)` is asked of the step where it went up."""
    for is_up, run in groupby(past.pieces(), key=lambda piece: flags[piece[0]]):
        pieces = list(run)
        if is_up:
            yield Holding(pieces[0][1], pieces[-1][2], evidence(pieces[0][0]))


def spells(past: Past, rule: SignalRule, find: Callable[[Knobs], Iterable[Holding]]) -> list[Spell]:
    """The spells of a signal: what holds by the knobs of the tier that the ticket had then, put together where it does not stop."""
    found: dict[int, list[Holding]] = {}
    parts: list[tuple[Holding, Knobs]] = []
    for knobs, start, end in _stretches(past, rule):
        if knobs.is_set:
            if id(knobs) not in found:
                found[id(knobs)] = list(find(knobs))
            parts += [(cut, knobs) for holding in found[id(knobs)] if (cut := _cut(holding, start, end)) is not None]
    return _joined(sorted(parts, key=lambda part: (part[0].start, part[0].end or _FOREVER, part[0].evidence)))


def _stretches(past: Past, rule: SignalRule) -> Iterator[tuple[Knobs, datetime, datetime | None]]:
    """Which knobs hold when."""
    for knobs, run in groupby(past.pieces(), key=lambda piece: rule.knobs_for(past.tiers[piece[0]])):
        pieces = list(run)
        yield knobs, pieces[0][1] if pieces[0][0] else EVER, pieces[-1][2]


def _cut(holding: Holding, start: datetime, end: datetime | None) -> Holding | None:
    """As much of it as lies in `[start, end)`; None: nothing does."""
    begins = max(holding.start, start)
    ends = holding.end if end is None else min(end, holding.end or end)
    return holding._replace(start=begins, end=ends) if ends is None or begins < ends else None


def _joined(parts: Sequence[tuple[Holding, Knobs]]) -> list[Spell]:
    made: list[Spell] = []
    for holding, knobs in parts:
        last = made[-1] if made else None
        if last is not None and (last.end is None or holding.start <= last.end):
            end = None if last.end is None or holding.end is None else max(last.end, holding.end)
            made[-1] = Spell(last.start, end, (*last.holdings, (holding, knobs)))
        else:
            made.append(Spell(holding.start, holding.end, ((holding, knobs),)))
    return made
