"""The working of a verdict, line by line."""

import json
from datetime import date

from app.rules.explain import ClockLines, SpanLine, as_json, explain
from app.rules.policy import Book, Tier
from app.rules.timeline import Timeline
from tests.rules.builders import PENDING, at, book, policy, terms, timeline
from tests.rules.calendars import calendar

LUNCH = calendar(workdays="09:00-12:00 13:00-17:00", holidays={date(2026, 3, 3): "Founding Day"})
PAUSING = book(terms("resolution", "8h", on=LUNCH, pause=PENDING))
MINUTE = 60_000_000


def lines(told: Timeline, by: Book, when: str) -> ClockLines:
    return explain(told, by, at(when)).clocks[-1]


def shown(of: ClockLines) -> list[tuple[str, str, float, str]]:
    return [(f"{s.start:%a %H:%M}", f"{s.end:%a %H:%M}", s.counted / MINUTE, s.why) for s in of.spans]


def test_each_span_says_what_counted_and_why_the_rest_did_not() -> None:
    line = timeline("08:00 created", "10:00 pending", "11:00 open", "wed 10:00 solved")

    assert shown(lines(line, PAUSING, "wed 12:00")) == [
        ("Mon 08:00", "Mon 09:00", 0, "closed"),
        ("Mon 09:00", "Mon 10:00", 60, "counted"),
        ("Mon 10:00", "Mon 11:00", 0, "paused (status pending)"),
        ("Mon 11:00", "Mon 12:00", 60, "counted"),
        ("Mon 12:00", "Mon 13:00", 0, "closed"),
        ("Mon 13:00", "Mon 17:00", 240, "counted"),
        ("Mon 17:00", "Tue 00:00", 0, "closed"),
        ("Tue 00:00", "Wed 00:00", 0, "holiday Founding Day"),
        ("Wed 00:00", "Wed 09:00", 0, "closed"),
        ("Wed 09:00", "Wed 10:00", 60, "counted"),
    ]


def test_what_lies_ahead_leads_to_the_due_instant() -> None:
    found = lines(timeline("16:00 created"), PAUSING, "16:30")

    assert sum(line.counted for line in (*found.spans, *found.ahead)) == 8 * 60 * MINUTE
    assert found.ahead[-1].end == found.clock.due_at == at("wed 17:00")


def test_after_a_pause_too_the_way_to_the_due_instant_is_told() -> None:
    found = lines(timeline("09:00 created", "10:00 pending", "11:00 open"), PAUSING, "11:30")
    first = as_json(explain(timeline("09:00 created", "10:00 pending", "11:00 open"), PAUSING, at("11:30")))["clocks"][0]["ahead"][0]

    assert SpanLine(at("11:30"), at("12:00"), 30 * MINUTE, "counted") == found.ahead[0]
    assert {
        "from": "2026-03-02T11:30:00.000000Z",
        "to": "2026-03-02T12:00:00.000000Z",
        "counted_seconds": 1800.0,
        "why": "counted",
    } == first


def test_what_begins_at_the_moment_of_asking_has_no_line_yet() -> None:
    assert [("Mon 09:00", "Mon 10:00", 60, "counted")] == shown(lines(timeline("09:00 created", "10:00 pending"), PAUSING, "10:00"))


def test_a_solve_that_is_dated_ahead_of_our_clock_ends_the_spans() -> None:
    assert [("Mon 09:00", "Mon 12:00", 180, "counted")] == shown(lines(timeline("09:00 created", "12:00 solved"), PAUSING, "11:00"))


def test_on_a_calendar_that_never_opens_nothing_lies_ahead() -> None:
    found = lines(timeline("09:00 created"), book(terms("resolution", "8h", on=calendar())), "11:00")

    assert ([("Mon 09:00", "Mon 11:00", 0, "closed")], ()) == (shown(found), found.ahead)


def test_nothing_lies_ahead_of_what_is_paused_stopped_or_overdue() -> None:
    paused = lines(timeline("09:00 created", "10:00 pending"), PAUSING, "11:00")
    solved = lines(timeline("09:00 created", "10:00 solved"), PAUSING, "11:00")
    overdue = lines(timeline("09:00 created"), book(resolution="1h"), "11:00")

    assert (paused.ahead, solved.ahead, overdue.ahead) == ((), (), ())


def test_the_time_between_a_solve_and_a_reopening_is_shown() -> None:
    line = timeline("09:00 created", "10:00 solved", "11:00 reopened")

    assert shown(lines(line, book(resolution="8h"), "12:00")) == [
        ("Mon 09:00", "Mon 10:00", 60, "counted"),
        ("Mon 10:00", "Mon 11:00", 0, "stopped (done, then reopened)"),
        ("Mon 11:00", "Mon 12:00", 60, "counted"),
    ]


