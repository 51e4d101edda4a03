"""Signals as JSON."""

from datetime import datetime
from typing import Any

from app.rules.conditions import parse_condition
from app.rules.policy import Book, Tier
from app.rules.signals import Count, Matching, SignalRule, as_json, past_of
from app.rules.timeline import Timeline
from tests.rules.builders import at, event, policy, timeline

BOOK = Book(1, (policy("p", resolution="1000h"),), tiers=(Tier("Gold", parse_condition({"tags": "g"})),))
URGENT = SignalRule("severity", Matching(parse_condition({"priority": "urgent"})), escalate="ladder")
REOPENED = SignalRule("reopened", Count(0, 7200), tiers={"gold": Count(1)})


def shown(line: Timeline, rule: SignalRule, when: datetime) -> dict[str, Any]:
    """The only line for a signal."""
    [found] = as_json([rule], past_of(line, BOOK, when), when)
    return found


def test_what_was_raised_is_shown_with_its_threshold_its_end_and_its_evidence() -> None:
    line = timeline("09:00 created", event("09:05 solved"), event("09:10 =k reopened"))

    assert {
        "signal": "reopened",
        "threshold": "more than 0 within 2h",
        "tier": None,
        "escalate": None,
        "raised": [
            {
                "raised_at": "2026-03-02T09:10:00.000000Z",
                "ended_at": "2026-03-02T11:10:00.000000Z",
                "stands": True,
                "tier": None,
                "threshold": "more than 0 within 2h",
                "evidence": ["Reopened once after it had been solved.", "2026-03-02 09:10 UTC: reopened."],
                "keys": ["k"],
            }
        ],
        "next_at": None,
    } == shown(line, REOPENED, at("10:00"))


def test_what_is_over_does_not_stand_any_more_and_what_lasts_has_no_end() -> None:
    line = timeline("09:00 created and priority urgent", "09:10 priority low", "09:20 priority urgent")
    over, standing = shown(line, URGENT, at("09:30"))["raised"]

    assert ("2026-03-02T09:10:00.000000Z", False) == (over["ended_at"], over["stands"])
    assert (None, True) == (standing["ended_at"], standing["stands"])


def test_the_tier_and_its_threshold_are_those_of_now() -> None:
    line = timeline("09:00 created", "09:05 solved", "09:10 reopened", "09:20 tagged g")
    found = shown(line, REOPENED, at("10:00"))

    assert ("Gold", "more than 1") == (found["tier"], found["threshold"])
    assert (None, "more than 0 within 2h") == (found["raised"][0]["tier"], found["raised"][0]["threshold"])


def test_what_lies_ahead_is_told_and_the_ladder_it_starts() -> None:
    rule = SignalRule("severity", URGENT.knobs, escalate="ladder", dwell=600)
    found = shown(timeline("09:00 created", "09:05 priority urgent"), rule, at("09:06"))

    assert ([], "2026-03-02T09:15:00.000000Z", "ladder") == (found["raised"], found["next_at"], found["escalate"])


def test_a_signal_that_is_not_watched_has_no_threshold() -> None:
    assert shown(timeline("09:00 created"), SignalRule("reopened", Count()), at("09:30"))["threshold"] is None


def test_of_a_ticket_nobody_knows_nothing_is_shown() -> None:
    assert [] == as_json([URGENT], past_of(Timeline(), BOOK, at("09:00")), at("09:00"))
