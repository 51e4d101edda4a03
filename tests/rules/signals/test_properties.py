"""What must hold of signals for every ticket: no order of arrival matters, nor how often one looks."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules.conditions import parse_condition
from app.rules.evaluate import evaluate
from app.rules.events import TicketEvent
from app.rules.policy import Book, OpenTime
from app.rules.signals import Contacts, Count, Grace, Knobs, Matching, SignalRule, Silence, Watch, past_of, watch
from app.rules.timeline import Timeline
from tests.rules.tickets import CALENDARS, START, books, events

calm = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
moments = st.integers(0, 20_000).map(lambda second: START + timedelta(seconds=second))
spans = st.none() | st.integers(60, 4000)
counts = st.builds(Count, st.none() | st.integers(0, 3), spans)
KNOBS: dict[str, st.SearchStrategy[Knobs]] = {
    "agent_switching": counts,
    "reopened": counts,
    "missed_promise": counts,
    "repeated_contact": st.builds(Contacts, st.integers(0, 3), spans, st.booleans()),
    "silence": st.builds(Silence, st.none() | st.integers(60, 5000).map(OpenTime), st.sampled_from(CALENDARS)),
    "severity": st.just(Matching(parse_condition({"priority": "high"}))),
    "customer_request": st.builds(Grace, st.integers(0, 2000), st.sampled_from(CALENDARS), st.just(parse_condition({"tags": "vip"}))),
}


@st.composite
def rules(draw: st.DrawFn) -> list[SignalRule]:
    """Some signals, with thresholds that differ by tier."""
    names = draw(st.lists(st.sampled_from(sorted(KNOBS)), min_size=1, max_size=4, unique=True))
    return [
        SignalRule(
            name,
            draw(KNOBS[name]),
            {"gold": draw(KNOBS[name])},
            cooldown=draw(st.sampled_from([0, 0, 900])),
            dwell=draw(st.sampled_from([0, 0, 300])),
            only=draw(st.sampled_from([None, None, parse_condition({"status": {"not": "pending"}})])),
        )
        for name in names
    ]


def seen(line: Timeline, by: Book, wanted: list[SignalRule], at: datetime) -> Watch:
    past = past_of(line, by, at, evaluate(line, by, at).clocks)
    assert past is not None
    return watch(wanted, past, at)


@calm
@given(events(), books(), rules(), moments)
def test_any_arrival_raises_the_same(told: list[TicketEvent], by: Book, wanted: list[SignalRule], at: datetime) -> None:
    rebuilt, grown = Timeline().extend(told), Timeline()
    for event in told:
        grown = grown.extend([event])
        seen(grown, by, wanted, at)
    backwards = Timeline().extend([*reversed(told), told[0]])

    assert seen(rebuilt, by, wanted, at) == seen(grown, by, wanted, at) == seen(backwards, by, wanted, at)


@calm
@given(events(), books(), rules(), moments, moments)
def test_what_was_raised_stays_and_nothing_comes_before_the_instant_that_was_told(
    told: list[TicketEvent], by: Book, wanted: list[SignalRule], one: datetime, other: datetime
) -> None:
    wanted = [rule for rule in wanted if rule.name != "missed_promise"]  # a promise may come to be broken meanwhile
    line, earlier, later = Timeline().extend(told), min(one, other), max(one, other)
    if by.tiers[0].since is not None and earlier < by.tiers[0].since <= later:  # a tier that changes by date alone is a date of its own
        earlier = later
    before, after = seen(line, by, wanted, earlier), seen(line, by, wanted, later)
    fresh = after.raised[len(before.raised) :]

    assert before.raised == after.raised[: len(before.raised)]
    assert (fresh[0].raised_at if fresh else None) == (before.next_at if before.next_at is not None and before.next_at <= later else None)


@calm
@given(events(), books(), rules(), moments)
def test_each_signal_is_raised_in_its_spell_on_a_ticket_that_is_there(
    told: list[TicketEvent], by: Book, wanted: list[SignalRule], at: datetime
) -> None:
    for raised in seen(Timeline().extend(told), by, wanted, at).raised:
        rule = next(rule for rule in wanted if rule.name == raised.name)

        assert raised.since + timedelta(seconds=rule.dwell) <= raised.raised_at <= at
        assert raised.ended_at is None or raised.raised_at < raised.ended_at
