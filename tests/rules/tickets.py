"""Random tickets and random documents to judge them by."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from app.rules.calendar import ALWAYS, Calendar
from app.rules.conditions import parse_condition
from app.rules.durations import parse_warning
from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.policy import Book, BusinessDays, CustomMetric, OpenTime, Policy, Target, Terms, Tier
from tests.rules.calendars import calendar

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CALENDARS = (
    ALWAYS,
    calendar("Europe/Berlin", workdays="09:00-12:00 13:00-17:00"),
    calendar("Asia/Kolkata", daily="00:00-24:00"),
    calendar("UTC", mon="08:10-08:20 08:25-08:27 08:40-24:00", tue="00:00-09:00"),
)
METRICS = ("first_response", "next_response", "update_cadence", "resolution", "assignment", "group_ownership", "follow_up", "in_test")

_FACTS: dict[str, Sequence[FactValue]] = {
    "status": ("new", "open", "pending", "on_hold", "solved", "closed", "in_test"),
    "priority": ("low", "high", None),
    "tags": ((), ("vip",), ("vip", "eu")),
    "group": ("first", "second", None),
    "assignee": ("anna", "bert", None),
    "assignee_is_bot": (True, False),
    "requester": ("anna", "zoe"),
    "tier": ("gold", None),
    "deleted": (True, False),
    "merged_into": ("2", None),
}
_CREATED_AT = (START, START - timedelta(minutes=3), START + timedelta(minutes=2))
_COMMON = ("status", "status", "status", "priority", "tags", "group", "assignee")
_AUTHORS = (ActorKind.CUSTOMER, ActorKind.AGENT, ActorKind.AGENT, ActorKind.BOT, ActorKind.UNKNOWN)
_PAUSES = (None, None, {"status": "pending"}, {"status": ["pending", "on_hold"]}, {"priority": "low"})


@st.composite
def events(draw: st.DrawFn, *, most: int = 12, span: int = 7200) -> list[TicketEvent]:
    """Events of one ticket within `span` seconds, many of them at equal instants, in no order. The first one created it.

    What states when it was created is told with the creation: learned later, it would change the past.
    """
    instants = draw(st.lists(st.integers(0, span), min_size=1, max_size=6))
    seconds = st.sampled_from(instants) | st.integers(0, span)
    made = [draw(_created())]
    made += [draw(_event(f"e{number}", draw(seconds))) for number in range(draw(st.integers(0, most)))]
    return draw(st.permutations(made))


@st.composite
def _created(draw: st.DrawFn) -> TicketEvent:
    who = draw(st.sampled_from([ActorKind.CUSTOMER, ActorKind.CUSTOMER, ActorKind.AGENT]))
    facts: dict[str, FactValue] = {"status": "new", "requester": draw(st.sampled_from(["zoe", "anna"]))}
    if (stated := draw(st.sampled_from([None, *_CREATED_AT]))) is not None:
        facts["created_at"] = stated
    message = draw(st.none() | st.just(Message(ActorKind.CUSTOMER, public=True)))
    return TicketEvent("desk", "1", "e", START, EventKind.TICKET_CREATED, facts, message, Actor(who, "anna"))


@st.composite
def _event(draw: st.DrawFn, key: str, second: int) -> TicketEvent:
    names = draw(st.lists(st.sampled_from(_COMMON) | st.sampled_from(sorted(_FACTS)), max_size=3, unique=True))
    message = draw(st.none() | st.builds(Message, st.sampled_from(_AUTHORS), st.booleans(), st.sampled_from([None, None, "m1", "m2"])))
    return TicketEvent(
        source="desk",
        ticket="1",
        key=key,
        at=START + timedelta(seconds=second),
        set={name: draw(st.sampled_from(_FACTS[name])) for name in names},
        message=message,
        actor=Actor(message.author if message else ActorKind.SYSTEM, draw(st.sampled_from([None, "anna", "zoe"]))),
        order=draw(st.none() | st.integers(0, 3)),
        echo=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def books(draw: st.DrawFn) -> Book:
    """A document of two policies (the first for gold tickets), an effective-dated tier and a metric of its own."""
    rule = Tier("gold", parse_condition({"tags": "vip"}), since=START + timedelta(seconds=draw(st.integers(-10, 5000))))
    policies = (
        Policy("gold", parse_condition({"tier": "gold"}), draw(_promises())),
        Policy("rest", draw(st.sampled_from([None, parse_condition({"priority": {"not": "low"}})])), draw(_promises())),
    )
    metrics = {"in_test": CustomMetric("in_test", parse_condition({"status": "in_test"}), draw(st.sampled_from(["began", "created"])))}
    return Book(1, policies, tiers=(rule,), metrics=metrics)


@st.composite
def _promises(draw: st.DrawFn) -> dict[str, Terms]:
    names = draw(st.lists(st.sampled_from(METRICS), min_size=1, unique=True))
    return {name: draw(_terms(name)) for name in names}


def _targets() -> st.SearchStrategy[Target]:
    in_days = st.builds(BusinessDays, st.integers(1, 2), st.booleans())
    return st.integers(1, 5400).map(OpenTime) | st.integers(1, 5400).map(OpenTime) | in_days


@st.composite
def _terms(draw: st.DrawFn, metric: str) -> Terms:
    words = draw(st.lists(st.sampled_from(["high", "low", "default"]), min_size=1, unique=True))
    pause = draw(st.sampled_from(_PAUSES))
    return Terms(
        metric=metric,
        calendar=draw(calendars()),
        targets={word: draw(_targets()) for word in words},
        warnings=tuple(parse_warning(text) for text in draw(st.lists(st.sampled_from(["50%", "80%", "10m before"]), unique=True))),
        pause_while=parse_condition(pause) if pause else None,
        reopen=draw(st.sampled_from(["resume", "resume", "restart", "final"])),
        reply_by=draw(st.sampled_from([frozenset({ActorKind.AGENT}), frozenset({ActorKind.AGENT, ActorKind.BOT})])),
        on_solve=draw(st.sampled_from(["cancel", "fulfil"])),
        anchor=draw(st.sampled_from(["created", "created", "policy_applied"])),
        retroactive_pause=draw(st.booleans()),
        on_change=draw(st.sampled_from(["retarget", "retarget", "restart", "keep"])),
        on_behalf=draw(st.booleans()),
    )


def calendars() -> st.SearchStrategy[Calendar]:
    """One of a few calendars, around the clock or not."""
    return st.sampled_from(CALENDARS)
