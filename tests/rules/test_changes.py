"""Another tier, priority or policy under way, or none at all."""

from dataclasses import replace

import pytest

from app.rules.conditions import parse_condition
from app.rules.events import ActorKind
from app.rules.policy import Book, CustomMetric, Tier
from tests.rules.builders import OFFICE, PENDING, at, book, event, judged, minutes, policy, terms, timeline
from tests.rules.test_stretches import made

BY_PRIORITY = book(terms("resolution", {"high": "1h", "default": "4h"}))
GOLD_OR_NOT = book(policy("gold", resolution="2h", match={"tier": "gold"}), policy("everyone", resolution="4h"))


def test_tier_change_keeps_paused_time_even_when_the_new_tier_never_pauses() -> None:
    gold = policy("gold", resolution="2h", match={"tier": "gold"})
    line = timeline("09:00 created", "09:10 pending", "09:40 open", "10:00 tier gold", "10:10 pending")

    clock = judged(line, book(gold, policy("everyone", terms("resolution", "4h", pause=PENDING))), "10:30").last("resolution")

    assert (clock.state, minutes(clock), clock.due_at) == ("running", 60, at("11:30"))


def test_a_clock_that_stands_still_goes_on_when_the_new_tier_never_pauses() -> None:
    gold = policy("gold", resolution="2h", match={"tier": "gold"})
    line = timeline("09:00 created", "09:10 pending", "10:00 tier gold")

    clock = judged(line, book(gold, policy("everyone", terms("resolution", "4h", pause=PENDING))), "10:30").last("resolution")

    assert (clock.state, minutes(clock), clock.due_at) == ("running", 40, at("11:50"))


def test_what_happens_after_a_policy_was_lost_is_no_part_of_its_clock() -> None:
    gold = policy("gold", terms("resolution", "2h", pause=PENDING), match={"tier": "gold"})
    line = timeline("09:00 created and tier gold", "09:30 tier none", "09:40 pending")

    assert judged(line, book(gold), "10:30").last("resolution").cycle.stretches == made("09:00-09:30 running")


def test_a_pause_of_the_very_first_moment_counts_when_the_new_tier_never_pauses() -> None:
    gold = policy("gold", resolution="2h", match={"tier": "gold"})
    line = timeline("09:00 created and pending", "09:30 tier gold")

    clock = judged(line, book(gold, policy("everyone", terms("resolution", "4h", pause=PENDING))), "10:30").last("resolution")

    assert (clock.state, minutes(clock)) == ("running", 60)


def test_a_policy_that_comes_to_apply_with_the_second_step_counts_the_pause_of_the_first() -> None:
    gold = policy("gold", terms("resolution", "2h", pause=PENDING), match={"tier": "gold"})
    line = timeline("09:00 created and pending", "09:30 tier gold")

    clock = judged(line, book(gold), "10:30").last("resolution")

    assert (clock.state, minutes(clock), clock.cycle.retargeted_at) == ("paused", 0, at("09:30"))


def test_a_policy_that_is_lost_late_ends_its_clock_then() -> None:
    gold = policy("gold", resolution="2h", match={"tier": "gold"})
    line = timeline("09:00 created and tier gold", "09:10 customer asks", "09:20 customer asks", "09:30 tier none")

    assert judged(line, book(gold), "10:30").last("resolution").cycle.stopped_at == at("09:30")


def test_a_policy_that_came_to_apply_while_it_was_solved_is_the_anchor_of_the_reopening() -> None:
    gold = policy("gold", terms("resolution", "4h", anchor="policy_applied"), match={"tier": "gold"})
    line = timeline("09:00 created", "09:30 solved", "10:00 tier gold", "11:00 reopened")

    clock = judged(line, book(gold, policy("everyone", resolution="8h")), "11:30").last("resolution")

    assert (clock.cycle.anchor, minutes(clock), clock.due_at) == (at("10:00"), 30, at("15:00"))


def test_a_policy_that_applied_from_the_first_stays_the_anchor_when_the_second_step_changes_the_target() -> None:
    vip = policy("vip", terms("resolution", {"high": "1h", "default": "4h"}, anchor="policy_applied"), match={"tags": "vip"})
    line = timeline("09:00 created and tagged vip", "09:30 priority high")

    assert judged(line, book(vip), "09:45").last("resolution").due_at == at("10:00")


