"""Which signals a ticket has raised by a moment, and when the next one would be, if nothing else happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.rules.signals._past import Past
from app.rules.signals._rule import SignalRule
from app.rules.signals._spells import Evidence, Spell, spells


class Raised(NamedTuple):
    """A signal was raised. It is over at `ended_at`, which may lie ahead; None: it lasts."""

    name: str
    raised_at: datetime
    since: datetime
    """From when it held: before `raised_at` where it had to last, or the ticket was solved."""
    ended_at: datetime | None
    tier: str | None
    threshold: str
    """`more than 3 within 7d`."""
    evidence: Evidence

    def stands_at(self, at: datetime) -> bool:
        return self.raised_at <= at and (self.ended_at is None or at < self.ended_at)


class Watch(NamedTuple):
    """What was raised by a moment, by time and name; and when the next signal would be raised after it, None: none would."""

    raised: tuple[Raised, ...]
    next_at: datetime | None


def watch(rules: Iterable[SignalRule], past: Past, at: datetime) -> Watch:
    """Every signal that the ticket has raised by the instant `at`: a function of what is known of it, whatever came when."""
    found = sorted((raised for rule in rules for raised in raisings(rule, past)), key=lambda raised: (raised.raised_at, raised.name))
    ahead = next((raised.raised_at for raised in found if raised.raised_at > at), None)
    return Watch(tuple(raised for raised in found if raised.raised_at <= at), ahead)


def raisings(rule: SignalRule, past: Past) -> Iterator[Raised]:
    """When one signal was and will be raised: once a spell, when it has lasted, on an open ticket, and not soon after the last time."""
    from app.rules.signals import load

    module = load(rule.name)
    chances = _chances(rule, past, after_solve=module.AFTER_SOLVE)
    dwell, cooldown = timedelta(seconds=rule.dwell), timedelta(seconds=rule.cooldown)
    last: datetime | None = None
    for spell in spells(past, rule, lambda knobs: module.holds(past, knobs)):
        when = _first(chances, spell, spell.start + dwell)
        if when is None or (last is not None and when < last + cooldown):
            continue
        last = when
        yield _raised(rule, past, spell, when)


def _raised(rule: SignalRule, past: Past, spell: Spell, when: datetime) -> Raised:
    holding, knobs = spell.at(when)
    place = max(place for place, start, _ in past.pieces() if start <= when)
    return Raised(rule.name, when, spell.start, spell.end, past.tiers[place], knobs.words, holding.evidence)


def _chances(rule: SignalRule, past: Past, *, after_solve: bool) -> list[tuple[datetime, datetime | None]]:
    """`[start, end)` in which it can be raised: the ticket is there, and open unless the signal speaks of solved ones."""
    wanted = past.matching(rule.only) if rule.only is not None else None
    return [
        (start, end)
        for place, start, end in past.pieces()
        if not past.steps[place].is_gone
        and (after_solve or not past.steps[place].is_solved)
        and (wanted is None or wanted[place])
    ]  # fmt: skip


def _first(chances: Sequence[tuple[datetime, datetime | None]], spell: Spell, earliest: datetime) -> datetime | None:
    """The first chance of a spell from an instant on."""
    for start, end in chances:
        when = max(start, earliest)
        if (end is None or when < end) and (spell.end is None or when < spell.end):
            return when
    return None
