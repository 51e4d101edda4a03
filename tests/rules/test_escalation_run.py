"""A run of a ladder: what its log tells, what is due, and that whatever happens to it stays in order."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.calendar import ALWAYS, Calendar
from app.rules.condition_tests import FactTest
from app.rules.escalation import After, AtBreach, AtPercent, Ladder, Repeat, Step, Unacknowledged
from app.rules.escalation_advance import Advance, advance, next_step_at, upcoming
from app.rules.escalation_log import Entry, Kind
from app.rules.escalation_run import MOVING, Run, replay
from app.rules.escalation_words import next_in_words
from app.store import escalation_codec
from tests.rules.ladders import HOUR, LADDER, MINUTE, OFFICE, climb, ground, ladder, opened, spoken
from tests.support.clock import START


def test_several_overdue_rungs_speak_in_one_pass_each_dated_by_its_instant() -> None:
    done = climb(LADDER, START + HOUR)

    assert [START, START + 30 * MINUTE, START + HOUR] == [speech.due_at for speech in done.speeches]
    assert [(1, 0), (2, 0), (3, 0)] == spoken(done)


def test_nothing_speaks_before_its_instant() -> None:
    done = climb(LADDER, START + 30 * MINUTE - timedelta(microseconds=1))

    assert [(1, 0)] == spoken(done)
    assert START + 30 * MINUTE == next_step_at(done.run, done.ground)


def test_a_rung_takes_over_from_the_repetitions_of_the_one_before() -> None:
    steps = (replace(LADDER.steps[0], repeat=Repeat(600, 9)), LADDER.steps[1])
    of = replace(LADDER, steps=steps)
    run, said = replay([opened()], ALWAYS), []
    for minute in range(60):
        done = climb(of, START + minute * MINUTE, run)
        run = done.run
        said += [(minute, *each) for each in spoken(done)]

    assert [(0, 1, 0), (10, 1, 1), (20, 1, 2), (30, 2, 0)] == said


def test_a_repetition_that_was_missed_often_is_said_once_and_counts_on() -> None:
    of = replace(LADDER, steps=(replace(LADDER.steps[0], repeat=Repeat(600, 9)),))
    done = climb(of, START + 35 * MINUTE)

    assert [(1, 0), (1, 3)] == spoken(done)
    assert START + 40 * MINUTE == next_step_at(done.run, done.ground)


def test_seconds_are_open_time_unless_the_rung_says_wall() -> None:
    evening = START.replace(hour=15, minute=50)
    steps = (LADDER.steps[0], LADDER.steps[1], replace(LADDER.steps[2], wall=True))
    of = replace(LADDER, steps=steps)
    run = replay([opened(evening)], OFFICE)
    done = advance(run, ground(of, evening + 24 * HOUR, OFFICE))

    assert evening + timedelta(minutes=30) < done.speeches[1].due_at
    assert OFFICE.open_time_between(evening, done.speeches[1].due_at) == timedelta(minutes=30)
    assert 30 * MINUTE == done.speeches[2].due_at - done.speeches[1].due_at


def test_the_end_comes_when_nobody_has_acted_for_as_long_as_an_acknowledgement_holds() -> None:
    of = replace(LADDER, acknowledge_for=600)
    before, after = climb(of, START + 69 * MINUTE), climb(of, START + 70 * MINUTE)

    assert ("active", "exhausted") == (before.run.state, after.run.state)
    assert START + 70 * MINUTE == after.run.exhausted_at
    assert next_step_at(after.run, after.ground) is None


def test_before_the_breach_only_parts_of_the_target_are_rungs() -> None:
    of = ladder(AtPercent(50), AtBreach(), After(600))
    run = replay([opened(None)], ALWAYS)
    done = climb(of, START + 3 * HOUR, run, marks={50.0: START + HOUR})

    assert [(1, 0)] == spoken(done)
    assert next_step_at(done.run, done.ground) is None


def test_a_first_rung_that_follows_the_breach_waits_for_it() -> None:
    of = ladder(After(600))
    run = replay([opened(None)], ALWAYS)
    broken = replay([opened(None), Entry("breached", START + HOUR, due_at=START + HOUR)], ALWAYS)

    assert upcoming(run, ground(of, START)) is None
    assert START + HOUR + 10 * MINUTE == next_step_at(broken, ground(of, START))


def test_a_rung_that_reached_nobody_is_followed_at_once_and_in_the_end_by_the_last_resort_once() -> None:
    of = replace(LADDER, last_resort="ops")
    done = climb(of, START, channels={"ops"})
    again = advance(done.run, ground(of, START + HOUR, channels={"ops"}))

    assert [("ops",)] == [speech.channels for speech in done.speeches if speech.channels]
    assert ["spoke", "unreached"] * 3 + ["last_resort"] == [entry.kind for entry in done.entries]
    assert [] == spoken(again)


def test_with_nobody_left_to_tell_the_log_says_so() -> None:
    done = climb(ladder(AtBreach()), START, channels=())

    assert ["spoke", "unreached", "last_resort"] == [entry.kind for entry in done.entries]
    assert () == done.entries[-1].channels


def test_a_rung_without_channels_marks_the_ticket_and_reaches_nobody_by_design() -> None:
    of = Ladder("marks", (Step(0, AtBreach()),))

    assert ["spoke"] == [entry.kind for entry in climb(of, START).entries]


def test_a_repetition_whose_condition_does_not_hold_any_more_is_counted_and_not_said() -> None:
    step = replace(LADDER.steps[0], repeat=Repeat(600, 2), condition=FactTest("priority", "eq", "urgent"))
    of = replace(LADDER, steps=(step,))
    first = climb(of, START, facts={"priority": "urgent"})
    done = climb(of, START + 10 * MINUTE, first.run, facts={"priority": "low"})

    assert [] == done.speeches
    assert ("spoke", 1, "priority is low, not urgent") == (done.entries[0].kind, done.entries[0].loop, done.entries[0].why)


def test_what_comes_next_is_said_in_words() -> None:
    steps = (
        replace(LADDER.steps[0], repeat=Repeat(600, 2)),
        replace(LADDER.steps[1], condition=FactTest("priority", "eq", "urgent")),
        Step(2, Unacknowledged(900), notify=("c3", "c4"), wall=True),
        Step(3, AtPercent(150), notify=("c5",)),
    )
    of = replace(LADDER, steps=steps)

    assert "again in 10m of open time, then c2 in 30m of open time if its condition holds then" == next_in_words(of, 0, 1, OFFICE)
    assert "c2 in 30m if its condition holds then" == next_in_words(of, 0, 2, ALWAYS)
    assert "c3, c4 when nobody has acknowledged for 15m" == next_in_words(of, 1, 0, OFFICE)
    assert "c5 at 150% of the target" == next_in_words(of, 2, 0, ALWAYS)
    assert next_in_words(of, 3, 0, ALWAYS) is None


def test_a_log_begins_with_its_opening() -> None:
    with pytest.raises(ValueError, match="opening"):
        replay([], ALWAYS)
    with pytest.raises(ValueError, match="opening"):
        replay([Entry("held", START)], ALWAYS)


TRIGGERS = st.one_of(
    st.just(AtBreach()), st.sampled_from([20.0, 80.0, 150.0]).map(AtPercent), st.integers(60, 7200).map(After),
    st.integers(60, 7200).map(Unacknowledged),
)  # fmt: skip
REPEATS = st.none() | st.builds(Repeat, st.integers(60, 7200), st.integers(1, 5))
CONDITIONS = st.none() | st.just(FactTest("priority", "eq", "urgent"))


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    triggers = draw(st.lists(TRIGGERS, min_size=1, max_size=6))
    steps = tuple(
        Step(n, trigger, notify=(f"c{n}",), repeat=draw(REPEATS), condition=draw(CONDITIONS), wall=draw(st.booleans()))
        for n, trigger in enumerate(triggers)
    )
    return Ladder("drawn", steps, draw(st.integers(60, 7200)), draw(st.sampled_from([None, "ops"])))


DEEDS: tuple[Kind, ...] = ("acknowledged", "snoozed", "held", "went_on", "breached", "unreached", "assigned", "resolved")
ACTS = st.lists(
    st.tuples(st.sampled_from([None, None, *DEEDS]), st.integers(0, 5400), st.sampled_from(["urgent", "low"])), min_size=1, max_size=25
)


def deed(kind: Kind, run: Run, at: datetime, seconds: int) -> Entry | None:
    """The line for something that can happen now; None when it cannot."""
    fits = {
        "held": not run.frozen,
        "went_on": run.frozen,
        "breached": run.broken_at is None,
        "unreached": run.speaker >= 0 and run.is_moving,
        "resolved": seconds % 5 == 0,
    }
    if not run.is_open or not fits.get(kind, True):
        return None
    until = at + timedelta(seconds=1 + seconds) if kind in ("acknowledged", "snoozed") else None
    return Entry(kind, at, due_at=at if kind in ("held", "went_on", "breached") else None, until=until, by="jo", to="kim", step=run.speaker)


@given(ladders(), ACTS, st.booleans(), st.sampled_from([ALWAYS, OFFICE]))
@settings(max_examples=250, deadline=None)
def test_whatever_happens_the_log_tells_the_state_and_nothing_is_said_twice_or_while_somebody_takes_care(
    of: Ladder, acts: list[tuple[Kind | None, int, str]], is_broken: bool, calendar: Calendar
) -> None:
    at = START
    log = [opened(START if is_broken else None)]
    run = replay(log, calendar)
    marks = {percent: START + timedelta(seconds=percent * 60) for percent in (20.0, 80.0, 150.0)}
    said: list[tuple[int, int]] = []
    for kind, seconds, priority in acts:
        at += timedelta(seconds=seconds)
        where = ground(of, at, calendar, facts={"priority": priority}, marks=marks)
        line = deed(kind, run, at, seconds) if kind is not None else None
        done = Advance(run, where)
        if line is not None:
            done.note(line)
        else:
            stood = run.until is not None and run.until > at
            done = advance(run, where)
            assert not (stood or run.frozen) or not done.speeches
        log += done.entries
        said += [(speech.step.index, speech.loop) for speech in done.speeches if not speech.is_last_resort]
        run = done.run
        ahead = next_step_at(run, where)

        assert run == replay(log, calendar)
        assert ahead is None or line is not None or ahead > at
        assert said == sorted(set(said))
        assert (run.until is not None) is (run.state in ("acknowledged", "snoozed")) or not run.is_open
        assert not run.is_moving or run.state in MOVING
    stored = [escalation_codec.load_entry(_Row(**escalation_codec.dump_entry(entry))) for entry in log]

    assert stored == log
    assert escalation_codec.load(escalation_codec.dump(of, calendar)) == (of, calendar)


class _Row:
    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)
