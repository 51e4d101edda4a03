"""The traps that other engines have fallen into, each by its name."""

from datetime import timedelta

import pytest

from app.rules.events import ActorKind
from tests.rules.builders import OFFICE, PENDING, Judged, at, book, event, judged, minutes, policy, terms, timeline
from tests.rules.calendars import calendar

BY_PRIORITY = book(terms("resolution", {"high": "1h", "default": "4h"}))


def names(result: Judged, metric: str) -> list[str]:
    return [milestone.name for milestone in result.last(metric).passed]


def test_reply_exactly_at_due() -> None:
    line = timeline("09:00 created", "10:00 agent replies")

    clock = judged(line, book(first_response="1h"), "12:00").last("first_response")

    assert (clock.health, clock.breached_at, clock.due_at) == ("met", None, at("10:00"))


def test_reply_a_second_after_due() -> None:
    line = timeline("09:00 created", "10:00:01 agent replies")

    clock = judged(line, book(first_response="1h"), "12:00").last("first_response")

    assert (clock.health, clock.breached_at, clock.remaining) == ("missed", at("10:00"), -1_000_000)


def test_two_pauses_in_one_minute() -> None:
    line = timeline("09:00 created", "09:30:10 pending", "09:30:20 open", "09:30:40 pending", "09:30:55 open")

    clock = judged(line, book(terms("resolution", "1h", pause=PENDING)), "09:40").last("resolution")

    assert clock.due_at == at("10:00:25")


def test_pause_then_solve_in_one_event() -> None:
    line = timeline("09:00 created", "09:30 pending and agent replies", "11:00 open and solved")

    clock = judged(line, book(terms("resolution", "1h", pause=PENDING)), "12:00").last("resolution")

    assert (clock.health, minutes(clock)) == ("met", 30)


def test_pause_then_solve_at_one_instant() -> None:
    line = timeline("09:00 created", "09:30 #1 pending", "09:30 #2 solved")

    clock = judged(line, book(terms("resolution", "1h", pause=PENDING)), "12:00").last("resolution")

    assert (clock.health, minutes(clock), clock.due_at) == ("met", 30, at("10:00"))


def test_created_outside_hours() -> None:
    line = timeline("07:00 created", "09:30 agent replies")

    clock = judged(line, book(terms("first_response", "1h", on=OFFICE)), "12:00").last("first_response")

    assert (clock.cycle.anchor, clock.due_at, minutes(clock)) == (at("07:00"), at("10:00"), 30)


def test_agent_note_is_no_reply() -> None:
    line = timeline("09:00 created", "09:10 agent notes")

    clock = judged(line, book(first_response="1h"), "09:30").last("first_response")

    assert clock.state == "running"


def test_customer_writes_twice_while_waiting() -> None:
    line = timeline("09:00 created", "09:05 agent replies", "10:00 customer asks", "10:40 customer asks")

    clocks = judged(line, book(next_response="1h"), "10:50").of("next_response")

    assert [(clock.cycle.anchor, clock.due_at) for clock in clocks] == [(at("10:00"), at("11:00"))]


def test_thanks_after_solve_does_not_start_next_response_until_reopened() -> None:
    told = ["09:00 created", "09:05 agent replies and solved", "10:00 customer asks"]

    quiet = judged(timeline(*told), book(next_response="1h"), "15:00")
    woken = judged(timeline(*told, "14:00 reopened"), book(next_response="1h"), "15:00")

    assert quiet.of("next_response") == []
    assert [clock.cycle.anchor for clock in woken.of("next_response")] == [at("14:00")]


def test_merged_ticket_goes_quiet() -> None:
    line = timeline("09:00 created", "09:30 merged into 2", "09:40 customer asks")

    result = judged(line, book(first_response="1h", resolution="4h", assignment="1h"), "18:00")

    assert {clock.health for clock in result.verdict.clocks} == {"cancelled"}
    assert all(clock.next_check_at([]) is None and clock.due_at is None for clock in result.verdict.clocks)


def test_merged_and_closed_at_one_instant_is_cancelled_not_solved() -> None:
    line = timeline("09:00 created", "09:30 #1 closed", "09:30 #2 merged into 2")

    assert judged(line, book(resolution="4h"), "18:00").last("resolution").health == "cancelled"