def test_a_document_with_dates_takes_up_what_is_stated_too() -> None:
    dated = replace(BY_PRIORITY, tiers=(Tier("gold", None, since=at("tue 09:00")),))

    clock = judged(timeline("09:00 created", "09:10 customer asks", "09:30 priority high"), dated, "09:45").last("resolution")

    assert clock.due_at == at("10:00")


def test_anchor_policy_applied_starts_where_the_policy_came_to_apply() -> None:
    vip = policy("vip", terms("resolution", "1h", anchor="policy_applied"), match={"tags": "vip"})
    line = timeline("09:00 created", "12:00 tagged vip")

    from_nothing = judged(line, book(vip), "12:30").last("resolution")
    from_another = judged(line, book(vip, policy("everyone", resolution="8h")), "12:30").last("resolution")

    assert (from_nothing.cycle.anchor, from_nothing.due_at, minutes(from_nothing)) == (at("12:00"), at("13:00"), 30)
    assert (from_another.cycle.anchor, from_another.due_at, minutes(from_another)) == (at("12:00"), at("13:00"), 30)


def test_anchor_policy_applied_stays_while_the_policy_does() -> None:
    vip = policy("vip", terms("resolution", {"high": "1h", "default": "4h"}, anchor="policy_applied"), match={"tags": "vip"})
    line = timeline("09:00 created", "10:00 tagged vip", "10:30 priority high")

    clock = judged(line, book(vip), "10:45").last("resolution")

    assert (clock.cycle.anchor, clock.due_at) == (at("10:00"), at("11:00"))


def test_a_policy_that_differs_only_in_its_pause_is_another_promise() -> None:
    plain = terms("resolution", "4h")
    gold = policy("gold", replace(plain, pause_while=parse_condition(PENDING)), match={"tier": "gold"})
    line = timeline("09:00 created", "10:00 tier gold", "10:10 pending")

    assert judged(line, book(gold, policy("everyone", plain)), "10:30").last("resolution").state == "paused"


def test_anchor_policy_applied_is_the_first_we_heard_of_an_older_ticket() -> None:
    line = timeline("12:00 open and created at 09:00")

    assert judged(line, book(terms("resolution", "1h", anchor="policy_applied")), "12:10").last("resolution").due_at == at("13:00")


def test_anchor_policy_applied_does_not_move_a_clock_that_began_later() -> None:
    promise = terms("next_response", "1h", anchor="policy_applied")
    line = timeline("09:00 created", "09:05 agent replies", "10:00 customer asks")

    assert judged(line, book(promise), "10:30").last("next_response").cycle.anchor == at("10:00")


@pytest.mark.parametrize(("retroactive", "consumed"), [(True, 45), (False, 75)])
def test_retroactive_pause(retroactive: bool, consumed: int) -> None:
    vip = policy("vip", terms("resolution", "4h", pause=PENDING, retroactive_pause=retroactive), match={"tags": "vip"})
    line = timeline("09:00 created", "09:15 pending", "09:45 open", "10:00 tagged vip")

    assert minutes(judged(line, book(vip), "10:15").last("resolution")) == consumed


@pytest.mark.parametrize(("retroactive", "consumed"), [(True, 45), (False, 75)])
def test_retroactive_pause_of_a_policy_that_takes_over(retroactive: bool, consumed: int) -> None:
    vip = policy("vip", terms("resolution", "4h", pause=PENDING, retroactive_pause=retroactive), match={"tags": "vip"})
    line = timeline("09:00 created", "09:15 pending", "09:45 open", "10:00 tagged vip")

    clock = judged(line, book(vip, policy("everyone", resolution="8h")), "10:15").last("resolution")

    assert (clock.cycle.policy, minutes(clock)) == ("vip", consumed)


@pytest.mark.parametrize(
    ("told", "consumed"),
    [(["09:00 created and pending", "09:30 open"], 30), (["09:00 created", "09:15 pending"], 15)],
)
def test_a_pause_from_the_first_moment_or_until_now_is_retroactive_too(told: list[str], consumed: int) -> None:
    vip = policy("vip", terms("resolution", "4h", pause=PENDING), match={"tags": "vip"})
    line = timeline(*told, "10:00 tagged vip")

    from_nothing = judged(line, book(vip), "10:00").last("resolution")
    from_another = judged(line, book(vip, policy("everyone", resolution="8h")), "10:00").last("resolution")

    assert (minutes(from_nothing), minutes(from_another)) == (consumed, consumed)


def test_on_change_retarget_keeps_what_is_consumed() -> None:
    line = timeline("09:00 created", "09:30 priority high")

    clock = judged(line, BY_PRIORITY, "09:45").last("resolution")

    assert (clock.cycle.number, clock.due_at, minutes(clock), clock.breached_at) == (1, at("10:00"), 45, None)


