"""What is wrong between the parts of a document: errors that no part shows by itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from app.config.findings import Flaw, shown
from app.config.nodes import Path
from app.config.parts import Parts
from app.config.promises import Goal
from app.config.reach import Reach
from app.config.secrets import placeholders
from app.config.words import hint
from app.rules.calendar import Calendar
from app.rules.conditions import Condition
from app.rules.durations import parse_duration
from app.rules.policy import OpenTime, Target
from app.rules.problems import InvalidDuration, NoWorkingTime
from app.schemas.events_out import event_types

_RESOLVED: Final = frozenset({"channels", "sources", "delivery"})
EVENTS: Final = frozenset(event_types())
"""What a channel may hear."""

_YEAR: Final = timedelta(days=366)


def inconsistencies(parts: Parts, today: date) -> Iterator[Flaw]:
    """Everything of the kind, in no order."""
    yield from _misplaced_placeholders(parts)
    yield from _double_policies(parts)
    yield from _hidden_policies(parts)
    yield from _hidden_tiers(parts)
    yield from _circles(parts)
    yield from _unheard_events(parts)
    yield from _odd_silences(parts)
    yield from _long_targets(parts, today)


def _misplaced_placeholders(parts: Parts) -> Iterator[Flaw]:
    for section, value in parts.tree.data.items():
        if section not in _RESOLVED:
            for path in placeholders(value, (section,)):
                message = "a placeholder is replaced only in channels, sources and delivery"
                yield Flaw(parts.tree.value_place(path), "bad-placeholder", message)


def _double_policies(parts: Parts) -> Iterator[Flaw]:
    seen: dict[str, int] = {}
    for index, policy in parts.heads.items():
        first = seen.setdefault(policy.name, index)
        if first != index:
            line = parts.tree.value_place(("policies", first, "name")).line
            place = parts.tree.value_place(("policies", index, "name"))
            yield Flaw(place, "duplicate-name", f"there is a policy {shown(policy.name)} already, in line {line}")


def _hidden_policies(parts: Parts) -> Iterator[Flaw]:
    reach, above = Reach(), dict[int, Condition | None]()
    for index, policy in parts.heads.items():
        hider = reach.hider(above, policy.match)
        if hider is None:
            above[index] = policy.match
            continue
        wider = parts.heads[hider]
        why = "has no match, so it takes every ticket" if wider.match is None else "matches whatever this one does"
        message = f"the policy {shown(policy.name)} is never reached: {shown(wider.name)} above it {why}"
        yield Flaw(parts.tree.value_place(("policies", index)), "unreachable-policy", message)


def _hidden_tiers(parts: Parts) -> Iterator[Flaw]:
    """Only an entry that holds at all times hides another."""
    reach, above = Reach(), dict[int, Condition | None]()
    for index, tier in parts.tiers.items():
        hider = reach.hider(above, tier.match)
        if hider is not None:
            message = f"this entry of tiers is never reached: {shown(parts.tiers[hider].name)} above it matches whatever it does"
            yield Flaw(parts.tree.value_place(("tiers", index)), "unreachable-tier", message)
        elif tier.since is None and tier.until is None:
            above[index] = tier.match


def _circles(parts: Parts) -> Iterator[Flaw]:
    """Fallbacks that lead back to where they began."""
    following = {name: adapted.manners.fallback.channel for name, adapted in parts.channels.items() if adapted.manners.fallback}
    for name in following:
        way = [name]
        while (after := following.get(way[-1])) is not None and after not in way:
            way.append(after)
        if following.get(way[-1]) == name:
            place = parts.tree.value_place(("channels", name, "fallback"))
            yield Flaw(place, "self-reference", f"the fallback leads back to {name}: {' -> '.join([*way, name])}")


def _unheard_events(parts: Parts) -> Iterator[Flaw]:
    for name, channel in parts.channels.items():
        for index, pattern in enumerate(channel.config.events if channel.config is not None else ()):
            if not any(fnmatchcase(word, pattern) for word in EVENTS):
                place = parts.tree.value_place(("channels", name, "events", index))
                yield Flaw(place, "unknown-name", f"no event is named {shown(pattern)}{hint(pattern, EVENTS)}")


def _odd_silences(parts: Parts) -> Iterator[Flaw]:
    for name, source in parts.sources.items():
        span = source.config.silent_after if source.config is not None else None
        try:
            parse_duration(span or "1h", days_allowed=True)
        except InvalidDuration as error:
            yield Flaw(parts.tree.value_place(("sources", name, "silent_after")), "bad-duration", str(error))


def _long_targets(parts: Parts, today: date) -> Iterator[Flaw]:
    start = datetime(today.year, today.month, today.day, tzinfo=UTC)
    for index, policy in parts.policies.items():
        for metric, goal in policy.targets.items():
            calendar = parts.made.get(goal.calendar or policy.calendar)
            if calendar is not None:
                yield from _long(parts, ("policies", index, "targets", metric, "within"), goal, calendar, start)


def _long(parts: Parts, path: Path, goal: Goal, calendar: Calendar, start: datetime) -> Iterator[Flaw]:
    for priority, target in goal.within.items():
        place = parts.tree.value_place((*path, priority))
        try:
            due = _due(calendar, target, start)
        except NoWorkingTime:
            yield Flaw(place, "target-too-long", f"the calendar {calendar.name} has not that much open time within five years")
            continue
        if due - start > _YEAR:
            message = f"the calendar {calendar.name} needs more than a year for this: from {start.date()} to {due.date()}"
            yield Flaw(place, "target-over-a-year", message)


def _due(calendar: Calendar, target: Target, start: datetime) -> datetime:
    if isinstance(target, OpenTime):
        return calendar.add_open_time(start, target.seconds)
    return calendar.add_business_days(start, target.days, at_close=target.at_close)