def test_tier_change_keeps_paused_time() -> None:
    gold = policy("gold", terms("resolution", "2h", pause=PENDING), match={"tier": "gold"})
    line = timeline("09:00 created", "09:10 pending", "09:40 open", "10:00 tier gold")

    clock = judged(line, book(gold, policy("everyone", terms("resolution", "4h", pause=PENDING))), "10:30").last("resolution")

    assert (clock.cycle.policy, minutes(clock), clock.due_at) == ("gold", 60, at("11:30"))


def test_several_missed_milestones_after_downtime_fire_once_in_order() -> None:
    line = timeline("09:00 created")
    warned = book(terms("resolution", "4h", warn=("80%", "30m before", "50%")))

    result = judged(line, warned, "tue 09:00")

    assert names(result, "resolution") == ["50%", "80%", "30m before", "breach"]
    assert result.last("resolution").next_check_at(["50%", "80%", "30m before", "breach"]) is None


def test_retarget_into_the_past() -> None:
    line = timeline("09:00 created", "11:00 priority high")

    clock = judged(line, BY_PRIORITY, "11:00").last("resolution")

    assert (clock.breached_at, clock.cause, clock.health) == (at("10:00"), "retargeted", "overdue")


def test_event_older_than_creation() -> None:
    line = timeline("08:55 status new and created at 09:00", "08:57 pending", "09:10 open")

    clock = judged(line, book(terms("resolution", "1h", pause=PENDING)), "09:30").last("resolution")

    assert (clock.cycle.anchor, minutes(clock), clock.due_at) == (at("09:00"), 20, at("10:10"))


def test_solved_and_reopened_before_creation_consumes_nothing() -> None:
    line = timeline("08:50 status new and created at 09:00", "08:52 solved", "08:54 reopened")

    clock = judged(line, book(resolution="1h"), "09:30").last("resolution")

    assert (minutes(clock), clock.due_at) == (30, at("10:00"))


def test_equal_timestamps_without_an_order_count_as_one_event() -> None:
    line = timeline("09:00 created", "09:30 =b agent replies", "09:30 =a customer asks", "09:30 =c pending")

    result = judged(line, book(terms("next_response", "1h"), terms("resolution", "1h", pause=PENDING)), "10:00")

    assert result.of("next_response") == []
    assert result.last("resolution").state == "paused"


def test_equal_timestamps_with_an_order_are_taken_in_it() -> None:
    line = timeline("09:00 created", "09:30 #2 customer asks", "09:30 #1 agent replies")

    clocks = judged(line, book(first_response="1h", next_response="1h"), "09:40").verdict.clocks

    assert [(clock.cycle.metric, clock.health) for clock in clocks] == [("first_response", "met"), ("next_response", "on_track")]


def test_a_status_change_told_before_the_reply_that_caused_it_does_not_cancel_the_promise() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:20 customer asks", "09:30 #1 solved", "09:30 #2 agent replies")

    assert judged(line, book(next_response="1h"), "10:00").last("next_response").health == "met"
    assert (
        judged(timeline("09:00 created", "09:30 #1 solved", "09:30 #2 agent replies"), book(first_response="1h"), "10:00")
        .last("first_response")
        .health
        == "met"
    )


def test_an_event_from_the_future_counts_now() -> None:
    line = timeline("09:00 created", "09:33 agent replies")

    clock = judged(line, book(first_response="30m"), "09:20").last("first_response")

    assert (clock.state, clock.breached_at) == ("stopped", at("09:30"))


def test_a_ticket_from_the_future_has_consumed_nothing() -> None:
    clock = judged(timeline("09:05 created"), book(terms("resolution", "1h", warn=("50%",))), "09:00").last("resolution")

    assert (clock.consumed, clock.health, clock.due_at, clock.passed) == (0, "on_track", at("10:05"), ())


@pytest.mark.parametrize(
    ("mode", "anchors", "due"),
    [("resume", ["09:00"], "15:30"), ("restart", ["09:00", "14:00"], "16:00")],
)
def test_reopen(mode: str, anchors: list[str], due: str) -> None:
    line = timeline("09:00 created", "09:30 solved", "10:00 closed", "14:00 reopened")

    result = judged(line, book(terms("resolution", "2h", reopen=mode)), "14:10")

    assert [clock.cycle.anchor for clock in result.of("resolution")] == [at(anchor) for anchor in anchors]
    assert result.last("resolution").due_at == at(due)