def test_on_change_restart_begins_a_new_clock() -> None:
    line = timeline("09:00 created", "09:30 priority high")

    old, new = judged(line, book(terms("resolution", {"high": "1h", "default": "4h"}, on_change="restart")), "09:45").of("resolution")

    assert (old.health, old.cycle.stopped_at, old.cycle.lapsed) == ("cancelled", at("09:30"), False)
    assert (new.cycle.anchor, new.due_at, minutes(new)) == (at("09:30"), at("10:30"), 15)


def test_on_change_restart_works_for_every_metric() -> None:
    restart = {"high": "1h", "default": "4h"}
    approval = CustomMetric("approval", parse_condition({"status": "approval"}))
    promises = [terms(metric, restart, on_change="restart") for metric in ("first_response", "approval")]
    by = Book(1, book(*promises).policies, metrics={"approval": approval})

    verdict = judged(timeline("09:00 created and status approval", "09:30 priority high"), by, "09:45")

    for metric in ("first_response", "approval"):
        assert [clock.due_at for clock in verdict.of(metric)] == [None, at("10:30")]


def test_on_change_restart_in_the_moment_of_the_solve_restarts_nothing() -> None:
    line = timeline("09:00 created", "09:30 priority high and solved")

    clocks = judged(line, book(terms("resolution", {"high": "1h", "default": "4h"}, on_change="restart")), "12:00").of("resolution")

    assert [(clock.health, clock.cycle.priority, minutes(clock)) for clock in clocks] == [("met", "high", 30)]


def test_on_change_keep_keeps_the_promise_as_it_was_made() -> None:
    line = timeline("09:00 created", "09:30 priority high")

    clock = judged(line, book(terms("resolution", {"high": "1h", "default": "4h"}, on_change="keep")), "09:45").last("resolution")

    assert (clock.due_at, clock.cycle.priority) == (at("13:00"), None)


@pytest.mark.parametrize(("on_change", "due", "priority"), [("keep", "14:00", None), ("retarget", "11:00", "high")])
def test_a_change_while_solved_tells_on_the_reopening(on_change: str, due: str, priority: str | None) -> None:
    line = timeline("09:00 created", "09:30 solved", "10:00 priority high", "10:30 reopened")

    clock = judged(line, book(terms("resolution", {"high": "1h", "default": "4h"}, on_change=on_change)), "10:45").last("resolution")

    assert (clock.cycle.number, clock.due_at, clock.cycle.priority) == (1, at(due), priority)


def test_the_terms_at_the_stop_decide_a_finished_clock() -> None:
    line = timeline("09:00 created", "09:30 priority high and solved", "10:00 priority low")

    clock = judged(line, BY_PRIORITY, "18:00").last("resolution")

    assert (clock.cycle.priority, clock.due_at) == ("high", at("10:00"))


@pytest.mark.parametrize("longer", ["2h", "8h"])
def test_a_breach_under_former_terms_is_not_healed_by_a_later_change(longer: str) -> None:
    line = timeline("09:00 created and priority high", "11:00 priority low")
    warned = book(terms("resolution", {"high": "1h", "default": longer}, warn=("50%",)))

    clock = judged(line, warned, "16:00").last("resolution")

    assert (clock.breached_at, clock.due_at, clock.health, clock.cause) == (at("10:00"), at("10:00"), "overdue", "elapsed")
    assert [milestone.at for milestone in clock.milestones] == [at("10:00")]


def test_a_target_in_days_that_was_broken_stays_broken_too() -> None:
    line = timeline("10:00 created and priority high", "11:00 pending", "12:00 open", "wed 10:00 priority low")
    in_days = book(terms("resolution", {"high": "1bd", "default": "5bd"}, on=OFFICE, pause=PENDING))

    assert judged(line, in_days, "wed 12:00").last("resolution").breached_at == at("tue 11:00")


def test_a_change_at_the_very_due_instant_saves_the_promise() -> None:
    line = timeline("09:00 created and priority high", "10:00 priority low")

    assert judged(line, BY_PRIORITY, "11:00").last("resolution").breached_at is None


def test_a_clock_that_stopped_at_its_very_due_instant_is_not_broken_by_a_reopening_with_more_time() -> None:
    line = timeline("09:00 created and priority high", "10:00 solved", "11:00 open and priority low")

    clock = judged(line, BY_PRIORITY, "11:30").last("resolution")

    assert (clock.health, clock.breached_at, clock.due_at) == ("on_track", None, at("14:00"))


