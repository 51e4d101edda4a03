"""`python -m tests.compiled.lives`: how the engine runs; what it says of tickets drawn by lot, the same in every run."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import app
from app.rules.calendar import ALWAYS
from app.rules.conditions import parse_condition
from app.rules.durations import parse_target, parse_warning
from app.rules.evaluate import evaluate
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.explain import as_json, explain
from app.rules.policy import Book, CustomMetric, Policy, Terms, Tier
from app.rules.timeline import Timeline
from tests.rules.calendars import calendar

LIVES = 400
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
CALENDARS = (ALWAYS, calendar("Europe/Berlin", workdays="09:00-12:00 13:00-17:00"), calendar("Asia/Kolkata", daily="00:00-24:00"))
METRICS = ("first_response", "next_response", "update_cadence", "resolution", "assignment", "group_ownership", "follow_up", "in_test")
PAUSES = (None, {"status": "pending"}, {"status": ["pending", "on_hold"], "priority": {"not": "high"}})
FACTS: dict[str, tuple[FactValue, ...]] = {
    "status": ("new", "open", "pending", "on_hold", "solved", "closed", "in_test"),
    "priority": ("low", "high", None),
    "tags": ((), ("vip",), ("vip", "eu")),
    "group": ("first", "second", None),
    "assignee": ("anna", "bert", None),
    "requester": ("anna", "zoe"),
    "deleted": (True, False, False),
    "promised_update_at": (START + timedelta(hours=1), START + timedelta(hours=30), None),
}


def lot(rng: Random) -> tuple[list[TicketEvent], Book]:
    """A ticket and a document."""
    created = TicketEvent("desk", "1", "e", START, EventKind.TICKET_CREATED, {"status": "new"}, None, Actor(ActorKind.CUSTOMER, "zoe"))
    since = START + timedelta(hours=rng.randrange(60))
    tiers = (Tier("gold", parse_condition({"tags": "vip"}), since=since),)
    policies = (Policy("gold", parse_condition({"tier": "gold"}), promises(rng)), Policy("rest", None, promises(rng)))
    metrics = {"in_test": CustomMetric("in_test", parse_condition({"status": "in_test"}), "began")}
    return [created, *(event(rng, number) for number in range(rng.randrange(30)))], Book(1, policies, tiers=tiers, metrics=metrics)


def event(rng: Random, number: int) -> TicketEvent:
    """Anything that may happen within four days."""
    author = rng.choice([None, ActorKind.CUSTOMER, ActorKind.AGENT, ActorKind.BOT])
    return TicketEvent(
        "desk", "1", f"e{number}", START + timedelta(minutes=rng.randrange(5760)),
        set={name: rng.choice(FACTS[name]) for name in rng.sample(sorted(FACTS), rng.randrange(4))},
        message=Message(author, public=rng.random() < 0.8) if author else None,
        actor=Actor(author or ActorKind.SYSTEM, rng.choice(["anna", None])),
    )  # fmt: skip


def promises(rng: Random) -> dict[str, Terms]:
    """Terms of some metrics."""
    return {name: terms(rng, name) for name in rng.sample(METRICS, rng.randrange(1, 5))}


def terms(rng: Random, name: str) -> Terms:
    """Terms of a metric."""
    pause = rng.choice(PAUSES)
    return Terms(
        metric=name,
        calendar=rng.choice(CALENDARS),
        targets={word: parse_target(rng.choice(["30m", "4h", "12h", "2bd", "1bd@close"])) for word in ("default", "high")},
        warnings=(parse_warning("50%"), parse_warning("30m before")),
        pause_while=parse_condition(pause) if pause else None,
        reopen=rng.choice(["resume", "restart", "final"]),
        on_solve=rng.choice(["cancel", "fulfil"]),
        anchor=rng.choice(["created", "policy_applied"]),
        retroactive_pause=rng.random() < 0.5,
        on_change=rng.choice(["retarget", "restart", "keep"]),
    )


def told(rng: Random) -> Iterator[object]:
    """What is said of one ticket: on the way, and after all events."""
    events, book = lot(rng)
    at, half = START + timedelta(minutes=rng.randrange(7200)), rng.randrange(len(events) + 1)
    line = Timeline().extend(events[:half])
    before = evaluate(line, book, at)
    after = explain(line.extend(events[half:]), book, at)
    for clock in (*before.clocks, *after.verdict.clocks):
        yield clock.identity, clock[1:], clock.cause, clock.cycle.stretches, clock.cycle.outcome, clock.next_check_at(())
    yield after.verdict.rejudge_at, as_json(after)


if __name__ == "__main__":
    print("compiled" if app.COMPILED else "interpreted")
    for seed in range(LIVES):
        print(*told(Random(seed)))