def test_reopen_final_is_never_again() -> None:
    line = timeline("09:00 created", "09:30 solved", "14:00 reopened", "15:00 solved")

    clocks = judged(line, book(terms("resolution", "2h", reopen="final")), "18:00").of("resolution")

    assert [(clock.health, clock.cycle.stopped_at) for clock in clocks] == [("met", at("09:30"))]


def test_a_resumed_clock_that_was_missed_stays_missed() -> None:
    line = timeline("09:00 created", "12:00 solved", "14:00 reopened")

    clock = judged(line, book(resolution="2h"), "14:10").last("resolution")

    assert (clock.breached_at, clock.health, minutes(clock)) == (at("11:00"), "overdue", 190)


@pytest.mark.parametrize(("on_solve", "health"), [("cancel", "cancelled"), ("fulfil", "met")])
def test_on_solve(on_solve: str, health: str) -> None:
    line = timeline("09:00 created", "09:30 solved")

    clock = judged(line, book(terms("first_response", "1h", on_solve=on_solve)), "12:00").last("first_response")

    assert (clock.health, clock.breached_at) == (health, None)


def test_solved_without_a_reply_after_due_is_missed_all_the_same() -> None:
    line = timeline("09:00 created", "10:30 solved")

    clock = judged(line, book(first_response="1h"), "12:00").last("first_response")

    assert (clock.state, clock.health, clock.breached_at) == ("cancelled", "missed", at("10:00"))


def test_deleted_is_cancelled_and_undeleted_resumes() -> None:
    told = ["09:00 created", "09:30 deleted"]

    gone = judged(timeline(*told), book(resolution="1h"), "12:00").last("resolution")
    back = judged(timeline(*told, "12:00 undeleted"), book(resolution="1h"), "12:10").last("resolution")

    assert (gone.health, gone.due_at, gone.next_check_at([])) == ("cancelled", None, None)
    assert (back.cycle.number, back.health, back.due_at, minutes(back)) == (1, "on_track", at("12:30"), 40)


def test_deleted_while_final_resumes_too() -> None:
    line = timeline("09:00 created", "09:30 deleted", "12:00 undeleted")

    assert judged(line, book(terms("resolution", "1h", reopen="final")), "12:10").last("resolution").due_at == at("12:30")


def test_a_message_to_a_deleted_ticket_waits_from_its_return() -> None:
    line = timeline("09:00 created", "09:05 agent replies", "09:30 deleted", "10:00 customer asks", "12:00 undeleted")

    clock = judged(line, book(next_response="1h"), "12:10").last("next_response")

    assert (clock.cycle.anchor, minutes(clock), clock.due_at) == (at("10:00"), 10, at("13:00"))


def test_unmerged_resumes() -> None:
    line = timeline("09:00 created", "09:30 merged into 2", "12:00 unmerged")

    assert judged(line, book(resolution="1h"), "12:10").last("resolution").due_at == at("12:30")


def test_an_echo_is_no_reply_and_no_contact() -> None:
    line = timeline("09:00 created", "09:05 agent replies", "09:10 customer asks !", "09:15 pending and agent replies !")

    result = judged(line, book(next_response="1h", update_cadence="1h"), "09:30")

    assert result.of("next_response") == []
    assert [clock.cycle.anchor for clock in result.of("update_cadence")] == [at("09:05")]
    assert result.verdict.ticket is not None
    assert result.verdict.ticket.facts["status"] == "pending"


def test_an_echo_told_again_without_its_mark_is_still_no_reply() -> None:
    line = timeline("09:00 created", event("09:10 agent replies !", message="m7"), event("09:20 agent replies", message="m7"))

    assert judged(line, book(first_response="1h"), "09:30").last("first_response").state == "running"


def test_the_requesters_own_message_is_a_customers_though_staff() -> None:
    line = timeline(
        event("09:00 created", actor="anna@example.com", requester="Anna@Example.com"),
        event("09:05 agent replies", actor="bert@example.com"),
        event("09:30 agent replies", actor="anna@example.com"),
    )

    result = judged(line, book(first_response="1h", next_response="1h"), "09:40")

    assert result.last("first_response").cycle.stopped_at == at("09:05")
    assert result.last("next_response").cycle.anchor == at("09:30")


