"""Agent switching."""

from app.rules.signals import Count, SignalRule
from tests.rules.builders import at, timeline
from tests.rules.signals.watching import instants, raised

HOUR = 3600


def rule(more_than: int, within: int | None = None) -> SignalRule:
    return SignalRule("agent_switching", Count(more_than, within))


def test_there_and_back_and_there_are_three_switches_of_two_agents() -> None:
    line = timeline("09:00 created and assigned anna", "09:10 assigned bert", "09:20 assigned anna", "09:30 assigned bert")
    (one,) = raised(line, rule(2), "10:00")

    assert at("09:30") == one.raised_at
    assert "3 transfers between 2 agents: anna, bert." == one.evidence.sentences[0]
    assert ("09:10 assigned bert", "09:20 assigned anna", "09:30 assigned bert") == one.evidence.keys
    assert [] == raised(line, rule(3), "10:00")


def test_the_first_assignment_bots_and_what_we_wrote_back_do_not_count() -> None:
    line = timeline(
        "09:00 created and given to bot robo",
        "09:10 assigned anna",
        "09:20 given to bot robo",
        "09:30 assigned anna",
        "09:40 assigned bert !",
    )

    assert [] == raised(line, rule(0), "10:00")


def test_to_nobody_and_back_is_no_switch_but_on_to_somebody_else_is() -> None:
    back = timeline("09:00 created and assigned anna", "09:10 unassigned", "09:20 assigned anna")
    on = timeline("09:00 created and assigned anna", "09:10 unassigned", "09:20 assigned bert")

    assert ([], [at("09:20")]) == (instants(back, rule(0), "10:00"), instants(on, rule(0), "10:00"))


def test_only_what_lies_in_the_window_counts_and_it_is_raised_again_when_it_is_too_much_again() -> None:
    line = timeline(
        "09:00 created and assigned a", "09:10 assigned b", "09:20 assigned c", "11:00 assigned d", "11:10 assigned e", "11:15 assigned f"
    )

    assert [at("09:20"), at("11:10")] == instants(line, rule(1, HOUR), "12:00")


def test_it_is_over_when_enough_of_it_has_left_the_window() -> None:
    line = timeline("09:00 created and assigned a", "09:10 assigned b", "09:20 assigned c")
    (one,) = raised(line, rule(1, HOUR), "09:20")

    assert at("10:10") == one.ended_at
    assert one.stands_at(at("10:09:59"))
    assert not one.stands_at(at("10:10"))