def test_a_clock_that_stopped_at_its_very_due_instant_is_broken_by_a_reopening_without_more_time() -> None:
    line = timeline("09:00 created and priority high", "10:00 solved", "11:00 open")

    assert judged(line, BY_PRIORITY, "11:30").last("resolution").breached_at == at("10:00")


def test_the_cause_of_a_breach_survives_further_changes() -> None:
    line = timeline("09:00 created", "11:00 priority high", "12:00 priority low", "13:00 priority normal")

    clock = judged(line, BY_PRIORITY, "12:30").last("resolution")

    assert (clock.breached_at, clock.cause) == (at("10:00"), "retargeted")


def test_a_promise_that_comes_to_apply_too_late_is_broken_by_the_change() -> None:
    line = timeline("09:00 created", "09:30 open", "12:00 tagged vip")

    clock = judged(line, book(policy("vip", resolution="1h", match={"tags": "vip"})), "12:00").last("resolution")

    assert (clock.breached_at, clock.cause) == (at("10:00"), "retargeted")
    assert clock.cycle.number == 1


def test_what_was_never_promised_has_no_number() -> None:
    before = ["09:00 created", "09:05 agent replies", "09:10 customer asks", "09:20 agent replies"]
    told = [*before, "09:40 customer asks", "09:50 priority high"]

    clocks = judged(timeline(*told), book(terms("next_response", {"high": "1h"})), "10:00").of("next_response")

    assert [(clock.cycle.number, clock.due_at) for clock in clocks] == [(1, at("10:40"))]


def test_a_promise_that_comes_to_apply_at_its_very_due_instant_is_broken_by_time() -> None:
    line = timeline("09:00 created", "10:00 tagged vip")

    clock = judged(line, book(policy("vip", resolution="1h", match={"tags": "vip"})), "10:00").last("resolution")

    assert (clock.breached_at, clock.cause) == (at("10:00"), "elapsed")


def test_a_reply_in_the_moment_in_which_the_policy_comes_to_apply_keeps_the_promise() -> None:
    vip = policy("vip", terms("next_response", "1h", anchor="policy_applied"), match={"tags": "vip"})
    line = timeline("09:00 created", "09:05 agent replies", "09:30 customer asks", "10:00 tagged vip and agent replies")

    assert [clock.health for clock in judged(line, book(vip), "12:00").of("next_response")] == ["met"]


def test_another_priority_with_as_long_a_target_is_no_change_of_the_promise() -> None:
    line = timeline("09:00 created", "09:30 priority high")

    clock = judged(line, book(terms("resolution", {"high": "1h", "default": "1h"}, on_change="restart")), "09:45").last("resolution")

    assert (clock.identity, clock.cycle.priority, clock.cycle.retargeted_at) == (("resolution", 1), "high", None)


def test_effective_dated_tiers_change_the_promise_on_their_day() -> None:
    gold = Tier("gold", parse_condition({"organization": "acme"}), since=at("tue 00:00"), until=at("wed 00:00"))
    dated = Book(1, GOLD_OR_NOT.policies, tiers=(gold,))
    line = timeline(event("22:30 created", organization="acme"))

    before = judged(line, dated, "23:00")
    during = judged(line, dated, "tue 00:10")
    after = judged(timeline(*line.events, "tue 00:20 priority low"), dated, "wed 00:00")

    assert (before.verdict.tier, before.last("resolution").due_at, before.verdict.rejudge_at) == (None, at("tue 02:30"), at("tue 00:00"))
    assert (during.verdict.tier, during.last("resolution").due_at, during.verdict.rejudge_at) == ("gold", at("tue 00:30"), at("wed 00:00"))
    assert (after.verdict.tier, after.last("resolution").breached_at) == (None, at("tue 00:30"))


def test_a_tier_that_comes_by_date_brings_its_pause_with_it() -> None:
    gold = policy("gold", terms("resolution", "8h", pause=PENDING), match={"tier": "gold"})
    dated = Book(1, (gold, policy("everyone", resolution="8h")), tiers=(Tier("gold", since=at("10:00")),))
    line = timeline("09:00 created", "09:30 pending")

    assert judged(line, dated, "09:59").last("resolution").state == "running"
    assert judged(line, dated, "11:00").last("resolution").state == "paused"


