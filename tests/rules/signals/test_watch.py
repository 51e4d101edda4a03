"""When a signal is raised: the edges of its spells, of the ticket's life and of the cooldown."""

import pytest

from app.rules.conditions import parse_condition
from app.rules.events import FactValue
from app.rules.signals import Contacts, Count, Grace, Matching, Related, Score, SignalRule, past_of, watch
from app.rules.signals._scores import score
from tests.rules.builders import at, event, timeline
from tests.rules.signals.watching import QUIET_BOOK, instants, raised

URGENT = Matching(parse_condition({"priority": "urgent"}))
TO_AND_FRO = ("09:00 created and priority urgent", "09:10 priority low", "10:00 priority urgent", "10:10 priority low")


def test_what_ends_the_moment_it_would_have_lasted_long_enough_is_not_raised() -> None:
    assert [] == instants(timeline(*TO_AND_FRO[:2]), SignalRule("severity", URGENT, dwell=600), "12:00")
    assert [at("09:09:59")] == instants(timeline(*TO_AND_FRO[:2]), SignalRule("severity", URGENT, dwell=599), "12:00")


def test_nor_is_it_when_the_ticket_is_solved_at_that_moment() -> None:
    line = timeline("09:00 created and priority urgent", "09:10 solved")

    assert [] == instants(line, SignalRule("severity", URGENT, dwell=600), "12:00")


def test_a_spell_that_began_on_a_solved_ticket_is_raised_when_it_is_reopened() -> None:
    line = timeline("09:00 created and solved", "09:10 priority urgent", "10:00 reopened")
    [one] = raised(line, SignalRule("severity", URGENT), "12:00")

    assert (at("10:00"), at("09:10")) == (one.raised_at, one.since)


@pytest.mark.parametrize(("cooldown", "expected"), [(3600, ["09:00", "10:00"]), (3601, ["09:00"])])
def test_the_cooldown_is_over_at_its_very_end(cooldown: int, expected: list[str]) -> None:
    assert [at(when) for when in expected] == instants(timeline(*TO_AND_FRO), SignalRule("severity", URGENT, cooldown=cooldown), "12:00")


def test_it_stands_from_the_instant_it_is_raised_until_just_before_its_end() -> None:
    [one] = raised(timeline(*TO_AND_FRO[:2]), SignalRule("severity", URGENT), "12:00")

    assert [False, True, True, False] == [one.stands_at(at(when)) for when in ("08:59:59", "09:00", "09:09:59", "09:10")]


def test_what_was_raised_is_told_in_the_order_of_time_then_by_name() -> None:
    rules = [SignalRule(name, URGENT) for name in ("severity", "impact")] + [SignalRule("customer_request", Grace(60))]
    line = timeline("09:00 created", "09:10 priority urgent", "09:20 tagged escalation_requested", "09:30 priority low")
    past = past_of(line, QUIET_BOOK, at("12:00"))
    assert past is not None
    found = watch(rules, past, at("09:20:59"))

    assert [("impact", at("09:10")), ("severity", at("09:10"))] == [(one.name, one.raised_at) for one in found.raised]
    assert at("09:21") == found.next_at
    assert ["impact", "severity", "customer_request"] == [one.name for one in watch(rules, past, at("09:21")).raised]


def test_what_holds_by_the_end_of_its_dwell_shows_it() -> None:
    line = timeline("09:00 created", *(f"09:{minute} customer asks" for minute in (10, 15, 25)))
    [one] = raised(line, SignalRule("repeated_contact", Contacts(0), dwell=600), "09:30")

    assert (at("09:20"), at("09:10")) == (one.raised_at, one.since)
    assert "2 messages of the customer without an answer." == one.evidence.sentences[0]


def test_a_wish_withdrawn_as_its_grace_ends_is_none() -> None:
    asked = ("09:00 created", "09:10 tagged escalation_requested")

    assert [] == instants(timeline(*asked, "09:25 tagged calm"), SignalRule("customer_request", Grace(900)), "12:00")
    assert [at("09:25")] == instants(timeline(*asked, "09:25:01 tagged calm"), SignalRule("customer_request", Grace(900)), "12:00")


def test_a_message_answered_in_the_same_instant_waits_for_nothing() -> None:
    line = timeline("09:00 created", "09:10 #1 customer asks", "09:10 #2 agent replies")

    assert [] == raised(line, SignalRule("repeated_contact", Contacts(0)), "12:00")
    assert [] == raised(line, SignalRule("repeated_contact", Contacts(0, None, after_answer=True)), "12:00")


def test_only_an_answer_of_an_agent_makes_the_messages_after_it_count() -> None:
    line = timeline("09:00 created", "09:10 customer asks", "09:20 customer asks")

    assert [] == raised(line, SignalRule("repeated_contact", Contacts(0, None, after_answer=True)), "12:00")


def test_a_score_that_is_watched_only_for_a_drop_is_never_too_low() -> None:
    for value in (1, "bad"):
        assert [] == raised(
            timeline("09:00 created", event("09:10 system writes", csat=value)), SignalRule("low_csat", Score(drop=1)), "12:00"
        )


def test_another_ticket_of_the_same_instant_came_not_before_this_one() -> None:
    others = [Related("t", "A-1", at("09:00"), "requester")]

    assert [] == raised(timeline("09:00 created"), SignalRule("repeat_ticket", Count(0)), "12:00", related=others)


@pytest.mark.parametrize(
    ("knobs", "moods", "expected"),
    [
        pytest.param(Score(-0.5), [-0.5, -0.51], "09:02", id="at the level it is not below it"),
        pytest.param(Score(drop=0.5), [0.2, None, -0.3], "09:03", id="exactly the drop, with nothing known in between"),
        pytest.param(Score(drop=0.7), [0.3, -0.4], "09:02", id="to the hundredth"),
        pytest.param(Score(drop=0.8), [0.2, -0.4], None, id="not quite the drop"),
        pytest.param(Score(drop=0.5), [0.2, 0.6, 0.0], "09:03", id="from the best one, wherever it came"),
        pytest.param(Score(drop=0.5), [0.6, 0.3, 0.05], "09:03", id="and not from the last"),
    ],
)
def test_a_mood_is_low_by_its_level_or_by_its_fall(knobs: Score, moods: list[float | None], expected: str | None) -> None:
    line = timeline("09:00 created", *(event(f"09:0{minute} customer asks", sentiment=mood) for minute, mood in enumerate(moods, 1)))

    assert ([at(expected)] if expected else []) == instants(line, SignalRule("sentiment_drop", knobs), "12:00")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        ("2.5", 2.5),
        (" Poor ", -1.0),
        ("nan", None),
        ("inf", None),
        ("", None),
        (("a",), None),
        (at("09:00"), None),
        (False, None),
    ],
)
def test_a_score_is_a_number_a_text_that_is_one_or_a_known_word(value: FactValue, number: float | None) -> None:
    assert number == score(value, {"poor": -1.0})
