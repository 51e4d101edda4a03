"""Resolution: from the creation until it is solved."""

import pytest

from app.rules.conditions import FactTest, holds
from app.rules.metrics import default_pause, resolution
from app.rules.ticket import walk
from tests.rules.builders import at, book, judged, terms, timeline

PLAIN = book(resolution="1h")


def test_the_anchor_is_the_creation_while_it_is_not_solved() -> None:
    steps = walk(timeline("09:00 created", "09:10 pending", "09:20 solved", "09:30 closed", "09:40 open"))

    anchors = [resolution.anchor(step, terms("resolution", "1h"), None) for step in steps]

    assert anchors == [at("09:00"), at("09:00"), None, None, at("09:00")]


@pytest.mark.parametrize("word", ["solved", "closed"])
def test_solved_or_closed_keeps_the_promise(word: str) -> None:
    clock = judged(timeline("09:00 created", f"09:30 {word}"), PLAIN, "12:00").last("resolution")

    assert (clock.health, clock.cycle.stopped_at) == ("met", at("09:30"))


def test_a_word_of_the_helpdesks_own_solves_nothing() -> None:
    assert judged(timeline("09:00 created", "09:30 status done"), PLAIN, "09:40").last("resolution").state == "running"


def test_unless_told_otherwise_it_pauses_while_waiting_for_the_customer() -> None:
    pause = default_pause("resolution")

    assert pause == FactTest("status", "eq", "pending")
    assert [holds(pause, {"status": word}) for word in ("pending", "on_hold", "open")] == [True, False, False]


@pytest.mark.parametrize("metric", ["first_response", "next_response", "update_cadence", "assignment", "group_ownership", "approval"])
def test_no_other_metric_pauses_unless_told_so(metric: str) -> None:
    assert default_pause(metric) is None
