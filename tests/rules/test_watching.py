"""A metric is asked again only when something has changed that it watches: that is a saving of work, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import pytest

from app.rules import metrics
from app.rules.conditions import parse_condition
from app.rules.cycles import KNOWN_MAX
from app.rules.evaluate import Verdict, evaluate
from app.rules.events import Priority, TicketEvent
from app.rules.metrics._custom import Custom
from app.rules.policy import Book, CustomMetric, Terms, Tier
from app.rules.ticket import FIRST_REPLY, REPLY, STANDING, WAITING, TicketAt, walk
from app.rules.timeline import Timeline
from tests.rules.builders import PENDING, at, book, event, judged, policy, terms, timeline
from tests.rules.test_engine_properties import moments, proof, proof_at_length
from tests.rules.tickets import books, events

LONG_AGO: Final = Tier("nobody", parse_condition({"nothing": "at all"}), since=datetime(2020, 1, 1, tzinfo=UTC))
"""A tier of no ticket, with a date before every ticket: a document with one is not steady."""


def changes(*told: str) -> list[frozenset[str]]:
    """What each step after the first has changed."""
    return [step.changed for step in walk(timeline("09:00 created", *told))[1:]]


def steady(by: Book) -> Book:
    """The document without dates, and without promises that keep former terms."""
    policies = tuple(replace(each, terms=_without_keeping(each.terms)) for each in by.policies)
    return replace(by, policies=policies, tiers=tuple(replace(tier, since=None, until=None) for tier in by.tiers))


def _without_keeping(promised: Mapping[str, Terms]) -> dict[str, Terms]:
    return {name: replace(each, on_change="retarget") if each.on_change == "keep" else each for name, each in promised.items()}


def watching_changes_nothing(told: list[TicketEvent], drawn: Book, when: datetime) -> None:
    by = steady(drawn)
    with_date = replace(by, tiers=(*by.tiers, LONG_AGO))
    watched, asked = (evaluate(Timeline().extend(told), each, when) for each in (by, with_date))

    assert (by.steady, with_date.steady) == (True, False)
    assert _of(watched) == _of(asked)


def _of(verdict: Verdict) -> tuple[object, ...]:
    return verdict.policy, verdict.tier, verdict.ticket, verdict.clocks


def an_anchor_stays_while_nothing_watched_changes(told: list[TicketEvent], drawn: Book) -> None:
    rules = {name: metrics.metric(name, drawn.metrics.get(name)) for name in {*metrics.names(), *drawn.metrics}}
    steps: Sequence[TicketAt] = walk(Timeline().extend(told))
    by = Terms("any", next(iter(drawn.policies[0].terms.values())).calendar, {})
    for before, after in pairwise(steps):
        for name, rule in rules.items():
            if after.changed.isdisjoint(rule.WATCHES | {STANDING}):
                opened = rule.anchor(before, by, None)
                assert opened == rule.anchor(after, by, opened), name


test_watching_changes_nothing = proof(watching_changes_nothing, events(), books(), moments, examples=60)
test_watching_changes_nothing_at_length = proof_at_length(watching_changes_nothing, events(), books(), moments)
test_an_anchor_stays_while_nothing_watched_changes = proof(an_anchor_stays_while_nothing_watched_changes, events(), books(), examples=60)


def test_a_step_knows_what_it_has_changed() -> None:
    assert changes("09:10 priority high", "09:20 priority high", "09:30 agent notes") == [{"priority"}, set(), set()]
    assert changes("09:10 agent replies", "09:20 customer asks", "09:30 customer asks") == [{FIRST_REPLY, REPLY}, {WAITING}, set()]
    assert changes("09:10 agent replies", "09:20 customer asks", "09:30 agent replies")[2] == {REPLY, WAITING}
    assert changes("09:10 bot replies", "09:20 agent replies") == [{FIRST_REPLY, REPLY}, {FIRST_REPLY, REPLY}]
    assert changes("09:10 solved", "09:20 closed", "09:30 deleted") == [{"status", STANDING}, {"status"}, {"deleted", STANDING}]


def test_what_is_changed_back_within_an_instant_has_changed() -> None:
    assert changes("09:10 #1 solved", "09:10 #2 open", "09:20 open") == [{"status", STANDING}, set()]


def test_an_assignee_who_is_human_again_changes_that_too() -> None:
    assert changes("09:10 given to bot b", "09:20 assigned anna")[1] == {"assignee", "assignee_is_bot"}


def test_a_document_is_steady_without_dates_and_without_keeping_former_terms() -> None:
    plain = book(terms("resolution", "4h", pause=PENDING))

    assert plain.steady
    assert not replace(plain, tiers=(LONG_AGO,)).steady
    assert not book(replace(terms("resolution", "4h"), on_change="keep")).steady


def test_a_steady_document_remembers_whom_changes_concern() -> None:
    by = book(first_response="1h", next_response="1h", resolution="4h")
    evaluate(
        timeline("09:00 created", "09:10 customer asks", "09:20 tagged vip", "09:30 agent replies", "09:40 priority high"), by, at("10:00")
    )

    assert by.concerned == {
        frozenset({WAITING}): ("next_response",),
        frozenset({"tags"}): (),
        frozenset({FIRST_REPLY, REPLY, WAITING}): ("first_response", "next_response"),
    }


def test_a_first_step_decides_whatever_is_remembered() -> None:
    by = book(first_response="1h")
    evaluate(timeline("09:00 created", "09:10 agent notes"), by, at("10:00"))

    assert by.concerned == {frozenset(): ()}
    assert judged(timeline("09:00 agent notes"), by, "09:30").last("first_response").health == "on_track"


def test_a_document_that_is_not_steady_remembers_nothing() -> None:
    by = replace(book(first_response="1h"), tiers=(LONG_AGO,))
    evaluate(timeline("09:00 created", "09:10 customer asks", "09:20 tagged vip"), by, at("10:00"))

    assert by.concerned == {}


def test_there_is_an_end_to_what_a_document_remembers() -> None:
    by = book(first_response="1h")
    told: list[Any] = [{f"field {number}": True} for number in range(KNOWN_MAX + 10)]
    verdicts = [judged(timeline("09:00 created", event("09:10 agent replies", **facts)), by, "10:00") for facts in told]

    assert len(by.concerned) == KNOWN_MAX
    assert {verdict.last("first_response").health for verdict in verdicts} == {"met"}


def test_a_metric_of_the_document_watches_the_facts_it_names() -> None:
    rule = Custom(CustomMetric("in_test", parse_condition({"status": "in_test", "any": [{"tags": "vip"}, {"group": "first"}]})))

    assert rule.WATCHES == {"status", "tags", "group"}


@pytest.mark.parametrize("priority", [None, *(word.value for word in Priority), "VIP", "odd"])
def test_what_a_policy_offers_is_the_target_for_the_priority(priority: str | None) -> None:
    promised = policy("p", terms("resolution", {"vip": "1h", "high": "2h"}), first_response="30m")
    targets = {name: target for name, each in promised.terms.items() if (target := each.target_for(priority)) is not None}
    offered = promised.offers(priority)

    assert {name: offer.target for name, offer in offered.items()} == targets
    assert {(offer.policy, offer.priority) for offer in offered.values()} == {("p", priority)}