def test_staff_who_ask_for_themselves_are_owed_a_first_response() -> None:
    line = timeline(event("09:00 created by agent and requester 7", actor="7"))

    assert judged(line, book(first_response="1h"), "09:30").last("first_response").due_at == at("10:00")


@pytest.mark.parametrize(("reply_by", "state"), [({ActorKind.AGENT}, "running"), ({ActorKind.AGENT, ActorKind.BOT}, "stopped")])
def test_bot_replies_count_with_reply_by(reply_by: set[ActorKind], state: str) -> None:
    line = timeline("09:00 created", "09:01 bot replies")

    assert judged(line, book(terms("first_response", "1h", reply_by=frozenset(reply_by))), "09:30").last("first_response").state == state


def test_a_pause_after_a_breach_neither_heals_nor_moves_it() -> None:
    line = timeline("09:00 created", "10:30 pending", "12:00 open")

    clock = judged(line, book(terms("resolution", "1h", pause=PENDING)), "12:30").last("resolution")

    assert (clock.breached_at, clock.health, minutes(clock)) == (at("10:00"), "overdue", 120)


def test_a_pause_that_begins_at_the_very_due_instant_comes_too_late() -> None:
    line = timeline("09:00 created", "10:00 pending")

    assert judged(line, book(terms("resolution", "1h", pause=PENDING)), "12:00").last("resolution").breached_at == at("10:00")


def test_a_paused_clock_has_no_due_instant_and_nothing_to_say() -> None:
    line = timeline("09:00 created", "09:40 pending")

    clock = judged(line, book(terms("resolution", "1h", pause=PENDING, warn=("50%", "80%"))), "12:00").last("resolution")

    assert (clock.health, clock.due_at) == ("paused", None)
    assert (clock.next_check_at([]), clock.next_check_at(["50%"])) == (at("09:30"), None)


def test_a_reply_counts_while_paused() -> None:
    line = timeline("09:00 created", "09:10 pending", "12:00 agent replies")

    clock = judged(line, book(terms("first_response", "1h", pause=PENDING)), "12:30").last("first_response")

    assert (clock.health, minutes(clock)) == ("met", 10)


def test_solved_then_closed_changes_nothing() -> None:
    line = timeline("09:00 created", "09:30 solved", "15:00 closed")

    assert judged(line, book(resolution="1h"), "18:00").last("resolution").cycle.stopped_at == at("09:30")


def test_a_target_in_days_moves_by_the_open_time_of_its_pauses() -> None:
    line = timeline("10:00 created", "11:00 pending", "tue 11:00 open")
    in_days = book(terms("resolution", "2bd", on=OFFICE, pause=PENDING))

    clock = judged(line, in_days, "tue 12:00").last("resolution")

    assert clock.due_at == at("thu 10:00")


def test_a_horizon_too_far_is_no_due_instant_rather_than_a_breach() -> None:
    never = terms("resolution", "1h", on=calendar())

    clock = judged(timeline("09:00 created"), book(never), at("09:00") + timedelta(days=400)).last("resolution")

    assert (clock.due_at, clock.breached_at, clock.consumed) == (None, None, 0)


@pytest.mark.parametrize(("metric", "end"), [("resolution", "solved"), ("first_response", "agent replies")])
def test_a_ticket_that_is_created_waiting_and_ends_next_has_consumed_nothing(metric: str, end: str) -> None:
    clock = judged(timeline("09:00 created and pending", f"10:00 {end}"), book(terms(metric, "4h", pause=PENDING)), "11:00").last(metric)

    assert (clock.health, minutes(clock)) == ("met", 0)


def test_a_reply_in_the_second_of_the_creation_that_also_pauses_was_due_as_if_it_had_not() -> None:
    line = timeline("09:00 created", "09:00 agent replies and pending")

    clock = judged(line, book(terms("first_response", "1h", pause=PENDING)), "11:00").last("first_response")

    assert (clock.health, minutes(clock), clock.due_at) == ("met", 0, at("10:00"))
