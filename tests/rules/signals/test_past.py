"""What signals look at: who said what, the facts at each step, the tier at each step."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from app.rules.conditions import parse_condition
from app.rules.events import ActorKind, FactValue, TicketEvent
from app.rules.policy import Book, Tier
from app.rules.signals import Broken, Past, Related, past_of
from app.rules.signals._past import Spoken, Transfer, Turn, shown_at
from app.rules.timeline import Timeline
from tests.rules.builders import at, book, event, judged, policy, timeline
from tests.rules.signals.watching import QUIET_BOOK

AGENT, CUSTOMER = ActorKind.AGENT, ActorKind.CUSTOMER
GOLD_FROM_TEN = Book(1, (policy("p", resolution="1000h"),), tiers=(Tier("gold", since=at("10:00"), until=at("11:00")),))


def past(*told: str | TicketEvent, by: Book = QUIET_BOOK, when: str = "12:00") -> Past:
    """The past of a ticket at noon."""
    found = past_of(timeline(*told), by, at(when))
    assert found is not None
    return found


def test_an_instant_is_shown_in_utc() -> None:
    assert "2026-03-02 09:05 UTC" == shown_at(at("09:05").astimezone(timezone(timedelta(hours=5))))
    assert "2026-03-02 09:05 UTC" == shown_at(at("09:05").astimezone(UTC))


def test_only_what_people_say_in_public_is_said() -> None:
    told = (
        "09:10 customer asks",
        "09:20 agent notes",
        "09:30 bot replies",
        "09:40 somebody writes",
        "09:50 agent replies",
        "10:00 agent replies !",
    )

    assert (
        Spoken(at("09:10"), CUSTOMER, "09:10 customer asks", opening=False),
        Spoken(at("09:50"), AGENT, "09:50 agent replies", opening=False),
    ) == past("09:00 created", *told).spoken


def test_a_message_with_a_name_is_said_once_and_two_without_are_two() -> None:
    told = [event(f"09:{minute} customer asks", message=name) for minute, name in ((10, "m"), (11, "m"), (12, "n"), (13, None), (14, None))]

    assert [at("09:10"), at("09:12"), at("09:13"), at("09:14")] == [said.at for said in past("09:00 created", *told).spoken]


def test_what_was_told_first_as_an_echo_is_not_said_either() -> None:
    told = [event("09:10 agent replies !", message="m"), event("09:11 agent replies", message="m")]

    assert () == past("09:00 created", *told).spoken


@pytest.mark.parametrize(
    ("requester", "actor", "author"), [("jo", "JO", CUSTOMER), ("jo", "anna", AGENT), ("jo", None, AGENT), (None, "anna", AGENT)]
)
def test_whoever_asked_for_the_ticket_speaks_as_a_customer(requester: str | None, actor: str | None, author: ActorKind) -> None:
    [said] = past(event("09:00 created", requester=requester), event("09:10 agent replies", actor=actor)).spoken

    assert author is said.author


@pytest.mark.parametrize(
    ("told", "opening"),
    [
        (("09:00 created and customer asks",), True),
        (("09:00 #1 created", "09:00 #2 customer asks"), True),
        (("08:50 open", "09:00 created and customer asks"), True),
        (("09:00 created", "09:01 customer asks"), False),
    ],
)
def test_what_the_ticket_was_opened_with_is_no_further_message(told: tuple[str, ...], opening: bool) -> None:
    [said] = past(*told).spoken

    assert opening is said.opening


def test_of_one_instant_the_customer_speaks_first() -> None:
    told = ("09:00 created", "09:10 #1 agent replies", "09:10 #2 customer asks")

    assert [CUSTOMER, AGENT] == [said.author for said in past(*told).spoken]


@pytest.mark.parametrize(
    ("facts", "domain"),
    [
        ({"requester": "jo@example.org"}, "example.org"),
        ({"requester": "jo@Example.ORG"}, "example.org"),
        ({"requester": "7", "requester_email": "jo@example.net"}, "example.net"),
        ({"requester": "jo@example.org", "requester_email": "jo@example.net"}, "example.net"),
        ({"requester": "jo@example.org", "requester_domain": "example.com"}, "example.com"),
        ({"requester": '"a@b"@example.org'}, "example.org"),
        ({"requester": "jo"}, None),
        ({}, None),
    ],
)
def test_the_domain_of_the_requester_is_a_fact(facts: dict[str, FactValue], domain: str | None) -> None:
    assert domain == past(replace(event("09:00 created"), set=facts)).seen(0).get("requester_domain")


def test_the_tier_is_a_fact_and_changes_by_date_too() -> None:
    found = past("09:00 created", "10:30 customer asks", "11:30 customer asks", by=GOLD_FROM_TEN)
    tiers = [(step.at, found.seen(place)["tier"]) for place, step in enumerate(found.steps)]

    assert [(at("09:00"), None), (at("10:00"), "gold"), (at("10:30"), "gold"), (at("11:00"), None), (at("11:30"), None)] == tiers
    assert [False, True, True, False, False] == found.matching(parse_condition({"tier": "gold"}))


def test_a_transfer_names_both_and_the_event_that_said_so() -> None:
    told = (
        "09:00 created and assigned anna",
        "09:10 given to bot robo",
        "09:15 customer asks",
        "09:20 unassigned",
        "09:30 assigned bert !",
    )
    returned = event("09:40 assigned anna", assignee_is_bot=False)
    found = past(*told, returned, event("09:50 #1 =k1 priority high"), event("09:50 #2 =k2 assigned carl"))

    assert (Transfer(at("09:40"), "bert", "anna", "09:40 assigned anna"), Transfer(at("09:50"), "anna", "carl", "k2")) == found.transfers


def test_a_reopening_is_dated_by_the_event_that_is_not_our_own() -> None:
    found = past("09:00 created", "09:10 solved", event("09:20 #1 =k1 priority high !"), event("09:20 #2 =k2 reopened"))

    assert (Turn(at("09:20"), "k2"),) == found.reopenings


def test_broken_promises_and_related_tickets_come_in_the_order_of_time() -> None:
    by = book(first_response="1h", resolution="30m")
    line = timeline("09:00 created and customer asks")
    later, sooner = Related("1", "A-1", at("08:00"), "requester"), Related("2", "A-2", at("07:00"), "organization")
    found = past_of(line, by, at("12:00"), judged(line, by, "12:00").verdict.clocks, [later, sooner])

    assert found is not None
    assert (Broken(at("09:30"), "resolution"), Broken(at("10:00"), "first_response")) == found.broken
    assert (sooner, later) == found.related


def test_of_nothing_there_is_no_past() -> None:
    assert past_of(Timeline(), QUIET_BOOK, at("12:00")) is None
