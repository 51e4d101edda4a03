"""What an API tells beside what webhooks have told."""

from dataclasses import replace
from datetime import timedelta

from app.rules.events import Actor, ActorKind, EventKind, FactValue, Message, TicketEvent
from app.rules.news import SAME_CHANGE, news
from app.rules.timeline import Timeline
from tests.support.clock import START


def event(key: str, minutes: float, message: Message | None = None, **facts: FactValue) -> TicketEvent:
    return TicketEvent("desk", "1", key, START + timedelta(minutes=minutes), EventKind.TICKET_UPDATED, facts, message, Actor())


def said(name: str | None, author: ActorKind = ActorKind.AGENT, *, public: bool = True) -> Message:
    return Message(author, public, name)


def new(known: list[TicketEvent], *told: TicketEvent) -> list[tuple[str, dict[str, FactValue], Message | None]]:
    return [(each.key, dict(each.set), each.message) for each in news(Timeline().extend(known), told)]


def test_of_an_unknown_ticket_everything_is_new() -> None:
    told = (event("a", 0, created_at=START, status="open"), event("b", 5, said("1")))

    assert [key for key, *_ in new([], *told)] == ["a", "b"]


def test_facts_that_hold_already_are_left_out() -> None:
    known = [event("w", 0, status="open", group="a")]

    assert [("t", {"priority": "high"}, None)] == new(known, event("t", 3, status="open", group="a", priority="high"))


def test_a_snapshot_that_says_nothing_new_is_no_news() -> None:
    assert new([event("w", 0, status="open"), event("v", 9, status="solved")], event("t", 9, status="solved")) == []


def test_a_change_the_webhook_dates_a_moment_later_is_the_same_change() -> None:
    known = [event("w", 0, status="open"), event("v", 5.01, status="pending")]

    assert new(known, event("t", 5, status="pending")) == []


def test_a_change_and_its_undoing_that_were_both_missed_are_both_told() -> None:
    known = [event("w", 0, status="open")]
    told = (event("t", 5, status="pending"), event("u", 9, status="open"))

    assert [key for key, *_ in new(known, *told)] == ["t", "u"]


def test_what_the_webhook_dates_two_seconds_later_is_the_same_change_and_not_a_moment_more() -> None:
    known, told = event("w", 0, status="open"), event("t", 5, status="pending")
    two_seconds = replace(event("v", 5, status="pending"), at=told.at + SAME_CHANGE)

    assert [] == new([known, two_seconds], told)
    assert [("t", {"status": "pending"}, None)] == new([known, replace(two_seconds, at=two_seconds.at + timedelta(microseconds=1))], told)


def test_what_is_told_is_read_by_time_then_by_order_then_the_creation_first() -> None:
    first, second, third = event("a", 1, status="open"), replace(event("b", 1, status="pending"), order=1), event("c", 1, status="solved")
    born = replace(event("d", 1, status="new"), kind=EventKind.TICKET_CREATED)

    assert ["d", "a", "b"] == [key for key, *_ in new([], second, first, born)]
    assert ["b", "c"] == [key for key, *_ in new([], replace(third, order=2), second)]


def test_a_null_that_was_never_told_is_news() -> None:
    assert [("t", {"assignee": None}, None)] == new([event("w", 0, status="open")], event("t", 1, assignee=None))


def test_a_message_with_an_id_that_is_known_is_not_told_again() -> None:
    assert new([event("w", 1, said("7"))], event("t", 0, said("7"))) == []


def test_a_message_that_is_known_is_taken_out_of_what_is_new() -> None:
    assert [("t", {"status": "open"}, None)] == new([event("w", 1, said("7"))], event("t", 1, said("7"), status="open"))


def test_a_message_with_another_id_is_another_message() -> None:
    assert [("t", {}, said("8"))] == new([event("w", 1, said("7"))], event("t", 1, said("8")))


def test_ten_minutes_apart_it_may_still_be_the_same_message() -> None:
    assert [] == new([event("w", 0, said(None))], event("t", 10, said("7")))
    assert [] == new([event("w", 10, said(None))], event("t", 0, said("7")))


def test_a_message_a_webhook_told_without_an_id_stands_for_one_message_only() -> None:
    known = [event("w", 4, said(None))]

    assert [("u", {}, said("8"))] == new(known, event("t", 1, said("7")), event("u", 3, said("8")))


def test_a_note_does_not_stand_for_a_reply_nor_a_message_long_ago_for_this_one() -> None:
    known = [event("w", 1, said(None, public=False)), event("v", 30, said(None)), event("x", 1, said(None, ActorKind.CUSTOMER))]

    assert [key for key, *_ in new(known, event("t", 1, said("7")))] == ["t"]


def test_when_it_was_created_is_told_once() -> None:
    known = [event("w", 0, created_at=START, status="new")]

    assert new(known, event("t", 0, created_at=START - timedelta(seconds=1), status="new")) == []


def test_a_creation_that_was_told_with_its_actor_is_not_told_again_only_what_it_adds() -> None:
    creation = TicketEvent("desk", "1", "w", START, EventKind.TICKET_CREATED, {"created_at": START}, None, Actor(ActorKind.CUSTOMER, "ann"))
    adds: dict[str, FactValue] = {"created_at": START, "organization": "Acme"}
    told = TicketEvent("desk", "1", "born", START, EventKind.TICKET_CREATED, adds, None, Actor(ActorKind.AGENT, "bo"))
    [found] = news(Timeline().extend([creation]), [told])

    assert (EventKind.TICKET_SNAPSHOT, {"organization": "Acme"}, Actor()) == (found.kind, dict(found.set), found.actor)


def test_a_creation_that_no_webhook_told_is_one() -> None:
    told = replace(event("t", 0, status="new"), kind=EventKind.TICKET_CREATED, actor=Actor(ActorKind.AGENT, "bo"))

    assert [told] == news(Timeline().extend([event("w", 5, status="open")]), [told])
