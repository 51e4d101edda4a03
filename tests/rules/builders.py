"""Tickets, promises and verdicts for tests, written as one would tell them.

    line = timeline("09:00 created", "09:05 agent replies", "tue 10:00 customer asks and pending")
    clock = judged(line, book(next_response="1h"), "tue 10:30").last("next_response")

Times are UTC in the week of Monday 2 March 2026. `#2` after the time is the event's `order`, `=k1` its key, a trailing `!` marks an echo.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.rules.calendar import ALWAYS, Calendar
from app.rules.conditions import parse_condition
from app.rules.durations import parse_target, parse_warning
from app.rules.evaluate import Clock, Verdict, evaluate
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.policy import Book, Policy, Terms
from app.rules.timeline import Timeline
from tests.rules.calendars import WEEKDAYS, calendar

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
OFFICE = calendar(workdays="09:00-17:00")
PENDING = {"status": "pending"}

_WRITTEN = re.compile(
    r"(?:(?P<day>[a-z]{3}) )?(?P<time>\d\d:\d\d(?::\d\d)?)(?: #(?P<order>-?\d+))?(?: =(?P<key>\S+))? (?P<what>.+?)(?P<echo> !)?"
)
_STATUSES = frozenset({"new", "open", "pending", "on_hold", "solved", "closed"})
_SPOKEN: Mapping[str, tuple[ActorKind, bool]] = {
    "customer asks": (ActorKind.CUSTOMER, True),
    "agent replies": (ActorKind.AGENT, True),
    "agent notes": (ActorKind.AGENT, False),
    "bot replies": (ActorKind.BOT, True),
    "somebody writes": (ActorKind.UNKNOWN, True),
    "system writes": (ActorKind.SYSTEM, True),
}
_CREATED = {f"created by {kind.value}": kind for kind in ActorKind} | {"created": ActorKind.CUSTOMER}
_FIXED: Mapping[str, Mapping[str, FactValue]] = {
    "reopened": {"status": "open"},
    "deleted": {"deleted": True},
    "undeleted": {"deleted": False},
    "unmerged": {"merged_into": None},
    "unassigned": {"assignee": None},
}
_NAMED: Mapping[str, Callable[[str], Mapping[str, FactValue]]] = {
    "assigned ": lambda who: {"assignee": who},
    "given to bot ": lambda who: {"assignee": who, "assignee_is_bot": True},
    "group ": lambda group: {"group": group},
    "priority ": lambda word: {"priority": word},
    "tier ": lambda tier: {"tier": tier},
    "tagged ": lambda tags: {"tags": tuple(tags.split())},
    "requester ": lambda who: {"requester": who},
    "merged into ": lambda ticket: {"merged_into": ticket},
    "status ": lambda word: {"status": word},
    "created at ": lambda when: {"created_at": at(when)},
}


def at(text: str) -> datetime:
    """`09:00`, `09:00:30`, `tue 09:00`, in UTC."""
    *day, time = text.split()
    hours, minutes, *seconds = map(int, time.split(":"))
    days = WEEKDAYS.index(day[0]) if day else 0
    return MONDAY + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)


def event(text: str, *, actor: str | None = None, message: str | None = None, **facts: FactValue) -> TicketEvent:
    """One event. `actor` is the id of whoever acts, `message` the id of what is said, `facts` more of what became true."""
    found = _WRITTEN.fullmatch(text)
    assert found is not None, text
    when = at(f"{found['day'] or 'mon'} {found['time']}")
    kind, creator, said = EventKind.TICKET_UPDATED, None, None
    asserted: dict[str, FactValue] = {}
    for part in found["what"].split(" and "):
        if part in _CREATED:
            kind, creator = EventKind.TICKET_CREATED, _CREATED[part]
        elif part in _SPOKEN:
            said = Message(*_SPOKEN[part], message)
        else:
            asserted |= _facts(part)
    return TicketEvent(
        source="desk",
        ticket="1",
        key=found["key"] or text,
        at=when,
        kind=kind,
        set=asserted | facts,
        message=said,
        actor=Actor(creator or (said.author if said else ActorKind.UNKNOWN), actor),
        order=int(found["order"]) if found["order"] else None,
        echo=found["echo"] is not None,
    )


def _facts(part: str) -> Mapping[str, FactValue]:
    if part in _STATUSES:
        return {"status": part}
    if part in _FIXED:
        return _FIXED[part]
    opening = next(opening for opening in _NAMED if part.startswith(opening))
    return _NAMED[opening](part.removeprefix(opening))


def timeline(*events: str | TicketEvent) -> Timeline:
    """A ticket's timeline, in whatever order its events are given."""
    return Timeline().extend(e if isinstance(e, TicketEvent) else event(e) for e in events)


def terms(
    metric: str,
    target: str | Mapping[str, str],
    *,
    on: Calendar = ALWAYS,
    warn: tuple[str, ...] = (),
    pause: Mapping[str, object] | None = None,
    **knobs: Any,
) -> Terms:
    """What is promised for one metric. `pause` is a condition as in the document; the other knobs are those of `Terms`."""
    targets = {"default": target} if isinstance(target, str) else target
    return Terms(
        metric=metric,
        calendar=on,
        targets={priority: parse_target(text) for priority, text in targets.items()},
        warnings=tuple(parse_warning(text) for text in warn),
        pause_while=parse_condition(pause) if pause else None,
        **knobs,
    )


def policy(name: str, *promises: Terms, match: Mapping[str, object] | None = None, **targets: str) -> Policy:
    """A policy of these promises; `targets` are plain ones, always open: `policy("gold", resolution="4h")`."""
    plain = (terms(metric, target) for metric, target in targets.items())
    condition = parse_condition(match) if match else None
    return Policy(name, condition, {promise.metric: promise for promise in (*promises, *plain)})


def book(*parts: Policy | Terms, **targets: str) -> Book:
    """The policies given, or one of the promises given that holds for everybody."""
    policies = tuple(part for part in parts if isinstance(part, Policy))
    promises = tuple(part for part in parts if isinstance(part, Terms))
    return Book(revision=1, policies=policies or (policy("everyone", *promises, match=None, **targets),))


@dataclass(frozen=True)
class Judged:
    """A verdict, easy to look into."""

    verdict: Verdict

    def of(self, metric: str) -> list[Clock]:
        """The clocks of a metric, in order."""
        return [clock for clock in self.verdict.clocks if clock.cycle.metric == metric]

    def last(self, metric: str) -> Clock:
        """The newest clock of a metric."""
        return self.of(metric)[-1]


def judged(line: Timeline, by: Book, when: str | datetime) -> Judged:
    """What holds at an instant."""
    return Judged(evaluate(line, by, at(when) if isinstance(when, str) else when))


def minutes(clock: Clock) -> float:
    """How much of its target a clock has consumed."""
    return clock.consumed / 60_000_000
