"""The engine against somebody who lives through the ticket second by second."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules.calendar import Calendar, CalendarSpec
from app.rules.conditions import parse_condition
from app.rules.evaluate import Clock, evaluate
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.policy import Book, OpenTime, Policy, Terms
from app.rules.timeline import Timeline
from tests.rules.oracle import is_open
from tests.rules.ticket_oracle import Happening, Lived, Promised, live
from tests.rules.tickets import START

LENGTH = 1500
"""Seconds of a ticket's life."""

_calm = [HealthCheck.too_slow, HealthCheck.data_too_large]
_AUTHORS = {"customer": ActorKind.CUSTOMER, "agent": ActorKind.AGENT, "note": ActorKind.AGENT, "bot": ActorKind.BOT}
_STATUSES = (None, None, "open", "pending", "pending", "solved", "solved", "closed")
_CHANGES: dict[str, Any] = {
    "author": st.sampled_from([None, "customer", "customer", "agent", "note", "bot"]),
    "status": st.sampled_from(_STATUSES),
    "priority": st.sampled_from([None, None, None, "high", "low"]),
    "deleted": st.sampled_from([None, None, None, None, None, True, False]),
}


@st.composite
def lives(draw: st.DrawFn) -> list[Happening]:
    """What happens to a ticket, its creation first; several things often within a few seconds, or the very same one."""
    instants = draw(st.lists(st.integers(0, LENGTH), min_size=1, max_size=5))
    seconds = st.sampled_from(instants) | st.sampled_from(instants).map(lambda s: s + 1) | st.integers(0, LENGTH)
    happenings = st.builds(Happening, seconds, st.just(0), **_CHANGES)
    drawn = draw(st.lists(happenings, max_size=12))
    numbered = [Happening(h.second, order, h.author, h.status, h.priority, h.deleted) for order, h in enumerate(drawn, 1)]
    return [Happening(0, 0, draw(st.sampled_from([None, "customer"])), "new"), *numbered]


@st.composite
def offices(draw: st.DrawFn) -> CalendarSpec:
    """Open around the clock, or for some minutes of the half hour after the ticket's creation."""
    if draw(st.integers(0, 3)) == 0:
        return CalendarSpec(name="always", always=True)
    first = START.hour * 60
    marks = draw(st.lists(st.integers(0, LENGTH // 60 + 5), min_size=2, max_size=8, unique=True).map(sorted))
    minutes = zip(marks[::2], marks[1::2], strict=False)
    hours = tuple(((first + start) * 60, (first + end) * 60) for start, end in minutes)
    return CalendarSpec(name="office", hours={START.weekday(): hours, 1: ((0, 86_400),)})


promises = st.builds(
    Promised,
    metric=st.sampled_from(["first_response", "next_response", "resolution"]),
    targets=st.fixed_dictionaries({None: st.integers(1, 900), "high": st.integers(1, 900)}),
    pauses=st.booleans(),
    reopen=st.sampled_from(["resume", "restart", "final"]),
    on_solve=st.sampled_from(["cancel", "fulfil"]),
)


def event(happening: Happening) -> TicketEvent:
    facts: dict[str, FactValue] = {"status": happening.status, "priority": happening.priority, "deleted": happening.deleted}
    said = None if happening.author is None else Message(_AUTHORS[happening.author], public=happening.author != "note")
    is_creation = happening.order == 0
    return TicketEvent(
        source="desk",
        ticket="1",
        key=f"e{happening.order}",
        at=START + timedelta(seconds=happening.second),
        kind=EventKind.TICKET_CREATED if is_creation else EventKind.TICKET_UPDATED,
        set={name: value for name, value in facts.items() if value is not None},
        message=said,
        actor=Actor(ActorKind.CUSTOMER if is_creation or said is None else said.author),
        order=happening.order,
    )


def judged(told: list[Happening], promised: Promised, office: CalendarSpec, until: int) -> list[tuple[Any, ...]]:
    """What the engine says, in the oracle's words."""
    terms = Terms(
        metric=promised.metric,
        calendar=Calendar(office),
        targets={word or "default": OpenTime(seconds) for word, seconds in promised.targets.items()},
        pause_while=parse_condition({"status": "pending"}) if promised.pauses else None,
        reopen=promised.reopen,  # type: ignore[arg-type]
        on_solve=promised.on_solve,  # type: ignore[arg-type]
    )
    line = Timeline().extend(event(happening) for happening in told if happening.second <= until)
    verdict = evaluate(line, Book(1, (Policy("p", None, {promised.metric: terms}),)), START + timedelta(seconds=until))
    return [_told(clock) for clock in verdict.clocks]


def _told(clock: Clock) -> tuple[Any, ...]:
    cycle = clock.cycle
    seconds = [_seconds(at) for at in (cycle.anchor, cycle.stopped_at, clock.breached_at)]
    return cycle.number, seconds[0], seconds[1], cycle.outcome, seconds[2], clock.consumed / 1_000_000


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else (at - START).total_seconds()


def lived(told: list[Happening], promised: Promised, office: CalendarSpec, until: int) -> list[Lived]:
    minutes = [is_open(office, START + timedelta(minutes=minute)) or office.always for minute in range(LENGTH // 60 + 1)]
    return live(told, promised, lambda second: minutes[second // 60], until)


def agree(told: list[Happening], promised: Promised, office: CalendarSpec, until: int) -> None:
    assert [clock.told() for clock in lived(told, promised, office, until)] == judged(told, promised, office, until)


@settings(max_examples=120, deadline=None, suppress_health_check=_calm)
@given(lives(), promises, offices(), st.integers(0, LENGTH))
def test_the_engine_agrees_with_a_life_lived_second_by_second(
    told: list[Happening], promised: Promised, office: CalendarSpec, until: int
) -> None:
    agree(told, promised, office, until)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=8000, deadline=None, suppress_health_check=_calm)
@given(lives(), promises, offices(), st.integers(0, LENGTH))
def test_the_engine_agrees_with_many_lives(told: list[Happening], promised: Promised, office: CalendarSpec, until: int) -> None:
    agree(told, promised, office, until)
