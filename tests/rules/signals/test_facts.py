"""Severity, impact, customer request, low satisfaction, sentiment: what the ticket's facts say."""

import pytest

from app.rules.calendar import ALWAYS
from app.rules.conditions import parse_condition
from app.rules.signals import REQUESTED, Grace, Matching, Score, SignalRule
from tests.rules.builders import OFFICE, at, event, timeline
from tests.rules.signals.watching import instants, raised, watched

URGENT = Matching(parse_condition({"priority": "urgent", "tags": "outage"}))


@pytest.mark.parametrize("name", ["severity", "impact"])
def test_it_is_raised_when_the_facts_come_together_and_over_when_they_part(name: str) -> None:
    line = timeline("09:00 created and priority urgent", "09:10 tagged outage vip", "09:30 priority low")
    (one,) = raised(line, SignalRule(name, URGENT), "10:00")

    assert (at("09:10"), at("09:30")) == (one.raised_at, one.ended_at)
    assert ("2026-03-02 09:10 UTC: priority is urgent, tags is outage, vip.",) == one.evidence.sentences
    assert ("09:10 tagged outage vip",) == one.evidence.keys


def test_conditions_see_the_tier_and_the_domain_of_the_requester() -> None:
    line = timeline("09:00 created and tier gold and requester jo@example.org")
    condition = parse_condition({"tier": "gold", "requester_domain": "example.org"})

    assert [at("09:00")] == instants(line, SignalRule("impact", Matching(condition)), "10:00")


def test_what_flickers_is_raised_only_when_it_has_lasted() -> None:
    rule = SignalRule("severity", Matching(parse_condition({"priority": "urgent"})), dwell=600)
    line = timeline("09:00 created", "09:10 priority urgent", "09:15 priority low", "09:30 priority urgent")

    assert ((), at("09:40")) == watched(line, rule, "09:35")
    assert [at("09:40")] == instants(line, rule, "10:00")


def test_within_the_cooldown_it_is_not_raised_again_and_after_it_it_is() -> None:
    rule = SignalRule("severity", Matching(parse_condition({"priority": "urgent"})), cooldown=3600)
    line = timeline(
        "09:00 created and priority urgent", "09:10 priority low", "09:59 priority urgent", "10:00 priority low", "10:01 priority urgent"
    )

    assert [at("09:00"), at("10:01")] == instants(line, rule, "11:00")


def test_a_wish_for_a_supervisor_waits_for_its_grace_in_open_time() -> None:
    rule = SignalRule("customer_request", Grace(900, OFFICE))
    line = timeline("09:00 created", event("16:50 customer asks", escalation_requested=True))

    assert ((), at("tue 09:05")) == watched(line, rule, "17:30")
    assert [at("tue 09:05")] == instants(line, rule, "tue 09:05")


def test_a_reply_does_not_answer_it_but_a_withdrawal_does() -> None:
    rule = SignalRule("customer_request", Grace(900))
    asked = ("09:00 created", "09:10 tagged supervisor_requested", "09:15 agent replies")

    assert [at("09:25")] == instants(timeline(*asked), rule, "10:00")
    assert [] == instants(timeline(*asked, "09:20 tagged calm"), rule, "10:00")


def test_who_is_not_to_wait_is_heard_at_once() -> None:
    rule = SignalRule("customer_request", Grace(900), tiers={"vip": Grace(0, ALWAYS, REQUESTED)})
    line = timeline("09:00 created and tier vip", "09:10 tagged escalation_requested")
    (one,) = raised(line, rule, "09:10")

    assert (at("09:10"), "Asked for a supervisor at 2026-03-02 09:10 UTC, to be granted at once.") == (
        one.raised_at,
        one.evidence.sentences[0],
    )


@pytest.mark.parametrize(
    ("score", "expected"), [(2, 1), (3, 0), ("2", 1), ("4", 0), ("bad", 1), ("good", 0), ("offered", 0), (None, 0), (True, 0)]
)
def test_a_low_score_is_heard_also_after_the_solution(score: int | str | None, expected: int) -> None:
    line = timeline("09:00 created", "09:10 solved", event("09:20 system writes", csat=score))

    assert expected == len(raised(line, SignalRule("low_csat", Score(3)), "10:00"))


def test_a_mood_that_falls_below_the_level_or_too_far_from_its_best() -> None:
    moods = {"09:10": 0.2, "09:20": -0.4, "09:30": -0.8}
    line = timeline("09:00 created", *(event(f"{when} customer asks", sentiment=mood) for when, mood in moods.items()))
    level, drop = SignalRule("sentiment_drop", Score(-0.5)), SignalRule("sentiment_drop", Score(drop=0.5))

    assert ([at("09:30")], [at("09:20")]) == (instants(line, level, "10:00"), instants(line, drop, "10:00"))


def test_a_mood_nobody_told_is_neither_good_nor_bad_and_words_are_heard() -> None:
    rule = SignalRule("sentiment_drop", Score(-0.5, 0.5))

    assert [] == instants(timeline("09:00 created", event("09:10 customer asks", sentiment=None)), rule, "10:00")
    assert [at("09:10")] == instants(timeline("09:00 created", event("09:10 customer asks", sentiment="Negative")), rule, "10:00")
