"""How cycles open, stop, come back and change hands. The stories with names of their own stand in `test_traps`."""

import pytest

from app.rules.choose import Choice
from app.rules.conditions import parse_condition
from app.rules.cycles import Story, tell
from app.rules.policy import Book, CustomMetric, Tier
from app.rules.stretches import Stretch
from app.rules.ticket import walk
from tests.rules.builders import PENDING, at, book, judged, minutes, policy, terms, timeline

KNOWN = {"tier": {"not": "lost"}}
GOLD = {"tier": "gold"}


def promised(metric: str) -> Book:
    gold = policy("gold", terms(metric, "2h", pause=PENDING), match=GOLD)
    return book(gold, policy("known", terms(metric, {"high": "1h", "default": "4h"}, pause=PENDING), match=KNOWN))


RESOLUTION_STATES = {"running": "open", "paused": "pending", "stopped": "solved", "cancelled": "deleted"}
RESOLUTION_MOVES = {
    # event             running    paused     stopped    cancelled
    "customer asks": "  running    paused     stopped    cancelled",
    "agent replies": "  running    paused     stopped    cancelled",
    "agent notes": "    running    paused     stopped    cancelled",
    "bot replies": "    running    paused     stopped    cancelled",
    "agent replies !": "running    paused     stopped    cancelled",
    "open": "           running    running    running    cancelled",
    "pending": "        paused     paused     paused     cancelled",
    "on_hold": "        running    running    running    cancelled",
    "solved": "         stopped    stopped    stopped    cancelled",
    "closed": "         stopped    stopped    stopped    cancelled",
    "priority high": "  running    paused     stopped    cancelled",
    "tier gold": "      running    paused     stopped    cancelled",
    "tier lost": "      cancelled  cancelled  stopped    cancelled",
    "deleted": "        cancelled  cancelled  stopped    cancelled",
    "undeleted": "      running    paused     stopped    running",
    "merged into 2": "  cancelled  cancelled  stopped    cancelled",
    "unmerged": "       running    paused     stopped    cancelled",
    "assigned anna": "  running    paused     stopped    cancelled",
    "group support": "  running    paused     stopped    cancelled",
}
REPLY_STATES = {"running": "open", "paused": "pending", "stopped": "agent replies", "cancelled": "solved"}
REPLY_MOVES = {
    "customer asks": "  running    paused     stopped    cancelled",
    "agent replies": "  stopped    stopped    stopped    cancelled",
    "agent notes": "    running    paused     stopped    cancelled",
    "bot replies": "    running    paused     stopped    cancelled",
    "agent replies !": "running    paused     stopped    cancelled",
    "open": "           running    running    stopped    running",
    "pending": "        paused     paused     stopped    paused",
    "on_hold": "        running    running    stopped    running",
    "solved": "         cancelled  cancelled  stopped    cancelled",
    "closed": "         cancelled  cancelled  stopped    cancelled",
    "priority high": "  running    paused     stopped    cancelled",
    "tier gold": "      running    paused     stopped    cancelled",
    "tier lost": "      cancelled  cancelled  stopped    cancelled",
    "deleted": "        cancelled  cancelled  stopped    cancelled",
    "undeleted": "      running    paused     stopped    cancelled",
    "merged into 2": "  cancelled  cancelled  stopped    cancelled",
    "unmerged": "       running    paused     stopped    cancelled",
    "assigned anna": "  running    paused     stopped    cancelled",
    "group support": "  running    paused     stopped    cancelled",
}


@pytest.mark.parametrize(
    ("metric", "before", "what", "after"),
    [
        (metric, before, what, after)
        for metric, states, moves in [("resolution", RESOLUTION_STATES, RESOLUTION_MOVES), ("first_response", REPLY_STATES, REPLY_MOVES)]
        for what, row in moves.items()
        for before, after in zip(states, row.split(), strict=True)
    ],
)
def test_every_kind_of_event_in_every_state(metric: str, before: str, what: str, after: str) -> None:
    states = RESOLUTION_STATES if metric == "resolution" else REPLY_STATES
    told = ["09:00 created", f"09:10 {states[before]}"]

    clocks = judged(timeline(*told), promised(metric), "09:20").of(metric)
    clocks_then = judged(timeline(*told, f"09:30 {what}"), promised(metric), "09:40").of(metric)

    assert [clock.state for clock in clocks] == [before]
    assert [clock.state for clock in clocks_then] == [after]


