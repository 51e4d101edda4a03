"""Ladders in words."""

from dataclasses import replace

import pytest

from app.rules.calendar import ALWAYS, Calendar
from app.rules.escalation import After, AtBreach, AtPercent, Repeat, Trigger, Unacknowledged, WriteBack
from app.rules.escalation_words import next_in_words, write_back_in_words
from tests.rules.ladders import OFFICE, ladder


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (AtBreach(), "c2 at the breach"),
        (AtPercent(150), "c2 at 150% of the target"),
        (AtPercent(112.5), "c2 at 112.5% of the target"),
        (After(5400), "c2 in 1h 30m of open time"),
        (Unacknowledged(900), "c2 when nobody has acknowledged for 15m of open time"),
    ],
)
def test_the_next_rung_is_told_with_its_instant(trigger: Trigger, words: str) -> None:
    assert words == next_in_words(ladder(AtBreach(), trigger), 0, 0, OFFICE)


@pytest.mark.parametrize(
    ("calendar", "wall", "words"), [(OFFICE, True, "c2 in 30m"), (ALWAYS, False, "c2 in 30m"), (ALWAYS, True, "c2 in 30m")]
)
def test_open_time_is_not_named_where_all_time_is_open(calendar: Calendar, wall: bool, words: str) -> None:
    of = ladder(AtBreach(), After(1800))
    steps = (of.steps[0], replace(of.steps[1], wall=wall))

    assert words == next_in_words(replace(of, steps=steps), 0, 0, calendar)


def test_a_repetition_comes_first_for_as_long_as_there_is_one() -> None:
    of = ladder(AtBreach(), After(1800))
    again = replace(of, steps=(replace(of.steps[0], repeat=Repeat(600, 2), wall=True), of.steps[1]))

    assert "again in 10m, then c2 in 30m of open time" == next_in_words(again, 0, 1, OFFICE)
    assert "c2 in 30m of open time" == next_in_words(again, 0, 2, OFFICE)
    assert "again in 10m" == next_in_words(replace(again, steps=again.steps[:1]), 0, 0, OFFICE)
    assert next_in_words(replace(again, steps=again.steps[:1]), 0, 2, OFFICE) is None


def test_a_rung_that_tells_nobody_marks_the_ticket() -> None:
    of = ladder(AtBreach(), AtBreach())

    assert "the ticket is marked at the breach" == next_in_words(
        replace(of, steps=(of.steps[0], replace(of.steps[1], notify=()))), 0, 0, OFFICE
    )


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (WriteBack(), ""),
        (WriteBack(tags=("sla_breached", "late")), "tags sla_breached, late"),
        (WriteBack(priority="urgent"), "priority urgent"),
        (WriteBack(note="It is late."), "a private note"),
        (WriteBack(group="second line"), "group second line"),
        (WriteBack(assignee="jo"), "assignee jo"),
        (WriteBack(("late",), "high", "breach", "b", "jo"), "tags late; priority high; a private note; group b; assignee jo"),
    ],
)
def test_what_is_written_to_the_ticket_is_told_in_the_order_of_the_document(wanted: WriteBack, words: str) -> None:
    assert words == write_back_in_words(wanted)