def test_a_tier_that_was_stated_beats_the_rules() -> None:
    line = timeline("09:00 created and tier silver")

    result = judged(line, Book(1, GOLD_OR_NOT.policies, tiers=(Tier("gold"),)), "09:30")

    assert (result.verdict.tier, result.verdict.policy) == ("silver", "everyone")


def test_a_document_with_dates_may_hang_on_whether_a_bot_is_assigned_too() -> None:
    human = policy("human", resolution="1h", match={"not": {"assignee_is_bot": True}})
    dated = replace(book(human, policy("bot", resolution="8h")), tiers=(Tier("gold", None, since=at("tue 09:00")),))
    line = timeline("09:00 created and given to bot helper", "09:30 assigned anna")

    assert judged(line, dated, "09:45").verdict.policy == "human"


def test_a_policy_may_hang_on_whether_a_bot_is_assigned() -> None:
    by = book(policy("bots", resolution="2h", match={"assignee_is_bot": True}), policy("humans", resolution="4h"))
    told = ["09:00 created", "09:10 given to bot helper"]

    assert judged(timeline(*told), by, "09:30").verdict.policy == "bots"
    assert judged(timeline(*told, "09:20 assigned anna"), by, "09:30").verdict.policy == "humans"


def test_a_policy_that_counts_no_bots_takes_up_the_wait_that_a_bot_had_ended() -> None:
    gold = policy("gold", next_response="4h", match={"tier": "gold"})
    bots_count = terms("next_response", "4h", reply_by=frozenset({ActorKind.AGENT, ActorKind.BOT}))
    told = ["09:00 created", "09:05 agent replies", "09:30 customer asks", "09:40 bot replies", "10:00 customer asks", "10:30 tier gold"]

    clocks = judged(timeline(*told), book(gold, policy("everyone", bots_count)), "11:00").of("next_response")

    assert [(clock.identity[1], clock.health, clock.cycle.anchor, clock.cycle.stopped_at) for clock in clocks] == [
        (1, "met", at("09:30"), at("09:40")),
        (2, "cancelled", at("10:00"), at("10:30")),
        (3, "on_track", at("09:30"), None),
    ]


def test_no_matching_policy_is_no_clock_and_no_error() -> None:
    result = judged(timeline("09:00 created"), book(policy("gold", resolution="1h", match={"tier": "gold"})), "18:00")

    assert (result.verdict.policy, result.verdict.clocks) == (None, ())


def test_no_target_for_the_priority_is_no_clock_never_a_zero_target() -> None:
    only_high = book(terms("resolution", {"high": "1h"}))

    without = judged(timeline("09:00 created and priority low"), only_high, "18:00")
    raised = judged(timeline("09:00 created and priority low", "09:30 priority high"), only_high, "09:40")

    assert without.of("resolution") == []
    assert raised.last("resolution").due_at == at("10:00")


@pytest.mark.parametrize("told", ["priority P1", "priority p1"])
def test_a_priority_of_the_helpdesks_own_has_its_target_upper_and_lower_case_aside(told: str) -> None:
    own_words = book(terms("resolution", {"P1": "1h", "default": "4h"}))

    assert judged(timeline(f"09:00 created and {told}"), own_words, "09:30").last("resolution").due_at == at("10:00")


def test_a_priority_that_only_changes_its_case_changes_nothing() -> None:
    own_words = book(terms("resolution", {"P1": "1h", "default": "4h"}, on_change="restart"))

    clocks = judged(timeline("09:00 created and priority P1", "09:30 priority p1"), own_words, "09:40").of("resolution")

    assert [(clock.due_at, clock.cycle.retargeted_at) for clock in clocks] == [(at("10:00"), None)]


def test_a_policy_that_is_lost_and_found_again_is_the_same_promise() -> None:
    only_high = book(terms("resolution", {"high": "2h"}))
    told = ["09:00 created and priority high", "09:30 priority low"]

    lost = judged(timeline(*told), only_high, "10:00").last("resolution")
    found = judged(timeline(*told, "10:00 priority high"), only_high, "10:10").of("resolution")

    assert (lost.health, lost.due_at) == ("cancelled", None)
    assert [(clock.cycle.number, clock.due_at) for clock in found] == [(1, at("11:00"))]


def test_a_breach_before_the_policy_was_lost_is_a_breach_when_it_is_found_again() -> None:
    only_high = book(terms("resolution", {"high": "1h", "urgent": "8h"}))
    line = timeline("09:00 created and priority high", "10:30 priority low", "11:00 priority urgent")

    assert judged(line, only_high, "11:10").last("resolution").breached_at == at("10:00")
