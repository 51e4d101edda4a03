"""Silence."""

from app.rules.calendar import ALWAYS, Calendar, CalendarSpec
from app.rules.conditions import parse_condition
from app.rules.durations import parse_target
from app.rules.policy import Book, Tier
from app.rules.signals import Knobs, SignalRule, Silence
from tests.rules.builders import OFFICE, at, policy, timeline
from tests.rules.signals.watching import instants, raised, watched


def rule(longer_than: str, on: Calendar = ALWAYS, **more: object) -> SignalRule:
    return SignalRule("silence", Silence(parse_target(longer_than), on), **more)  # type: ignore[arg-type]


def test_it_tells_the_instant_at_which_it_will_be_raised_and_is_raised_exactly_then() -> None:
    line = timeline("15:30 created", "16:00 agent replies")
    before, then = watched(line, rule("2h", OFFICE), "16:30"), watched(line, rule("2h", OFFICE), "tue 10:00")

    assert ((), at("tue 10:00")) == before
    assert [at("tue 10:00")] == [one.raised_at for one in then.raised]
    assert then.next_at is None


def test_business_days_count_too() -> None:
    assert [at("tue 15:00")] == instants(timeline("15:00 created"), rule("1bd", OFFICE), "wed 09:00")


def test_only_a_public_message_of_a_human_agent_breaks_it() -> None:
    told = ("09:00 created", "09:30 agent notes", "09:40 bot replies", "09:50 customer asks")

    assert [at("10:00")] == instants(timeline(*told), rule("1h"), "10:30")
    assert [] == instants(timeline(*told, "09:55 agent replies"), rule("1h"), "10:30")


def test_each_silence_is_one_and_ends_with_the_next_message() -> None:
    line = timeline("09:00 created", "10:30 agent replies", "12:00 agent replies")
    first, second = raised(line, rule("1h"), "12:30")

    assert (at("10:00"), at("10:30")) == (first.raised_at, first.ended_at)
    assert (at("11:30"), at("12:00")) == (second.raised_at, second.ended_at)


def test_a_solved_ticket_is_not_silent_and_a_reopened_one_begins_anew() -> None:
    line = timeline("09:00 created", "09:10 agent replies", "09:20 solved", "15:00 reopened")

    assert [at("16:00")] == instants(line, rule("1h"), "17:00")


def test_a_merged_ticket_is_not_silent() -> None:
    assert [] == instants(timeline("09:00 created", "09:10 merged into 2"), rule("1h"), "12:00")


def test_a_calendar_that_never_opens_never_raises_it() -> None:
    never = Calendar(CalendarSpec(name="never", zone="UTC"))

    assert ((), None) == watched(timeline("09:00 created"), rule("1h", never), "12:00")


def test_while_it_waits_for_the_customer_it_may_be_silent_where_the_document_says_so() -> None:
    only = parse_condition({"status": {"not": "pending"}})
    line = timeline("09:00 created", "09:10 agent replies and pending", "12:00 customer asks and open")

    assert [at("12:00")] == instants(line, rule("1h", only=only), "13:00")


def test_the_threshold_is_that_of_the_tier_the_ticket_has_at_the_time() -> None:
    gold: dict[str, Knobs] = {"gold": Silence(parse_target("1h"))}
    by = Book(1, (policy("p", resolution="1000h"),), tiers=(Tier("gold", parse_condition({"tags": "g"})), Tier("rest")))
    line = timeline("09:00 created", "10:30 tagged g", "12:00 tagged x")
    (one,) = raised(line, rule("4h", tiers=gold), "12:30", by=by)

    assert (at("10:30"), at("12:00"), "gold", "longer than 1h (calendar always)") == (one.raised_at, one.ended_at, one.tier, one.threshold)
    assert at("13:00") == watched(line, rule("4h", tiers=gold), "12:30", by=by).next_at


def test_it_counts_from_the_creation_even_if_the_ticket_became_known_later() -> None:
    assert [at("09:30")] == instants(timeline("09:20 open and created at 08:30"), rule("1h"), "12:00")
    assert [at("09:20")] == instants(timeline("09:20 open and created at 08:00"), rule("1h"), "12:00")


def test_but_from_the_first_message_where_that_is_what_became_known() -> None:
    assert [at("10:20")] == instants(timeline("09:20 agent replies and created at 08:30"), rule("1h"), "12:00")


def test_a_ticket_that_comes_back_unanswered_is_silent_from_then_on() -> None:
    assert [at("12:00")] == instants(timeline("09:00 created", "09:10 solved", "11:00 reopened"), rule("1h"), "13:00")


def test_a_message_at_the_very_end_of_the_patience_breaks_it() -> None:
    assert [] == instants(timeline("09:00 created", "10:00 agent replies"), rule("1h"), "10:30")
    assert [at("10:00")] == instants(timeline("09:00 created", "10:00:01 agent replies"), rule("1h"), "10:30")


def test_business_days_may_end_with_the_day() -> None:
    assert [at("tue 17:00")] == instants(timeline("15:00 created"), rule("1bd@close", OFFICE), "wed 09:00")
