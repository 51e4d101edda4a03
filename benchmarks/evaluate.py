"""The full verdict of one lively ticket with 20 events, four metrics and warnings; and adding one event to a short and a long timeline.

The goal holds for a quiet machine; on a busy one the figure only tells better from worse within one run.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

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
EVENTS = 20
LONG = 500

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
    """Microseconds per verdict, per explanation, per added event."""
    count = 50 if quick else 500
    book, line, long = document(), ticket(EVENTS), ticket(LONG)
    at = line.events[-1].at + timedelta(hours=1)
    added = [_event(LONG + 1, EXCHANGE[0])]
    seconds = interleaved(
        5 if quick else 15,
        verdict=partial(_repeat, count, lambda: evaluate(line, book, at)),
        explanation=partial(_repeat, count // 10, lambda: explain(line, book, at)),
        short=partial(_repeat, count, lambda: line.extend(added)),
        long=partial(_repeat, count // 10, lambda: long.extend(added)),
    )
    verdict = seconds["verdict"] / count * 1e6
    return Report(
        "evaluate",
        (
            Figure("verdict", verdict, "µs", f"<= {VERDICT_GOAL:.0f} µs", verdict <= VERDICT_GOAL),
            Figure("explanation", seconds["explanation"] / (count // 10) * 1e6, "µs"),
            Figure("append, short", seconds["short"] / count * 1e6, "µs"),
            Figure("append, long", seconds["long"] / (count // 10) * 1e6, "µs"),
        ),
        (f"{EVENTS} events, {len(TARGETS)} metrics, {len(evaluate(line, book, at).clocks)} clocks; long: {LONG} events",),
    )


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


def _repeat(count: int, work: Callable[[], object]) -> None:
    for _ in range(count):
        work()
