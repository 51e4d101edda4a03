"""Events in the order of their own time."""

from itertools import permutations

import pytest

from app.rules.timeline import Timeline
from tests.rules.builders import at, event, timeline


def keys(line: Timeline) -> list[str]:
    return [known.key for known in line.events]


def test_events_lie_in_the_order_of_their_own_time() -> None:
    assert keys(timeline("10:00 =b solved", "09:00 =a created")) == ["a", "b"]


def test_order_decides_within_an_instant_and_what_has_none_comes_first() -> None:
    line = timeline("09:00 #2 =a open", "09:00 #-1 =c open", "09:00 =z open", "09:00 =y open", "09:00 #2 =b open")

    assert keys(line) == ["y", "z", "c", "a", "b"]


def test_the_order_nought_lies_between_those_below_and_above_it() -> None:
    assert keys(timeline("09:00 #1 =a open", "09:00 #0 =b open", "09:00 #-1 =c open", "09:00 =d open")) == ["d", "c", "b", "a"]


def test_the_creation_comes_before_what_has_the_same_instant_and_order() -> None:
    line = timeline("09:00 =a assigned anna", "09:00 =b created", "09:00 #1 =c solved", "09:00 #1 =d created")

    assert keys(line) == ["b", "a", "d", "c"]
    assert [[known.key for known in moment] for moment in line.moments()] == [["b"], ["a"], ["d"], ["c"]]


def test_a_key_seen_twice_counts_once() -> None:
    line = timeline("09:00 =a created", "10:00 =a solved")

    assert line.events == (event("09:00 =a created"),)


def test_nothing_new_is_the_very_same_timeline() -> None:
    line = timeline("09:00 created")

    assert line.extend([event("09:00 created")]) is line


@pytest.mark.parametrize("arrived", list(permutations(["09:00 created", "10:00 #1 open", "10:00 #2 solved"])))
def test_the_order_of_arrival_does_not_matter(arrived: tuple[str, ...]) -> None:
    one_by_one = Timeline()
    for text in arrived:
        one_by_one = one_by_one.extend([event(text)])

    assert one_by_one == timeline("09:00 created", "10:00 #1 open", "10:00 #2 solved")


def test_what_shares_instant_and_order_is_applied_together() -> None:
    line = timeline("09:00 =a created", "10:00 =b open", "10:00 =c pending", "10:00 #1 =d solved")

    assert [[known.key for known in moment] for moment in line.moments()] == [["a"], ["b", "c"], ["d"]]


def test_all_of_one_instant_is_one_step_but_the_creation_stands_alone() -> None:
    line = timeline("09:00 =a created", "09:00 =b open", "09:00 #1 =c solved", "10:00 =d open", "10:00 #1 =e solved", "11:00 =f open")

    assert [[known.key for known in step] for step in line.instants()] == [["a"], ["b", "c"], ["d", "e"], ["f"]]
    assert [[known.key for known in step] for step in line.instants(3)] == [["d", "e"], ["f"]]
    assert list(Timeline().instants()) == []


def test_a_longer_timeline_knows_all_keys() -> None:
    line = timeline("09:00 =a created").extend([event("10:00 =b open")])

    assert line.extend([event("11:00 =a solved"), event("12:00 =b solved")]) is line
    assert line == timeline("09:00 =a created", "10:00 =b open")


def test_created_is_what_the_first_event_that_says_so_says() -> None:
    line = timeline("09:00 open", event("09:10 open", created_at=at("08:00")), event("09:20 open", created_at=at("08:30")))

    assert line.created_at == at("08:00")


def test_created_is_the_first_event_when_none_says_so() -> None:
    assert timeline("09:10 open", "09:00 created").created_at == at("09:00")


def test_nothing_known_was_never_created() -> None:
    assert Timeline().created_at is None
    assert list(Timeline().moments()) == []


def test_a_timeline_until_an_instant_holds_what_had_happened_by_then() -> None:
    line = timeline("09:00 created", "09:05 agent replies", "10:00 customer asks")

    assert timeline("09:00 created", "09:05 agent replies") == line.until(line.events[1].at)


def test_what_tells_of_the_creation_at_once_is_one_step() -> None:
    line = timeline("09:00 =a created", "09:00 =b created", "09:00 =c open", "10:00 =d open")

    assert [[known.key for known in step] for step in line.instants()] == [["a", "b"], ["c"], ["d"]]


def test_one_event_is_one_moment() -> None:
    line = timeline("09:00 =a created")

    assert list(line.moments()) == [line.events]
