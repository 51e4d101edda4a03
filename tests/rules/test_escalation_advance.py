"""What is due in a run, trigger by trigger: to the instant, with the lines that its log grows by."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.rules.calendar import ALWAYS, Calendar, CalendarSpec
from app.rules.condition_tests import FactTest
from app.rules.escalation import After, AtBreach, AtPercent, Ladder, Repeat, Trigger, Unacknowledged
from app.rules.escalation_advance import DEAD, MISSING, NO_CLOCK, Advance, Due, Speech, advance, has_its_instant, next_step_at, upcoming
from app.rules.escalation_log import Entry
from app.rules.escalation_run import Run, replay
from tests.rules.ladders import HOUR, LADDER, MINUTE, OFFICE, climb, ground, ladder, opened, spoken
from tests.support.clock import START

MICROSECOND = timedelta(microseconds=1)
ACKNOWLEDGED = Entry("acknowledged", START + 10 * MINUTE, until=START + 40 * MINUTE, by="jo")
HELD = Entry("held", START + 10 * MINUTE)
EVENING = START.replace(hour=15, minute=50)
"""Ten minutes before the office closes."""
REPEATING = replace(LADDER, steps=(replace(LADDER.steps[0], repeat=Repeat(600, 4)),))


def after_the_first_rung(of: Ladder, *more: Entry) -> Run:
    """A run whose first rung spoke at the breach, and what happened then."""
    return replay([opened(), *climb(of, START).entries, *more], ALWAYS)


def test_an_acknowledgement_lapses_at_its_very_end_and_the_log_says_so() -> None:
    run = after_the_first_rung(LADDER, ACKNOWLEDGED)
    before, then = climb(LADDER, START + 40 * MINUTE - MICROSECOND, run), climb(LADDER, START + 40 * MINUTE, run)

    assert ([], START + 40 * MINUTE) == (before.entries, next_step_at(run, before.ground))
    assert [Entry("lapsed", START + 40 * MINUTE, due_at=START + 40 * MINUTE)] == then.entries


def test_what_is_found_late_is_noted_now_and_dated_by_its_instant() -> None:
    done = climb(LADDER, START + HOUR, after_the_first_rung(LADDER, ACKNOWLEDGED), noted_at=START + 2 * HOUR)

    assert [("lapsed", START + 40 * MINUTE), ("spoke", START + HOUR)] == [(entry.kind, entry.instant) for entry in done.entries]
    assert {START + 2 * HOUR} == {entry.at for entry in done.entries}


@pytest.mark.parametrize(("trigger", "due_at"), [(After(1800), START + HOUR), (Unacknowledged(1800), START + 70 * MINUTE)])
def test_an_acknowledgement_stops_the_time_since_a_rung_and_begins_the_time_without_anybody_anew(
    trigger: Trigger, due_at: datetime
) -> None:
    of = ladder(AtBreach(), trigger)
    lapsed = climb(of, START + 40 * MINUTE, after_the_first_rung(of, ACKNOWLEDGED))

    assert due_at == next_step_at(lapsed.run, lapsed.ground)


@pytest.mark.parametrize("trigger", [After(1800), Unacknowledged(1800)])
def test_a_rung_that_says_wall_does_not_wait_for_the_morning(trigger: Trigger) -> None:
    patient = ladder(AtBreach(), trigger)
    of = replace(patient, steps=(patient.steps[0], replace(patient.steps[1], wall=True)))
    begun = [opened(EVENING), Entry("spoke", EVENING, step=0)]
    waiting, hurrying = (next_step_at(replay(begun, OFFICE), ground(each, EVENING, OFFICE)) for each in (patient, of))

    assert (datetime.fromisoformat("2026-03-03T08:20Z"), EVENING + 30 * MINUTE) == (waiting, hurrying)


def test_a_repetition_that_says_wall_does_not_wait_for_the_morning() -> None:
    patient = replace(LADDER, steps=(replace(LADDER.steps[0], repeat=Repeat(1800, 9)),))
    of = replace(patient, steps=(replace(patient.steps[0], wall=True),))
    run = replay([opened(EVENING), Entry("spoke", EVENING, step=0)], OFFICE)
    patience, haste = (advance(run, ground(each, EVENING + 65 * MINUTE, OFFICE)) for each in (patient, of))

    assert ([], datetime.fromisoformat("2026-03-03T08:20Z")) == (patience.speeches, next_step_at(patience.run, patience.ground))
    assert ([(1, 2)], EVENING + 90 * MINUTE) == (spoken(haste), next_step_at(haste.run, haste.ground))


@pytest.mark.parametrize("trigger", [After(600), Unacknowledged(600), AtBreach()])
def test_before_the_breach_no_time_leads_to_a_first_rung_that_follows_it(trigger: Trigger) -> None:
    run = replay([opened(None), ACKNOWLEDGED, Entry("lapsed", START + 40 * MINUTE)], ALWAYS)

    assert upcoming(run, ground(ladder(trigger), START + 5 * HOUR)) is None


def test_a_rung_may_follow_one_before_the_breach() -> None:
    done = climb(ladder(AtPercent(50), After(600)), START + 3 * HOUR, replay([opened(None)], ALWAYS), marks={50.0: START + HOUR})

    assert [START + HOUR, START + 70 * MINUTE] == [speech.due_at for speech in done.speeches]


@pytest.mark.parametrize(
    ("percent", "mark", "due_at"),
    [
        pytest.param(80, START - HOUR, START, id="what was used up before the run began is due when it begins"),
        pytest.param(80, START + 2 * HOUR, START + HOUR, id="less than all of it is used up at the breach at the latest"),
        pytest.param(80, None, START + HOUR, id="and then too when the clock says nothing"),
        pytest.param(80, START + 30 * MINUTE, START + 30 * MINUTE, id="in its time, where that is earlier"),
        pytest.param(101, START + 2 * HOUR, START + 2 * HOUR, id="more than all of it: after the breach"),
        pytest.param(101, None, None, id="more than all of it, and the clock stands"),
    ],
)
def test_a_part_of_the_target_is_reached(percent: float, mark: datetime | None, due_at: datetime | None) -> None:
    run = replay([opened(None), replace(opened(START + HOUR), kind="breached")], ALWAYS)
    due = upcoming(run, ground(ladder(AtPercent(percent)), START, marks={percent: mark}))

    assert due_at == (due.at if due is not None else None)


def test_without_a_clock_a_part_of_its_target_is_passed_over() -> None:
    done = climb(ladder(AtPercent(50), AtBreach()), START, marks=None)

    assert [
        Entry("passed", START, due_at=START, step=0, why=NO_CLOCK),
        Entry("spoke", START, due_at=START, step=1, channels=("c2",)),
    ] == done.entries


def test_a_rung_whose_condition_does_not_hold_is_passed_over_and_the_time_counts_from_there() -> None:
    steps = (replace(LADDER.steps[0], condition=FactTest("priority", "eq", "urgent")), *LADDER.steps[1:])
    done = climb(replace(LADDER, steps=steps), START, facts={"priority": "low"})

    assert [Entry("passed", START, due_at=START, step=0, why="priority is low, not urgent")] == done.entries
    assert START + 30 * MINUTE == next_step_at(done.run, done.ground)


def test_a_rung_says_all_it_has_to_say() -> None:
    done = climb(LADDER, START)

    assert [Speech(LADDER.steps[0], 0, START, ("c1",))] == done.speeches
    assert [Entry("spoke", START, due_at=START, step=0, channels=("c1",))] == done.entries


def test_of_two_channels_one_may_be_missing_and_that_is_noted() -> None:
    of = replace(LADDER, steps=(replace(LADDER.steps[0], notify=("c1", "c2"), repeat=Repeat(600, 2)),))
    run = climb(of, START).run
    done = climb(of, START + 10 * MINUTE, run, channels={"c2"}, noted_at=START + 11 * MINUTE)

    assert [
        Entry("spoke", START + 11 * MINUTE, due_at=START + 10 * MINUTE, step=0, loop=1, channels=("c2",)),
        Entry("unheard", START + 11 * MINUTE, step=0, loop=1, why=MISSING, channels=("c1",)),
    ] == done.entries
    assert [("c2",)] == [speech.channels for speech in done.speeches]


def test_nobody_there_is_noted_with_the_names_and_the_last_resort_hears_it() -> None:
    of = replace(ladder(AtBreach(), AtPercent(150)), last_resort="ops")
    done = climb(of, START, channels={"ops"}, noted_at=START + MINUTE)

    assert [
        Entry("spoke", START + MINUTE, due_at=START, step=0),
        Entry("unreached", START + MINUTE, step=0, why=MISSING, channels=("c1",)),
        Entry("last_resort", START + MINUTE, step=0, channels=("ops",)),
    ] == done.entries
    assert Speech(of.steps[0], 0, START, ("ops",), is_last_resort=True) == done.speeches[-1]


def test_a_repetition_that_reached_nobody_is_told_to_the_last_resort_as_that_repetition() -> None:
    of = replace(REPEATING, last_resort="ops")
    run = replay([opened(), *climb(of, START).entries], ALWAYS)
    done = climb(of, START + 10 * MINUTE, run, channels={"ops"})

    assert [("spoke", 1), ("unreached", 1), ("last_resort", 1)] == [(entry.kind, entry.loop) for entry in done.entries]
    assert (1, ("ops",)) == (done.speeches[-1].loop, done.speeches[-1].channels)


def test_the_last_resort_hears_it_once_and_only_where_there_is_such_a_channel() -> None:
    of = replace(REPEATING, last_resort="ops")
    first = climb(of, START, channels={"ops"})
    second = climb(of, START + 10 * MINUTE, first.run, channels={"ops"})

    assert [("ops",), ()] == [done.entries[-1].channels for done in (first, second)]
    assert () == climb(of, START, channels=()).entries[-1].channels


def test_what_was_not_delivered_brings_the_next_rung_at_once() -> None:
    run = after_the_first_rung(LADDER, Entry("unreached", START + MINUTE, step=0, why=DEAD))
    done = climb(LADDER, START + 2 * MINUTE, run)

    assert [Speech(LADDER.steps[1], 0, START + 2 * MINUTE, ("c2",))] == done.speeches


@pytest.mark.parametrize("trigger", [AtBreach(), AtPercent(150)])
def test_a_rung_with_an_instant_of_its_own_is_not_brought_forward(trigger: Trigger) -> None:
    of = ladder(AtBreach(), trigger, last_resort="ops")
    run = replay([opened(None), Entry("spoke", START, step=0), Entry("unreached", START, step=0, why=DEAD)], ALWAYS)

    assert ["last_resort"] == [entry.kind for entry in climb(of, START, run).entries]


def test_nobody_is_hurried_while_the_ladder_stands_still() -> None:
    unreached = Entry("unreached", START + MINUTE, step=0, why=DEAD)
    run = after_the_first_rung(LADDER, replace(HELD, at=START + 2 * MINUTE), unreached)

    assert [] == climb(LADDER, START + HOUR, run).entries


def test_while_the_ladder_stands_still_it_goes_on_when_that_ends_by_itself() -> None:
    run = after_the_first_rung(LADDER, HELD)

    assert START + 2 * HOUR == next_step_at(run, ground(LADDER, START + HOUR, held_until=START + 2 * HOUR))
    assert next_step_at(run, ground(LADDER, START + HOUR)) is None
    assert upcoming(run, ground(LADDER, START + HOUR)) is None


def test_nothing_is_due_before_the_ladder_went_on() -> None:
    of = ladder(AtBreach(), AtPercent(150))
    run = after_the_first_rung(of, HELD, Entry("went_on", START + HOUR))

    assert Due(START + HOUR, "rung") == upcoming(run, ground(of, START, marks={150.0: START + 30 * MINUTE}))


def test_a_rung_comes_before_a_repetition_of_the_same_instant() -> None:
    of = replace(LADDER, steps=(replace(LADDER.steps[0], repeat=Repeat(1800, 9)), LADDER.steps[1]))

    assert Due(START + 30 * MINUTE, "rung") == upcoming(after_the_first_rung(of), ground(of, START))


def test_it_is_said_again_as_often_as_the_rung_says_and_then_it_ends() -> None:
    of = replace(REPEATING, acknowledge_for=900)
    run, said, entries = replay([opened()], ALWAYS), list[tuple[int, int]](), list[Entry]()
    for minute in range(60):
        done = climb(of, START + minute * MINUTE, run)
        run, entries = done.run, entries + done.entries
        said += [(minute, loop) for _, loop in spoken(done)]

    assert [(0, 0), (10, 1), (20, 2), (30, 3), (40, 4)] == said
    assert Entry("exhausted", START + 55 * MINUTE, due_at=START + 55 * MINUTE) == entries[-1]


def test_an_overdue_repetition_is_dated_by_the_last_time_that_was_missed_and_never_passes_its_number() -> None:
    some, all_of_them = climb(REPEATING, START + 20 * MINUTE), climb(replace(REPEATING, acknowledge_for=36_000), START + 3 * HOUR)

    assert [(0, START), (2, START + 20 * MINUTE)] == [(speech.loop, speech.due_at) for speech in some.speeches]
    assert (4, START + 40 * MINUTE) == (all_of_them.speeches[-1].loop, all_of_them.speeches[-1].due_at)


@pytest.mark.parametrize("wall", [True, False])
def test_a_repetition_that_stood_still_in_between_counts_on_from_where_it_was(wall: bool) -> None:
    of = replace(REPEATING, steps=(replace(REPEATING.steps[0], wall=wall),))
    run = after_the_first_rung(of, replace(HELD, at=START + 6 * MINUTE), Entry("went_on", START + HOUR))
    done = climb(of, START + 80 * MINUTE, run)

    assert (2, START + 74 * MINUTE) == (done.speeches[-1].loop, done.speeches[-1].due_at)


def test_a_repetition_that_is_not_said_is_noted_with_the_reason() -> None:
    step = replace(REPEATING.steps[0], condition=FactTest("priority", "eq", "urgent"))
    of = replace(REPEATING, steps=(step,))
    run = climb(of, START, facts={"priority": "urgent"}).run
    done = climb(of, START + 10 * MINUTE, run, facts={"priority": "low"}, noted_at=START + 11 * MINUTE)

    why = "priority is low, not urgent"
    assert [Entry("spoke", START + 11 * MINUTE, due_at=START + 10 * MINUTE, step=0, loop=1, why=why)] == done.entries


def test_a_calendar_that_never_opens_brings_no_rung_no_repetition_and_no_end() -> None:
    never = Calendar(CalendarSpec("never"))
    of = replace(REPEATING, steps=(REPEATING.steps[0], LADDER.steps[1]))
    run = replay([opened(), Entry("spoke", START, step=0)], never)

    assert upcoming(run, ground(of, START, never)) is None


def test_a_ladder_of_rungs_that_were_all_passed_over_ends_too_in_real_time() -> None:
    of = ladder(AtPercent(50), acknowledge_for=1200)
    done = advance(replay([opened(EVENING)], OFFICE), ground(of, EVENING + 20 * MINUTE, OFFICE, marks=None))

    assert ["passed", "exhausted"] == [entry.kind for entry in done.entries]


def test_a_ladder_whose_only_rung_was_passed_over_repeats_nothing_and_ends() -> None:
    step = replace(REPEATING.steps[0], condition=FactTest("priority", "eq", "urgent"))
    done = climb(replace(REPEATING, steps=(step,)), START + 30 * MINUTE)

    assert ["passed", "exhausted"] == [entry.kind for entry in done.entries]


def test_a_ladder_without_rungs_waits_for_the_breach_and_then_for_its_end() -> None:
    empty = ladder()

    assert upcoming(replay([opened(None)], ALWAYS), ground(empty, START)) is None
    assert Due(START + 30 * MINUTE, "end") == upcoming(replay([opened()], ALWAYS), ground(empty, START))


def test_what_is_noted_changes_the_run_as_the_log_tells_it() -> None:
    log = [opened(EVENING), Entry("spoke", EVENING, step=0)]
    done = Advance(replay(log, OFFICE), ground(LADDER, EVENING + HOUR, OFFICE))
    line = Entry("acknowledged", EVENING + HOUR, until=EVENING + 2 * HOUR)
    done.note(line)

    assert (replay([*log, line], OFFICE), [line]) == (done.run, done.entries)


def test_an_open_ladder_ends_in_real_time() -> None:
    of = ladder(AtBreach(), acknowledge_for=1200)
    run = replay([opened(EVENING), Entry("spoke", EVENING, step=0)], OFFICE)

    assert Due(EVENING + 20 * MINUTE, "end") == upcoming(run, ground(of, EVENING, OFFICE))


@pytest.mark.parametrize(
    ("trigger", "log", "expected"),
    [
        (AtBreach(), [opened()], True),
        (AtBreach(), [opened(START + MICROSECOND)], False),
        (AtBreach(), [opened(None)], False),
        (AtPercent(50), [opened(None)], True),
        (AtPercent(80), [opened(None)], False),
        (AtBreach(), [opened(), Entry("held", START)], True),
        (AtBreach(), [opened(), replace(ACKNOWLEDGED, at=START)], False),
        (AtBreach(), [opened(), Entry("resolved", START)], False),
        (AtBreach(), [opened(), Entry("passed", START, step=0)], False),
        (After(1), [opened(START - HOUR)], False),
    ],
)
def test_a_rung_has_its_instant_even_while_the_run_stands_still(trigger: Trigger, log: list[Entry], expected: bool) -> None:
    run = replay(log, ALWAYS)

    assert expected is has_its_instant(run, ground(ladder(trigger), START, marks={50.0: START, 80.0: None}))


def test_a_run_that_is_over_has_nothing_to_do() -> None:
    run = after_the_first_rung(LADDER, Entry("resolved", START + MINUTE))

    assert (None, []) == (next_step_at(run, ground(LADDER, START)), climb(LADDER, START + HOUR, run).entries)
