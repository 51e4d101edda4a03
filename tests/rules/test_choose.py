"""Which policy and which tier hold, and why the others do not."""

from app.rules.choose import Choice, Rejection, choose, rejections
from app.rules.conditions import parse_condition
from app.rules.events import FactValue
from app.rules.policy import Book, Tier
from tests.rules.builders import at, book, judged, policy, timeline

NOON = at("12:00")
GOLD = policy("gold", match={"tier": "gold"})
URGENT = policy("urgent", match={"priority": "urgent", "group": "support"})
REST = policy("rest")


def chosen(by: Book, **facts: FactValue) -> tuple[str | None, str | None]:
    choice = choose(by, facts, NOON)
    return choice.policy.name if choice.policy else None, choice.tier


def test_the_first_policy_that_holds_wins() -> None:
    by = book(URGENT, GOLD, REST)

    assert chosen(by, priority="urgent", group="support", tier="gold") == ("urgent", "gold")
    assert chosen(by, priority="low", tier="gold") == ("gold", "gold")
    assert chosen(by, priority="low") == ("rest", None)


def test_no_policy_that_holds_is_none() -> None:
    assert choose(book(GOLD), {}, NOON) == Choice(None, None)


def test_the_first_tier_that_holds_wins_unless_the_ticket_states_one() -> None:
    by = Book(1, (GOLD, REST), tiers=(Tier("gold", parse_condition({"organization": ["Acme", "Initech"]})), Tier("bronze")))

    assert chosen(by, organization="acme") == ("gold", "gold")
    assert chosen(by, organization="other") == ("rest", "bronze")
    assert chosen(by, organization="acme", tier="silver") == ("rest", "silver")
    assert chosen(by, organization="acme", tier=None) == ("gold", "gold")


def test_a_tier_can_be_found_by_the_domain_of_the_requester() -> None:
    by = Book(1, (GOLD,), tiers=(Tier("gold", parse_condition({"requester_domain": "*.example.org"})),))

    assert chosen(by, requester="Anna@Mail.Example.org") == ("gold", "gold")
    assert chosen(by, requester="4711", requester_email="anna@mail.example.org") == ("gold", "gold")
    assert chosen(by, requester="4711") == (None, None)
    assert chosen(by, requester="anna@mail.example.org", requester_domain="example.com") == (None, None)


def test_a_dated_tier_holds_from_its_begin_until_before_its_end() -> None:
    by = Book(1, (), tiers=(Tier("gold", since=at("12:00"), until=at("13:00")),))

    assert [choose(by, {}, at(time)).tier for time in ("11:59:59", "12:00", "12:59:59", "13:00")] == [None, "gold", "gold", None]
    assert by.dates == (at("12:00"), at("13:00"))


def test_boundaries_are_sorted_and_each_one_once() -> None:
    by = Book(1, (), tiers=(Tier("b", since=at("13:00")), Tier("a", since=at("12:00"), until=at("13:00")), Tier("c")))

    assert by.dates == (at("12:00"), at("13:00"))


def test_every_policy_before_the_chosen_one_says_why_it_is_not() -> None:
    refused = rejections(book(URGENT, GOLD, REST), {"priority": "urgent", "group": "sales", "tier": "silver"}, NOON)

    assert refused == [Rejection("urgent", "group is sales, not support"), Rejection("gold", "tier is silver, not gold")]


def test_the_domain_of_the_requester_is_what_follows_the_last_sign_in_lower_case() -> None:
    partner = policy("partner", match={"requester_domain": "example.net"})
    refused = rejections(book(partner, REST), {"requester": '"a@b"@Example.ORG'}, NOON)

    assert [Rejection("partner", "requester_domain is example.org, not example.net")] == refused


def test_a_policy_is_refused_by_the_tier_of_that_instant() -> None:
    by = Book(1, (GOLD, REST), tiers=(Tier("gold", until=NOON),))

    assert [Rejection("gold", "tier is not set, not gold")] == rejections(by, {}, NOON)
    assert [] == rejections(by, {}, at("11:59:59"))


def test_a_policy_may_hang_on_when_the_ticket_was_created() -> None:
    since = policy("since", resolution="1h", match={"created_at": {"gte": at("10:00")}})

    assert judged(timeline("09:00 created", "10:30 open"), book(since), "11:00").verdict.policy is None
    assert judged(timeline("10:30 open and created at 10:00"), book(since), "11:00").verdict.policy == "since"


def test_what_comes_after_the_chosen_policy_is_not_rejected() -> None:
    assert rejections(book(REST, GOLD), {}, NOON) == []
