"""Group ownership: from the moment a group got the ticket until it hands it over or solves it."""

from tests.rules.builders import at, book, judged, timeline

PLAIN = book(group_ownership="1h")


def test_nobody_owns_it_without_a_group() -> None:
    assert judged(timeline("09:00 created"), PLAIN, "12:00").of("group_ownership") == []


def test_each_group_has_a_clock_of_its_own() -> None:
    line = timeline("09:00 created and group first", "09:30 group second", "11:00 group first")

    clocks = judged(line, PLAIN, "11:10").of("group_ownership")

    assert [(clock.health, clock.cycle.anchor) for clock in clocks] == [
        ("met", at("09:00")),
        ("missed", at("09:30")),
        ("on_track", at("11:00")),
    ]


def test_another_assignee_in_the_same_group_changes_nothing() -> None:
    line = timeline("09:00 created and group first", "09:30 assigned anna and group first")

    assert judged(line, PLAIN, "09:40").last("group_ownership").due_at == at("10:00")


def test_solving_ends_it_and_reopening_resumes_it() -> None:
    told = ["09:00 created and group first", "09:30 solved"]

    assert judged(timeline(*told), PLAIN, "12:00").last("group_ownership").health == "met"
    assert judged(timeline(*told, "12:00 reopened"), PLAIN, "12:10").last("group_ownership").due_at == at("12:30")


def test_taken_from_the_group_is_handed_over() -> None:
    line = timeline("09:00 created and group first", "09:30 merged into 2")

    assert judged(line, PLAIN, "12:00").last("group_ownership").health == "cancelled"