def test_nothing_known_tells_nothing() -> None:
    assert tell([], book(resolution="1h")) == Story((), Choice(None, None))


def test_what_is_chosen_is_told_with_the_cycles() -> None:
    told = tell(walk(timeline("09:00 created", "09:30 tier gold")), promised("resolution"))

    assert told.choice == Choice(promised("resolution").policies[0], "gold")


@pytest.mark.parametrize(
    ("gone", "back", "why"),
    [("deleted", "undeleted", "gone, or without a policy"), ("solved", "reopened", "done, then reopened")],
)
def test_what_comes_back_has_forgotten_its_stop_but_not_the_time_between(gone: str, back: str, why: str) -> None:
    cycle = judged(timeline("09:00 created", f"09:10 {gone}", f"09:30 {back}"), book(resolution="1h"), "09:40").last("resolution").cycle

    assert [(stretch.kind, stretch.why) for stretch in cycle.stretches] == [("running", None), ("stopped", why), ("running", None)]
    assert (cycle.stopped_at, cycle.outcome, cycle.lapsed, cycle.stopped_by) == (None, None, False, None)


def test_a_ticket_that_was_gone_when_we_first_heard_of_it_has_used_nothing_up_by_then() -> None:
    clock = judged(timeline("09:00 created and deleted", "10:00 undeleted"), book(resolution="1h"), "10:10").last("resolution")

    assert (clock.cycle.anchor, minutes(clock), clock.due_at) == (at("09:00"), 10, at("11:00"))


@pytest.mark.parametrize("asked", ["10:00", "11:00"])
def test_a_wait_that_began_while_the_ticket_was_gone_runs_from_its_return(asked: str) -> None:
    line = timeline("09:00 created", "09:05 agent replies", "09:30 deleted", f"{asked} customer asks", "11:00 undeleted")

    clock = judged(line, book(next_response="1h"), "11:20").last("next_response")

    gone = [] if asked == "11:00" else [Stretch(at(asked), at("11:00"), "stopped", "gone, or without a policy")]
    assert list(clock.cycle.stretches) == [*gone, Stretch(at("11:00"), None, "running")]
    assert minutes(clock) == 20


def test_a_ticket_that_is_solved_when_it_is_first_heard_of_promises_nothing() -> None:
    assert judged(timeline("09:00 created and solved"), book(resolution="1h", first_response="1h"), "12:00").verdict.clocks == ()


def test_a_ticket_that_is_first_heard_of_late_has_run_since_its_creation() -> None:
    clock = judged(timeline("12:00 pending and created at 09:00"), book(terms("resolution", "4h", pause=PENDING)), "15:00").last(
        "resolution"
    )

    assert (clock.cycle.anchor, minutes(clock), clock.state) == (at("09:00"), 180, "paused")


def test_what_stopped_a_clock_is_named() -> None:
    line = timeline("09:00 created", "09:30 #1 =k1 solved", "09:30 #2 =k2 agent replies")

    cycles = tell(walk(line), book(resolution="1h")).cycles

    assert [(cycle.stopped_by, cycle.outcome) for cycle in cycles] == [("k2", "fulfilled")]


def test_what_a_date_stops_is_stopped_by_no_event() -> None:
    gold = Tier("gold", until=at("10:00"))
    by = Book(1, (policy("gold", resolution="4h", match=GOLD),), tiers=(gold,))

    (cycle,) = [clock.cycle for clock in judged(timeline("09:00 created"), by, "12:00").verdict.clocks]

    assert (cycle.stopped_at, cycle.stopped_by, cycle.outcome, cycle.lapsed) == (at("10:00"), None, "cancelled", True)


@pytest.mark.parametrize(("reopen", "anchors"), [("resume", ["09:00"]), ("restart", ["09:00", "10:00"]), ("final", ["09:00"])])
def test_a_promise_that_a_solve_has_cancelled_reopens_as_the_document_says(reopen: str, anchors: list[str]) -> None:
    by = book(terms("first_response", "4h", reopen=reopen))
    line = timeline("09:00 created", "09:30 solved", "10:00 reopened", "10:05 priority low")

    clocks = judged(line, by, "10:10").of("first_response")

    assert [clock.cycle.anchor for clock in clocks] == [at(anchor) for anchor in anchors]
    assert (clocks[-1].state == "running") == (reopen != "final")


