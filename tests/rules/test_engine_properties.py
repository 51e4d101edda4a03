"""What must hold for every ticket and document: no order of arrival matters, nor how often one judges, and the working adds up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules.evaluate import Clock, Verdict, evaluate
from app.rules.events import TicketEvent
from app.rules.explain import explain
from app.rules.policy import Book, OpenTime
from app.rules.ticket import walk
from app.rules.timeline import Timeline
from tests.rules.tickets import START, books, events

moments = st.integers(0, 10_000).map(lambda second: START + timedelta(seconds=second))
many_moments = st.lists(moments, min_size=1, max_size=8).map(sorted)
Property = Callable[..., None]


def proof(prove: Property, *given_: st.SearchStrategy[Any], examples: int = 40) -> Property:
    """The property as a test of so many examples."""
    calm = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    return calm(given(*given_)(prove))


def proof_at_length(prove: Property, *given_: st.SearchStrategy[Any]) -> Property:
    """The property as a test of many more examples."""
    return pytest.mark.slow(pytest.mark.timeout(1800)(proof(prove, *given_, examples=2000)))


def known_by(told: list[TicketEvent], at: datetime) -> Timeline:
    return Timeline().extend(event for event in told if event.at <= at)


def breaches(verdict: Verdict) -> set[tuple[str, int, datetime]]:
    return {(*clock.identity, clock.breached_at) for clock in verdict.clocks if clock.breached_at is not None}


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[TicketEvent], list[list[TicketEvent]]]:
    """Events, and the same events as they may arrive: in any order, some twice, in batches."""
    told = draw(events())
    again = draw(st.lists(st.sampled_from(told), max_size=4))
    arrived = draw(st.permutations([*told, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(arrived)), max_size=4)))
    return told, [arrived[start:end] for start, end in zip([0, *cuts], [*cuts, len(arrived)], strict=True)]


def any_arrival_gives_the_same_clocks(made: tuple[list[TicketEvent], list[list[TicketEvent]]], book: Book, at: datetime) -> None:
    told, batches = made
    rebuilt, grown = Timeline().extend(told), Timeline()
    for batch in batches:
        grown = grown.extend(batch)

    assert rebuilt == grown
    assert walk(rebuilt) == walk(grown)
    assert evaluate(rebuilt, book, at) == evaluate(grown, book, at)


def judging_often_or_only_at_the_end_finds_the_same_breaches(told: list[TicketEvent], book: Book, ticks: list[datetime]) -> None:
    end = max(ticks[-1], *(event.at for event in told))
    dues = {mark.at for clock in evaluate(Timeline().extend(told), book, end).clocks for mark in clock.milestones}
    moments = sorted({*ticks, *(event.at for event in told), *(due for due in dues if due < end), end})
    found = [breaches(evaluate(known_by(told, at), book, at)) for at in moments]

    assert found[-1] == set().union(*found)


def the_working_adds_up(told: list[TicketEvent], book: Book, at: datetime) -> None:
    explanation = explain(Timeline().extend(told), book, at)
    for lines in explanation.clocks:
        clock = lines.clock
        spans = [(line.start, line.end) for line in (*lines.spans, *lines.ahead)]

        assert sum(line.counted for line in lines.spans) == clock.consumed
        assert all(end == start for (_, end), (start, _) in pairwise(spans))
        assert all(line.counted == 0 or line.why == "counted" for line in lines.spans)
        if lines.ahead and isinstance(clock.cycle.target, OpenTime):
            assert clock.consumed + sum(line.counted for line in lines.ahead) == clock.cycle.target.seconds * 1_000_000
        assert (clock.state == "running" and clock.breached_at is None and clock.due_at is not None) == bool(lines.ahead)


def clocks_are_sound(told: list[TicketEvent], book: Book, at: datetime) -> None:
    verdict = evaluate(Timeline().extend(told), book, at)
    newest = max(at, *(event.at for event in told))

    assert len({clock.identity for clock in verdict.clocks}) == len(verdict.clocks)
    for clock in verdict.clocks:
        check_clock(clock, at, newest)


def check_clock(clock: Clock, at: datetime, newest: datetime) -> None:
    """`newest`: the later of `at` and the newest event, which may lie ahead of it."""
    cycle, stretches = clock.cycle, clock.cycle.stretches
    assert stretches[0].start == cycle.anchor
    assert all(one.end == other.start for one, other in pairwise(stretches))
    assert all(stretch.end is not None and stretch.start <= stretch.end for stretch in stretches[:-1])
    assert stretches[-1].end == cycle.stopped_at
    assert (clock.state in {"stopped", "cancelled"}) == (cycle.stopped_at is not None)
    assert clock.consumed >= 0
    assert [mark.at for mark in clock.passed] == sorted(mark.at for mark in clock.passed)
    assert {mark.name for mark in clock.passed} <= {mark.name for mark in clock.milestones}
    assert ("breach" in {mark.name for mark in clock.passed}) == (clock.breached_at is not None)
    assert clock.breached_at is None or (clock.breached_at == clock.due_at and clock.breached_at <= newest)
    assert cycle.stopped_at is None or clock.next_check_at([]) is None
    next_check = clock.next_check_at({mark.name for mark in clock.passed})
    assert next_check is None or next_check > at


_ARRIVALS = (arrivals(), books(), moments)
_TICKS = (events(), books(), many_moments)
_MOMENTS = (events(), books(), moments)

test_any_arrival_gives_the_same_clocks = proof(any_arrival_gives_the_same_clocks, *_ARRIVALS)
test_judging_often_or_only_at_the_end_finds_the_same_breaches = proof(judging_often_or_only_at_the_end_finds_the_same_breaches, *_TICKS)
test_the_working_adds_up = proof(the_working_adds_up, *_MOMENTS)
test_clocks_are_sound = proof(clocks_are_sound, *_MOMENTS)

test_any_arrival_gives_the_same_clocks_at_length = proof_at_length(any_arrival_gives_the_same_clocks, *_ARRIVALS)
test_judging_often_or_only_at_the_end_at_length = proof_at_length(judging_often_or_only_at_the_end_finds_the_same_breaches, *_TICKS)
test_the_working_adds_up_at_length = proof_at_length(the_working_adds_up, *_MOMENTS)
test_clocks_are_sound_at_length = proof_at_length(clocks_are_sound, *_MOMENTS)