def test_a_change_of_terms_is_counted_by_the_new_calendar() -> None:
    gold = policy("gold", terms("resolution", "8h", on=LUNCH), match={"tier": "gold"})
    line = timeline("11:00 created", "12:30 tier gold")

    assert shown(lines(line, book(gold, policy("rest", resolution="8h")), "13:30")) == [
        ("Mon 11:00", "Mon 12:00", 60, "counted"),
        ("Mon 12:00", "Mon 13:00", 0, "closed"),
        ("Mon 13:00", "Mon 13:30", 30, "counted"),
    ]


def test_the_place_of_the_target_in_the_document_is_named() -> None:
    by_priority = book(terms("resolution", {"high": "1h", "P5": "2h", "default": "4h"}))

    assert lines(timeline("09:00 priority p5"), by_priority, "09:30").target_from == "policies.everyone.targets.resolution.P5"
    assert lines(timeline("09:00 priority high"), by_priority, "09:30").target_from == "policies.everyone.targets.resolution.high"
    assert lines(timeline("09:00 priority low"), by_priority, "09:30").target_from == "policies.everyone.targets.resolution.default"


def test_each_earlier_policy_says_why_it_was_not_chosen() -> None:
    by = book(policy("gold", match={"tier": "gold"}), policy("rest", resolution="1h"))

    explanation = explain(timeline("09:00 tier silver"), by, at("09:30"))

    assert [(r.policy, r.because) for r in explanation.rejected] == [("gold", "tier is silver, not gold")]


def test_a_policy_is_rejected_by_the_tier_of_the_last_change_by_date() -> None:
    policies = (policy("gold", match={"tier": "gold"}), policy("rest", resolution="1h"))
    by = Book(1, policies, tiers=(Tier("gold", until=at("10:00")),))

    assert [("gold", "tier is not set, not gold")] == [
        (r.policy, r.because) for r in explain(timeline("09:00 created"), by, at("11:00")).rejected
    ]
    assert () == explain(timeline("09:00 created"), by, at("09:30")).rejected


def test_the_explanation_of_a_broken_promise_says_since_when_and_why() -> None:
    (clock,) = as_json(explain(timeline("09:00 created"), book(resolution="1h"), at("11:00")))["clocks"]

    assert (clock["breached_at"], clock["cause"], clock["stopped_at"], clock["stopped_by"]) == (
        "2026-03-02T10:00:00.000000Z", "elapsed", None, None,
    )  # fmt: skip
    assert (clock["remaining_seconds"], clock["milestones"][0]["passed"]) == (-3600.0, True)


def test_what_is_left_of_a_paused_target_in_days_is_not_known() -> None:
    line = timeline("09:00 created", "10:00 pending")

    (clock,) = as_json(explain(line, book(terms("resolution", "1bd", on=LUNCH, pause=PENDING)), at("11:00")))["clocks"]

    assert (clock["remaining_seconds"], clock["due_at"], clock["target"]) == (None, None, "1bd")


def test_nothing_known_needs_no_explanation() -> None:
    explanation = explain(Timeline(), PAUSING, at("09:00"))

    assert (explanation.rejected, explanation.clocks) == ((), ())


def test_the_explanation_as_json() -> None:
    by = book(policy("gold", match={"tier": "gold"}), policy("rest", terms("resolution", "2h", pause=PENDING, warn=("50%",))))
    line = timeline("09:00 created and priority high", "09:50 =k solved")

    told = as_json(explain(line, by, at("12:00")))

    assert json.loads(json.dumps(told)) == told
    assert told == {
        "at": "2026-03-02T12:00:00.000000Z",
        "policy": "rest",
        "tier": None,
        "rejected_policies": [{"policy": "gold", "because": "tier is not set, not gold"}],
        "clocks": [
            {
                "metric": "resolution",
                "cycle": 1,
                "state": "stopped",
                "health": "met",
                "policy": "rest",
                "calendar": "always",
                "time_zone": "UTC",
                "target": "2h",
                "target_from": "policies.rest.targets.resolution.default",
                "priority": "high",
                "started_at": "2026-03-02T09:00:00.000000Z",
                "stopped_at": "2026-03-02T09:50:00.000000Z",
                "stopped_by": "k",
                "due_at": "2026-03-02T11:00:00.000000Z",
                "breached_at": None,
                "cause": None,
                "elapsed_seconds": 3000.0,
                "remaining_seconds": 4200.0,
                "milestones": [
                    {"name": "breach", "at": "2026-03-02T11:00:00.000000Z", "passed": False},
                ],
                "spans": [
                    {
                        "from": "2026-03-02T09:00:00.000000Z",
                        "to": "2026-03-02T09:50:00.000000Z",
                        "counted_seconds": 3000.0,
                        "why": "counted",
                    }
                ],
                "ahead": [],
            }
        ],
    }
