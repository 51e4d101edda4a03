"""What each line of the log makes of a run, field by field."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.rules.calendar import ALWAYS, Calendar, CalendarSpec
from app.rules.escalation_log import Entry
from app.rules.escalation_run import Countdown, Run, replay
from tests.rules.ladders import HOUR, MINUTE, OFFICE, opened
from tests.support.clock import START

BEGUN = Run(START, START, START, START, rung=Countdown(START), calm=Countdown(START))
SPOKEN = replace(BEGUN, state="active", step=0, speaker=0, again=Countdown(START))
SPOKE = Entry("spoke", START, step=0)
FIVE, TEN, LATER = START + 5 * MINUTE, START + 10 * MINUTE, START + 20 * MINUTE
AT_FIVE, AT_TEN = Countdown(FIVE), Countdown(TEN)
MICROS = 1_000_000
STILL = Countdown(None, 600 * MICROS, 600 * MICROS)
"""Ten minutes that have counted, and count no more."""
GOING = STILL._replace(since=LATER)
HELD = Entry("held", TEN + MINUTE, due_at=TEN)
UNREACHED = Entry("unreached", TEN, step=0, why="not delivered")
ACKNOWLEDGED = Entry("acknowledged", TEN, until=LATER, by="jo", link="l1")
SNOOZED = Entry("snoozed", TEN, until=LATER, by="jo")
LAPSED = Entry("lapsed", LATER + MINUTE, due_at=LATER)
EXHAUSTED = Entry("exhausted", TEN, due_at=FIVE)
STOOD = {"rung": STILL, "calm": STILL, "again": STILL}
TAKEN = {"first_acknowledged_at": TEN, "acknowledged_at": TEN, "acknowledged_by": "jo", "links": frozenset({"l1"})}
ASIDE = {**STOOD, **TAKEN, "state": "acknowledged", "until": LATER}


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        pytest.param([], {}, id="it spoke"),
        pytest.param(
            [Entry("spoke", TEN, due_at=FIVE, step=2)], {"step": 2, "speaker": 2, "rung": AT_FIVE, "calm": AT_FIVE, "again": AT_FIVE},
            id="another rung spoke",
        ),
        pytest.param([Entry("spoke", TEN, due_at=FIVE, step=0, loop=1)], {"loop": 1, "again": AT_FIVE}, id="the same rung spoke again"),
        pytest.param(
            [Entry("passed", TEN, due_at=FIVE, step=1, why="x")], {"step": 1, "rung": AT_FIVE, "calm": AT_FIVE},
            id="a rung was passed",
        ),
        pytest.param([Entry("unheard", TEN, step=0), Entry("write_back", TEN, step=0)], {}, id="lines that change nothing"),
        pytest.param([UNREACHED], {"hurried": True}, id="it reached nobody"),
        pytest.param([UNREACHED, Entry("last_resort", TEN, step=0)], {"hurried": False, "last_resort_told": True}, id="the last resort"),
        pytest.param(
            [UNREACHED, Entry("spoke", TEN, step=1)], {"step": 1, "speaker": 1, "rung": AT_TEN, "calm": AT_TEN, "again": AT_TEN},
            id="the next rung came at once",
        ),
        pytest.param([ACKNOWLEDGED], ASIDE, id="acknowledged"),
        pytest.param([UNREACHED, ACKNOWLEDGED], ASIDE, id="who acknowledges need not be hurried"),
        pytest.param([replace(ACKNOWLEDGED, link=None)], ASIDE | {"links": frozenset()}, id="acknowledged without a link"),
        pytest.param(
            [ACKNOWLEDGED, Entry("acknowledged", TEN + MINUTE, until=LATER + MINUTE, by="kim", link="l2")],
            ASIDE | {"acknowledged_at": TEN + MINUTE, "acknowledged_by": "kim", "links": frozenset({"l1", "l2"}), "until": LATER + MINUTE},
            id="acknowledged again: the time stood still already",
        ),
        pytest.param([SNOOZED], STOOD | {"state": "snoozed", "until": LATER}, id="snoozed"),
        pytest.param(
            [ACKNOWLEDGED, LAPSED], TAKEN | {"moving_since": LATER, "rung": GOING, "calm": Countdown(LATER), "again": GOING},
            id="an acknowledgement lapsed: the time without anybody begins anew",
        ),
        pytest.param(
            [SNOOZED, LAPSED], {"moving_since": LATER, "rung": GOING, "calm": GOING, "again": GOING},
            id="a snooze lapsed: all time goes on",
        ),
        pytest.param([HELD], STOOD | {"frozen": True, "paced_at": TEN}, id="held"),
        pytest.param(
            [HELD, Entry("went_on", LATER + MINUTE, due_at=LATER)],
            {"paced_at": LATER, "moving_since": LATER, "rung": GOING, "calm": GOING, "again": GOING},
            id="it went on",
        ),
        pytest.param(
            [ACKNOWLEDGED, replace(HELD, due_at=TEN + MINUTE)], ASIDE | {"frozen": True, "paced_at": TEN + MINUTE},
            id="held while acknowledged",
        ),
        pytest.param(
            [ACKNOWLEDGED, HELD, Entry("went_on", TEN + MINUTE)], ASIDE | {"paced_at": TEN + MINUTE},
            id="what is acknowledged does not go on",
        ),
        pytest.param(
            [HELD, ACKNOWLEDGED, LAPSED], STOOD | TAKEN | {"frozen": True, "paced_at": TEN, "calm": Countdown()},
            id="nor what is held when it lapses",
        ),
        pytest.param([Entry("assigned", TEN, to="kim")], {"owner": "kim"}, id="given to somebody"),
        pytest.param([Entry("assigned", TEN, to="kim"), Entry("assigned", TEN)], {"owner": None}, id="and taken away"),
        pytest.param([EXHAUSTED], {"state": "exhausted", "exhausted_at": FIVE}, id="exhausted"),
        pytest.param([EXHAUSTED, ACKNOWLEDGED], TAKEN | {"state": "exhausted", "exhausted_at": FIVE}, id="then somebody acts: it is noted"),
        pytest.param(
            [EXHAUSTED, Entry("resolved", LATER, why="solved")],
            {"state": "exhausted", "exhausted_at": FIVE, "closed_at": LATER, "closed_because": "solved"},
            id="exhausted it stays when its cause is gone",
        ),
        pytest.param(
            [Entry("resolved", LATER, due_at=TEN, why="solved")], {"state": "resolved", "closed_at": LATER, "closed_because": "solved"},
            id="resolved",
        ),
        pytest.param(
            [UNREACHED, Entry("cancelled", LATER, why="by hand")], {"state": "cancelled", "closed_at": LATER, "closed_because": "by hand"},
            id="cancelled",
        ),
        pytest.param(
            [ACKNOWLEDGED, Entry("resolved", LATER)], ASIDE | {"state": "resolved", "closed_at": LATER, "until": None},
            id="no end is left to wait for",
        ),
        pytest.param(
            [Entry("resolved", FIVE), SNOOZED], {"state": "resolved", "closed_at": FIVE}, id="what is over cannot be snoozed",
        ),
    ],
)  # fmt: skip
def test_each_line_changes_what_it_says_and_nothing_else(lines: list[Entry], changes: dict[str, Any]) -> None:
    assert replace(SPOKEN, **changes) == replay([opened(), SPOKE, *lines], ALWAYS)


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        ([], {}),
        ([Entry("breached", LATER, due_at=TEN)], {"broken_at": TEN, "rung": AT_TEN, "calm": AT_TEN}),
        ([HELD, Entry("breached", LATER)], {"broken_at": LATER, "frozen": True, "paced_at": TEN, "again": Countdown()}),
        ([SNOOZED, LAPSED], {"moving_since": LATER, "rung": Countdown(LATER), "calm": Countdown(LATER), "again": Countdown(LATER)}),
        (
            [Entry("spoke", FIVE, step=0), Entry("breached", TEN)],
            {"broken_at": TEN, "state": "active", "step": 0, "speaker": 0, "rung": AT_FIVE, "calm": AT_FIVE, "again": AT_FIVE},
        ),
        ([Entry("passed", FIVE, step=0), Entry("breached", TEN)], {"broken_at": TEN, "step": 0, "rung": AT_FIVE, "calm": AT_FIVE}),
    ],
)
def test_before_the_breach_no_time_counts(lines: list[Entry], changes: dict[str, Any]) -> None:
    waiting = replace(BEGUN, broken_at=None, rung=Countdown(), calm=Countdown())

    assert replace(waiting, **changes) == replay([opened(None), *lines], ALWAYS)


def test_a_run_that_was_found_late_counts_from_the_breach() -> None:
    assert replace(BEGUN, opened_at=TEN) == replay([Entry("opened", TEN, due_at=START)], ALWAYS)


def test_without_its_opening_a_log_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError) as refused:
        replay([SPOKE], ALWAYS)

    assert str(refused.value) == "the log of a run begins with its opening"


def test_open_and_real_time_are_counted_side_by_side() -> None:
    closing = datetime.fromisoformat("2026-03-02T16:50+01:00")
    counted = Countdown(closing, 5 * MICROS, 7 * MICROS).stopped(closing + HOUR, OFFICE)

    assert Countdown(None, 605 * MICROS, 3607 * MICROS) == counted
    assert closing + 15 * MINUTE == counted.going(closing).ends_at(3607 + 900, OFFICE, wall=True)
    assert closing + 5 * MINUTE == counted.going(closing).ends_at(605 + 300, OFFICE, wall=False)


@pytest.mark.parametrize("at", [START, START - MINUTE])
def test_what_is_stopped_before_it_began_has_counted_nothing_more(at: datetime) -> None:
    assert Countdown(None, 1, 2) == Countdown(START, 1, 2).stopped(at, ALWAYS)


def test_what_stands_still_is_stopped_already_and_what_runs_goes_on_already() -> None:
    assert STILL == STILL.stopped(LATER, ALWAYS)
    assert AT_FIVE == AT_FIVE.going(LATER)
    assert STILL.ends_at(1, ALWAYS, wall=False) is None


@pytest.mark.parametrize("wall", [True, False])
@pytest.mark.parametrize(
    ("counted", "ahead"), [(600_000_000, 0), (599_999_999, 1), (598_500_000, 1_500_000), (700_000_000, 0), (0, 600_000_000)]
)
def test_the_end_is_exact_to_the_microsecond_and_never_before_the_time_runs(counted: int, ahead: int, wall: bool) -> None:
    assert START + timedelta(microseconds=ahead) == Countdown(START, counted, counted).ends_at(600, ALWAYS, wall=wall)


def test_a_calendar_without_so_much_open_time_has_no_end() -> None:
    never = Calendar(CalendarSpec("never"))

    assert Countdown(START).ends_at(1, never, wall=False) is None
    assert START + timedelta(seconds=1) == Countdown(START).ends_at(1, never, wall=True)
