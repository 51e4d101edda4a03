"""What a timeline carries along with it is only a saving of work: the verdict is the one that is made anew from the events."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import strategies as st

from app.rules.calendar import ALWAYS
from app.rules.deadline import Ran, runs
from app.rules.evaluate import evaluate
from app.rules.events import TicketEvent
from app.rules.fold import fold
from app.rules.policy import Book, Tier
from app.rules.stretches import Kind, Stretches, closed, running_from, turned
from app.rules.timeline import Timeline
from app.store import timeline_codec
from tests.rules.builders import OFFICE, PENDING, at, book, event, judged, minutes, policy, terms, timeline
from tests.rules.test_engine_properties import moments, proof, proof_at_length
from tests.rules.tickets import START, books, events

PLAIN = book(terms("resolution", "4h", pause=PENDING), first_response="1h", next_response="1h", update_cadence="2h")
GOLD_FROM_TEN = Book(
    1,
    (policy("gold", match={"tier": "gold"}, resolution="1h"), policy("rest", resolution="4h")),
    tiers=(Tier("gold", None, since=at("10:00")),),
)
_KINDS: tuple[Kind | None, ...] = ("running", "paused", "stopped", None)


def as_if_made_anew(line: Timeline, by: Book, when: datetime) -> None:
    """The verdict on a timeline that carries something is the one on a timeline that carries nothing."""
    assert evaluate(line, by, when) == evaluate(Timeline(line.events), by, when)


def taken(line: Timeline) -> list[int]:
    return [fold.taken for fold in line.folds]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[list[TicketEvent], int, datetime]]:
    """What happens bit by bit, mostly in order: the events told, by which document it is judged then, and for which instant."""
    told = sorted(draw(events()), key=lambda event: event.at)
    for _ in range(draw(st.integers(0, 2))):
        told.insert(draw(st.integers(0, len(told) - 1)), told.pop(draw(st.integers(0, len(told) - 1))))
    cuts = [0, *sorted(draw(st.lists(st.integers(0, len(told)), max_size=8))), len(told)]
    parts = [told[start:end] for start, end in pairwise(cuts)]
    return [(part, draw(st.sampled_from([0, 0, 0, 1])), draw(moments)) for part in parts]


def what_is_carried_is_what_is_made_anew(history: list[tuple[list[TicketEvent], int, datetime]], one: Book, other: Book) -> None:
    line = Timeline()
    for told, number, when in history:
        line = line.extend(told)
        as_if_made_anew(line, (one, other)[number], when)


def storing_in_between_changes_nothing(history: list[tuple[list[TicketEvent], int, datetime]], one: Book, other: Book) -> None:
    kept, line = Timeline(), Timeline()
    stored = b"[]"
    for told, number, when in history:
        base = timeline_codec.load(stored, "desk", "1")
        kept, line = kept.extend(told), base.extend(told)
        stored = timeline_codec.dump(line, stored, base)

        assert stored == timeline_codec.dump(Timeline(line.events))
        assert evaluate(kept, (one, other)[number], when) == evaluate(line, (one, other)[number], when)


def two_futures_do_not_disturb_each_other(told: list[TicketEvent], cut: int, by: Book, when: datetime) -> None:
    told = sorted(told, key=lambda event: event.at)
    past = Timeline().extend(told[:cut])
    evaluate(past, by, when)
    for line in (past.extend(told[cut::2]), past.extend(told[cut + 1 :: 2]), past.extend(told[cut:]), past):
        as_if_made_anew(line, by, when)


_HISTORIES = (histories(), books(), books())
_FUTURES = (events(), st.integers(0, 12), books(), moments)

test_what_is_carried_is_what_is_made_anew = proof(what_is_carried_is_what_is_made_anew, *_HISTORIES, examples=50)
test_storing_in_between_changes_nothing = proof(storing_in_between_changes_nothing, *_HISTORIES, examples=25)
test_two_futures_do_not_disturb_each_other = proof(two_futures_do_not_disturb_each_other, *_FUTURES, examples=30)

test_what_is_carried_is_what_is_made_anew_at_length = proof_at_length(what_is_carried_is_what_is_made_anew, *_HISTORIES)
test_storing_in_between_changes_nothing_at_length = proof_at_length(storing_in_between_changes_nothing, *_HISTORIES)
test_two_futures_do_not_disturb_each_other_at_length = proof_at_length(two_futures_do_not_disturb_each_other, *_FUTURES)


def test_another_event_is_one_step_more() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:20 customer asks")
    evaluate(line, PLAIN, at("09:30"))

    longer = line.extend([event("09:40 agent replies")])

    assert taken(line) == taken(longer) == [3, 2]
    as_if_made_anew(longer, PLAIN, at("09:50"))
    assert taken(longer) == [4, 3]


def test_what_else_is_told_of_the_newest_instant_belongs_to_its_step() -> None:
    line = timeline("09:00 created", "09:10 customer asks", "09:20 =a agent replies")
    evaluate(line, PLAIN, at("09:30"))

    longer = line.extend([event("09:20 =b pending")])

    assert taken(longer) == [2]
    as_if_made_anew(longer, PLAIN, at("09:30"))


def test_an_event_that_comes_late_takes_the_story_back() -> None:
    line = timeline("09:00 created", "12:00 customer asks", "14:00 agent replies")
    late = line.extend([event("09:30 solved")])

    before, after = judged(line, PLAIN, "15:00"), judged(line.extend([event("09:30 solved")]), PLAIN, "15:00")

    assert taken(line.extend([event("09:30 solved")])) == taken(late) == []
    assert before.last("first_response").breached_at == at("10:00")
    assert after.last("first_response").breached_at is None


def test_another_document_judges_anew() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "11:00 customer asks")
    strict = book(resolution="30m")

    clocks = [judged(line, by, "12:00").last("resolution").breached_at for by in (PLAIN, strict, PLAIN)]

    assert clocks == [None, at("09:30"), None]


def test_the_time_of_creation_that_becomes_known_later_moves_all_clocks() -> None:
    line = timeline("09:00 open", "09:10 agent notes")
    first = judged(line, PLAIN, "09:20").last("resolution")

    longer = line.extend([event("09:30 created at 08:00")])

    assert (first.cycle.anchor, judged(longer, PLAIN, "09:40").last("resolution").cycle.anchor) == (at("09:00"), at("08:00"))


def test_the_time_of_creation_that_is_known_already_moves_nothing() -> None:
    line = timeline("09:00 open and created at 08:30", "09:10 agent notes")
    evaluate(line, PLAIN, at("09:20"))

    longer = line.extend([event("09:30 created at 08:00")])

    assert taken(longer) == [2, 1]
    assert judged(longer, PLAIN, "09:40").last("resolution").cycle.anchor == at("08:30")


def test_the_time_of_creation_that_becomes_known_between_two_moves_all_clocks_too() -> None:
    line = timeline("09:00 open", "09:10 agent notes", "09:30 created at 08:30")
    first = judged(line, PLAIN, "09:40").last("resolution")

    longer = line.extend([event("09:20 created at 08:00")])

    assert (first.cycle.anchor, judged(longer, PLAIN, "09:40").last("resolution").cycle.anchor) == (at("08:30"), at("08:00"))
    as_if_made_anew(longer, PLAIN, at("09:40"))


def test_a_date_from_before_the_ticket_is_no_step_and_hides_none_that_follows() -> None:
    tiers = (
        Tier("silver", since=at("08:00"), until=at("08:30")),
        Tier("bronze", since=at("09:00"), until=at("09:30")),
        *GOLD_FROM_TEN.tiers,
    )
    story = fold(timeline("09:00 created"), Book(1, GOLD_FROM_TEN.policies, tiers=tiers), at("10:30"))

    assert story is not None
    assert ("gold", [at("09:00"), at("09:30"), at("10:00")]) == (story.policy, [step.at for step in story.steps])


@pytest.mark.parametrize(
    "more", [("09:40 solved",), ("09:40 solved", "09:50 reopened"), ("09:40 solved", "09:50 reopened", "09:55 solved")]
)
def test_a_future_leaves_the_past_as_it_was(more: Sequence[str]) -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:20 customer asks")
    evaluate(line, PLAIN, at("09:30"))

    as_if_made_anew(line.extend([event(text) for text in more]), PLAIN, at("10:00"))

    assert taken(line) == [3, 2]
    as_if_made_anew(line, PLAIN, at("10:00"))


@pytest.mark.parametrize("asked", [["09:30", "10:30", "11:30"], ["11:30", "10:30", "09:30"]])
def test_a_date_counts_when_it_has_come_whenever_one_asked_before(asked: Sequence[str]) -> None:
    line = timeline("09:00 created", "09:10 agent notes", "11:00 agent notes")
    found = {when: judged(line, GOLD_FROM_TEN, when).verdict.policy for when in asked}

    assert found == {"09:30": "rest", "10:30": "gold", "11:30": "gold"}


def test_a_date_between_two_events_is_taken_before_the_second() -> None:
    line = timeline("09:00 created", "09:10 agent notes")
    evaluate(line, GOLD_FROM_TEN, at("09:20"))

    for told, when in [("09:50 agent replies", "10:30"), ("10:20 agent notes", "10:30"), ("10:10 pending", "10:30")]:
        line = line.extend([event(told)])
        as_if_made_anew(line, GOLD_FROM_TEN, at(when))

    assert judged(line, GOLD_FROM_TEN, "10:30").verdict.policy == "gold"


def test_a_clock_that_is_over_and_comes_back_is_judged_again() -> None:
    line = timeline("09:00 created", "10:00 solved")
    met = judged(line, PLAIN, "11:00").last("resolution")

    line = line.extend([event("12:00 reopened")])
    again = judged(line, PLAIN, "12:30").last("resolution")

    assert (met.health, again.state, minutes(again)) == ("met", "running", 90)


def test_a_promise_that_was_missed_long_ago_is_remembered_when_the_ticket_is_solved() -> None:
    by = book(next_response="10m", follow_up="2h")
    line = Timeline()
    for told in ["09:00 created", "09:05 agent replies", "10:00 customer asks", "10:30 agent replies", "11:00 customer asks"]:
        line = line.extend([event(told)])
        evaluate(line, by, line.events[-1].at + timedelta(minutes=1))

    line = line.extend([event("11:05 agent replies"), event("11:10 solved")])

    assert judged(line, by, "11:20").last("follow_up").state == "running"


@st.composite
def turns(draw: st.DrawFn) -> list[tuple[int, Kind | None]]:
    """Seconds after the start at which a clock is turned on or paused, or (None) at which its last stretch ends."""
    at_seconds = sorted(draw(st.lists(st.integers(0, 40), max_size=14)))
    return [(second, draw(st.sampled_from(_KINDS))) for second in at_seconds]


def what_runs_gave_before_may_be_kept(told: list[tuple[int, Kind | None]]) -> None:
    stretches: Stretches = running_from(START)
    known: Ran | None = None
    for second, kind in told:
        instant = START + timedelta(seconds=second)
        stretches = turned(stretches, instant, kind, None) if kind else closed(stretches, max(instant, stretches[-1].start))

        assert runs(ALWAYS, stretches, known) == runs(ALWAYS, stretches)
        known = Ran(ALWAYS, stretches, runs(ALWAYS, stretches, known))


def ran_by(turns_until: int, of: str = "prprpsrp") -> Stretches:
    """The stretches of a clock that was paused, turned on or stopped (by the letters) at growing distances."""
    kinds: dict[str, Kind] = {"p": "paused", "r": "running", "s": "stopped"}
    stretches: Stretches = running_from(START)
    for number, letter in enumerate(of[:turns_until], 1):
        stretches = turned(stretches, START + timedelta(minutes=number * number), kinds[letter], None)
    return stretches


@pytest.mark.parametrize("length", range(9))
def test_what_is_known_of_earlier_stretches_is_what_would_be_found_anew(length: int) -> None:
    stretches = ran_by(length)
    known = Ran(ALWAYS, stretches, runs(ALWAYS, stretches))
    others = [*(ran_by(more) for more in range(9)), *(ran_by(more, "srpspsps") for more in range(9))]

    assert [runs(ALWAYS, each) for each in others] == [runs(ALWAYS, each, known) for each in others]
    assert runs(OFFICE, stretches) == runs(OFFICE, stretches, known)


test_what_runs_gave_before_may_be_kept = proof(what_runs_gave_before_may_be_kept, turns(), examples=100)


def test_a_long_story_of_pauses_adds_up() -> None:
    line, by = Timeline(), book(terms("resolution", "20h", pause=PENDING, warn=("50%",)))
    told = ["09:00 created", *(f"{9 + n // 60:02}:{n % 60:02} {'pending' if n % 2 else 'open'}" for n in range(1, 300))]
    for text in told:
        line = line.extend([event(text)])
        found = judged(line, by, line.events[-1].at)

    assert minutes(found.last("resolution")) == 150
    as_if_made_anew(line, by, at("tue 23:00"))
