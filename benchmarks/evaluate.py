"""The full verdict of one lively ticket with 20 events, four metrics and warnings; and one event more on a short and a long ticket.

Made anew: nothing is known of the ticket but its events. One event more: the ticket was judged before, then an event is added and every
clock judged; that must cost a ticket of 500 events hardly more than one of 20. The goal in microseconds holds for a quiet machine; on a
busy one the figure only tells better from worse within one run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import app
from app.rules.calendar import Calendar, CalendarSpec
from app.rules.conditions import parse_condition
from app.rules.durations import parse_target, parse_warning
from app.rules.evaluate import evaluate
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.explain import explain
from app.rules.policy import Book, Policy, Terms, Tier
from app.rules.timeline import Timeline
from benchmarks import Figure, Report, interleaved

VERDICT_GOAL = 120.0  # microseconds
APPEND_GOAL = 2.0  # times an append to a short ticket
EVENTS = 20
LONG = 500
COUNT = 4
"""So few calls are measured at once that they are seldom interrupted by whatever else runs on the machine."""

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
OFFICE = CalendarSpec(name="office", zone="Europe/Berlin", hours=dict.fromkeys(range(5), ((9 * 3600, 12 * 3600), (13 * 3600, 17 * 3600))))
TARGETS = {"first_response": "1h", "next_response": "2h", "update_cadence": "8h", "resolution": "16h"}

Said = tuple[str, ActorKind | None, dict[str, FactValue]]
EXCHANGE: tuple[Said, ...] = (
    ("customer asks", ActorKind.CUSTOMER, {}),
    ("taken up", None, {"assignee": "anna", "status": "open"}),
    ("note", None, {"tags": ("vip", "billing")}),
    ("agent replies", ActorKind.AGENT, {}),
    ("waiting", None, {"status": "pending"}),
    ("customer answers", ActorKind.CUSTOMER, {}),
    ("back", None, {"status": "open"}),
)


def run(*, quick: bool) -> Report:
    """Microseconds per verdict: made anew, with one event more, as time passes; and per explanation."""
    book = document()
    short, long = _judged(EVENTS, book), _judged(LONG, book)
    works: dict[str, Callable[[], object]] = {
        "anew": lambda: evaluate(Timeline(short.line.events), book, short.at),
        "short": lambda: _one_more_each(short, book),
        "long": lambda: _one_more_each(long, book),
        "tick": lambda: evaluate(short.line, book, short.at),
        "explanation": lambda: explain(Timeline(short.line.events), book, short.at),
    }
    seconds = interleaved(200 if quick else 2000, **{name: partial(_repeat, work) for name, work in works.items()})
    taken = {name: each / COUNT * 1e6 / (len(EXCHANGE) if name in {"short", "long"} else 1) for name, each in seconds.items()}
    clocks = [len(evaluate(ticket.line, book, ticket.at).clocks) for ticket in (short, long)]
    how = "compiled" if app.COMPILED else "interpreted"
    note = f"{how}; {EVENTS} events, {len(TARGETS)} metrics, {clocks[0]} clocks; long: {LONG} events, {clocks[1]} clocks"
    return Report("evaluate", tuple(_rows(taken)), (note,))


def _rows(taken: Mapping[str, float]) -> Iterator[Figure]:
    ratio = taken["long"] / taken["short"]
    for case, name in (("verdict, made anew", "anew"), ("verdict, one event more", "short")):
        yield Figure(case, taken[name], "µs", f"<= {VERDICT_GOAL:.0f} µs", taken[name] <= VERDICT_GOAL)
    yield Figure(
        "verdict, one event more, long", taken["long"], "µs",
        f"<= {APPEND_GOAL:g} x short", ratio <= APPEND_GOAL, anchor=taken["short"], ratio=ratio,
    )  # fmt: skip
    yield Figure("verdict, time passes", taken["tick"], "µs")
    yield Figure("explanation, made anew", taken["explanation"], "µs")


@dataclass(frozen=True, slots=True)
class _Judged:
    """A ticket that has been judged at an instant, and all that may happen next."""

    line: Timeline
    at: datetime
    more: tuple[TicketEvent, ...]


def _judged(events: int, book: Book) -> _Judged:
    line = ticket(events)
    at = line.events[-1].at + timedelta(hours=1)
    evaluate(line, book, at)
    return _Judged(line, at, tuple(_event(events, said) for said in EXCHANGE))


def _one_more_each(ticket: _Judged, book: Book) -> None:
    """Each event that may happen next, on the same ticket."""
    for event in ticket.more:
        evaluate(ticket.line.extend([event]), book, ticket.at)


def document() -> Book:
    """Two policies by tier, every target with two warnings, the resolution paused while waiting for the customer."""
    office = Calendar(OFFICE)
    warnings = (parse_warning("50%"), parse_warning("30m before"))
    terms = {
        name: Terms(
            metric=name,
            calendar=office,
            targets={"default": parse_target(target)},
            warnings=warnings,
            pause_while=parse_condition({"status": "pending"}) if name == "resolution" else None,
        )
        for name, target in TARGETS.items()
    }
    tiers = (Tier("gold", parse_condition({"organization": ["Acme", "Initech"]})), Tier("bronze"))
    return Book(1, (Policy("gold", parse_condition({"tier": "gold"}), terms), Policy("rest", None, terms)), tiers)


def ticket(events: int) -> Timeline:
    """A ticket that goes back and forth, an event every twenty minutes."""
    return Timeline().extend(_happenings(events))


def _happenings(events: int) -> Iterator[TicketEvent]:
    facts: dict[str, FactValue] = {"status": "new", "priority": "high", "organization": "Globex", "requester": "zoe", "group": "support"}
    yield TicketEvent("desk", "1", "e0", MONDAY, EventKind.TICKET_CREATED, facts, actor=Actor(ActorKind.CUSTOMER, "zoe"))
    for number in range(1, events):
        yield _event(number, EXCHANGE[number % len(EXCHANGE)])


def _event(number: int, said: Said) -> TicketEvent:
    _, author, facts = said
    message = None if author is None else Message(author, public=True, id=f"m{number}")
    actor = Actor(author or ActorKind.AGENT, "anna" if author is not ActorKind.CUSTOMER else "zoe")
    return TicketEvent("desk", "1", f"e{number}", MONDAY + timedelta(minutes=20 * number), set=facts, message=message, actor=actor)


def _repeat(work: Callable[[], object]) -> None:
    for _ in range(COUNT):
        work()
