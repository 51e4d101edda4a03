"""The verdict on one cycle. Most stories of it are told in `test_evaluate`; here is what the short ways owe to the long ones."""

from datetime import datetime, timedelta

from app.rules.clock import judge, judge_if_plain
from app.rules.cycle import Cycle
from app.rules.deadline import runs
from app.rules.evaluate import Clock, evaluate
from app.rules.events import TicketEvent
from app.rules.policy import Book, Terms
from app.rules.timeline import Timeline
from tests.rules.builders import OFFICE, PENDING, at, book, judged, terms, timeline
from tests.rules.calendars import calendar
from tests.rules.test_engine_properties import moments, proof, proof_at_length
from tests.rules.tickets import books, events


def at_length(cycle: Cycle, when: datetime) -> Clock:
    return judge(cycle, runs(cycle.terms.calendar, cycle.stretches), when)


def short_ways_lead_to_the_same(told: list[TicketEvent], by: Book, when: datetime, later: datetime) -> None:
    line = Timeline().extend(told)
    for clock in evaluate(line, by, when).clocks:
        cycle = clock.cycle
        if cycle.stopped_at is not None:
            assert judge_if_plain(cycle, cycle.stopped_at) in (None, at_length(cycle, later))
        else:
            ran = runs(cycle.terms.calendar, cycle.stretches)
            assert judge(cycle, ran, later, clock) == at_length(cycle, later)


test_short_ways_lead_to_the_same = proof(short_ways_lead_to_the_same, events(), books(), moments, moments, examples=60)
test_short_ways_lead_to_the_same_at_length = proof_at_length(short_ways_lead_to_the_same, events(), books(), moments, moments)


def ended(promise: Terms, *told: str) -> tuple[Clock | None, Clock]:
    """The verdict on the first cycle of a promise, found the short way and at length."""
    clock = evaluate(timeline("09:00 created", *told), book(promise), at("tue 23:00")).clocks[0]
    assert clock.cycle.stopped_at is not None
    return judge_if_plain(clock.cycle, clock.cycle.stopped_at), at_length(clock.cycle, at("tue 23:00"))


def test_a_clock_that_ran_from_start_to_stop_is_judged_the_short_way() -> None:
    for stop in ("09:59", "10:00", "10:30", "11:00", "11:01", "tue 12:00"):
        short, long = ended(terms("resolution", "2h", on=OFFICE, warn=("50%", "30m before", "3h before")), f"{stop} solved")

        assert short == long


def test_what_fires_at_the_very_stop_has_not_passed() -> None:
    short, _ = ended(terms("resolution", "2h", warn=("50%", "25%")), "10:00 solved")

    assert short is not None
    assert [mark.name for mark in short.milestones] == ["25%", "50%", "breach"]
    assert [mark.name for mark in short.passed] == ["25%"]
    assert short.health == "met"


def test_a_stop_after_closing_is_late_although_no_more_was_consumed() -> None:
    short, _ = ended(terms("resolution", "8h", on=OFFICE, warn=("50%",)), "17:01 solved")

    assert short is not None
    assert (short.health, short.breached_at, short.remaining) == ("missed", at("17:00"), 0)


def test_a_cancelled_clock_tells_only_what_has_passed() -> None:
    short, long = ended(terms("first_response", "2h", warn=("50%",)), "10:30 solved")

    assert short == long
    assert short is not None
    assert (short.health, short.due_at, [mark.name for mark in short.milestones]) == ("cancelled", None, ["50%"])


def test_clocks_that_stood_still_or_count_days_are_judged_at_length() -> None:
    paused = terms("resolution", "2h", pause=PENDING)

    assert ended(paused, "09:10 pending", "09:20 open", "09:30 solved")[0] is None
    assert ended(paused, "09:00 pending", "09:30 solved")[0] is None
    assert ended(terms("resolution", "2bd", on=OFFICE), "09:30 solved")[0] is None


def test_a_clock_that_was_broken_under_former_terms_is_judged_at_length() -> None:
    short, long = ended(terms("resolution", {"high": "1h", "default": "8h"}), "09:00 priority high", "10:30 priority low", "11:00 solved")

    assert short is None
    assert long.breached_at == at("10:00")


def test_what_is_consumed_is_exact_over_days() -> None:
    when = at("thu 09:00") + timedelta(microseconds=7)
    clock = judged(timeline("09:00 created"), book(resolution="100h"), when).last("resolution")

    assert clock.consumed == 3 * 86_400_000_000 + 7
    assert clock.remaining == 28 * 3_600_000_000 - 7


def test_what_is_due_beyond_the_horizon_may_be_warned_of() -> None:
    short, long = ended(terms("resolution", "52560h", warn=("0.01%", "50%")), "17:00 solved")

    assert short == long
    assert short is not None
    assert (short.due_at, short.health, [mark.name for mark in short.passed]) == (None, "met", ["0.01%"])


def test_days_on_a_calendar_that_never_opens_are_never_due() -> None:
    clock = judged(timeline("09:00 created"), book(terms("resolution", "2bd", on=calendar(), warn=("50%",))), "thu 09:00").last(
        "resolution"
    )

    assert (clock.health, clock.due_at, clock.milestones) == ("on_track", None, ())


def test_a_target_in_days_is_due_at_the_opening_and_not_at_the_closing_before() -> None:
    clock = judged(timeline("07:00 created"), book(terms("resolution", "1bd", on=OFFICE)), "08:00").last("resolution")

    assert clock.due_at == at("tue 09:00")


def test_a_clock_stops_at_its_anchor_at_the_earliest() -> None:
    clock = judged(timeline("09:00 open and created at 09:30", "09:10 solved"), book(resolution="1h"), "10:00").last("resolution")

    assert (clock.cycle.stopped_at, clock.health, clock.consumed) == (at("09:30"), "met", 0)


def test_what_a_change_ahead_of_our_clock_had_broken_is_broken_at_once() -> None:
    by = book(terms("resolution", {"high": "1h", "default": "8h"}))
    clock = judged(timeline("09:00 created and priority high", "11:00 priority low"), by, "09:30").last("resolution")

    assert (clock.health, clock.breached_at) == ("overdue", at("10:00"))


def test_days_that_were_broken_under_former_terms_leave_the_same_however_often_one_looks() -> None:
    by = book(terms("resolution", {"high": "1bd", "default": "3bd"}, on=OFFICE))
    line = timeline("09:00 created and priority high", "wed 09:00 priority low")
    evaluate(line, by, at("wed 10:00"))

    again, anew = (evaluate(each, by, at("wed 11:00")).clocks[0] for each in (line, Timeline(line.events)))

    assert again == anew
    assert (again.breached_at, again.remaining) == (at("tue 09:00"), 6 * 3_600_000_000)