def test_cycles_are_numbered_per_metric_and_told_in_the_order_of_the_document() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:20 customer asks", "09:30 agent replies", "09:40 customer asks")

    clocks = judged(line, book(next_response="1h", resolution="4h"), "10:00").verdict.clocks

    assert [clock.identity for clock in clocks] == [("next_response", 1), ("next_response", 2), ("resolution", 1)]


def test_a_priority_that_changes_nothing_is_still_the_priority_of_the_clock() -> None:
    line = timeline("09:00 created", "09:30 priority low")

    clock = judged(line, book(resolution="4h"), "10:00").last("resolution")

    assert (clock.cycle.priority, clock.cycle.retargeted_at) == ("low", None)


def test_pauses_for_different_reasons_are_told_apart() -> None:
    line = timeline("09:00 created", "09:10 pending", "09:20 on_hold", "09:30 open")

    clock = judged(line, book(terms("resolution", "4h", pause={"status": ["pending", "on_hold"]})), "10:00").last("resolution")

    assert [(s.kind, s.why) for s in clock.cycle.stretches] == [
        ("running", None),
        ("paused", "status pending"),
        ("paused", "status on_hold"),
        ("running", None),
    ]


def test_a_fact_may_both_choose_the_policy_and_pause_the_clock() -> None:
    by = book(policy("p", terms("resolution", "4h", pause=PENDING), match={"status": {"not": "lost"}}))

    assert judged(timeline("09:00 created", "09:10 pending"), by, "10:00").last("resolution").state == "paused"


def test_a_pause_for_two_reasons_names_both() -> None:
    pause = {"status": "pending", "group": ["partner", "vendor"]}
    line = timeline("09:00 created", "09:10 pending and group partner")

    clock = judged(line, book(terms("resolution", "4h", pause=pause)), "10:00").last("resolution")

    assert clock.cycle.stretches[-1].why == "group partner, status pending"


def test_a_lapse_and_a_pause_of_the_same_time_do_not_count_it_twice() -> None:
    only_high = book(terms("resolution", {"high": "2h"}, pause=PENDING))
    line = timeline("09:00 created and priority high", "09:10 pending", "09:20 priority low", "09:40 priority high", "10:00 open")

    clock = judged(line, only_high, "10:20").last("resolution")

    assert (minutes(clock), clock.due_at) == (30, at("11:50"))


def test_a_pause_had_before_the_policy_was_lost_is_kept_when_it_comes_back() -> None:
    promise = terms("resolution", {"high": "2h"}, pause=PENDING, retroactive_pause=False)
    told = ["09:00 created and priority high and tier gold", "09:10 pending", "09:40 open"]

    for lost, found in [("priority low", "priority high"), ("tier lost", "tier gold")]:
        line = timeline(*told, f"10:00 {lost}", f"10:10 {found}")

        assert minutes(judged(line, book(policy("p", promise, match=GOLD)), "10:20").last("resolution")) == 50


def test_a_reopening_without_a_policy_comes_back_with_the_policy() -> None:
    only_high = book(terms("resolution", {"high": "4h"}))
    told = ["09:00 created and priority high", "09:30 solved", "10:00 priority low", "11:00 reopened", "12:00 priority high"]

    clocks = judged(timeline(*told), only_high, "12:10").of("resolution")

    assert [(clock.cycle.number, minutes(clock)) for clock in clocks] == [(1, 40)]


def test_a_metric_of_the_document_that_a_deletion_interrupts_resumes() -> None:
    metric = CustomMetric("approval", parse_condition({"status": "approval"}))
    by = Book(1, (policy("p", approval="1h"),), metrics={"approval": metric})
    line = timeline("09:00 created", "09:10 status approval", "09:20 deleted", "10:00 undeleted")

    clocks = judged(line, by, "10:10").of("approval")

    assert [(clock.cycle.anchor, minutes(clock)) for clock in clocks] == [(at("09:10"), 20)]
