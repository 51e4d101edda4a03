"""Canonical events as they come in: tolerant where nothing is lost, exact about what is wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Fault
from app.rules.events import Actor, ActorKind, EventKind, Message, TicketEvent
from app.schemas.events_in import read_event

AT = "2026-11-21T10:30:00+01:00"
BARE: dict[str, Any] = {"source": "shop", "ticket": "4711", "at": AT}


def event(**more: Any) -> TicketEvent:
    found = read_event(BARE | more)
    assert isinstance(found, TicketEvent), found
    return found


def faults(value: Any) -> list[Fault]:
    found = read_event(value)
    assert not isinstance(found, TicketEvent), found
    return found


def test_an_event_becomes_what_it_says() -> None:
    found = event(
        key="k1",
        kind="message.customer",
        set={"status": "open", "tags": ["a", "b"], "created_at": "2026-11-20T00:00:00Z", "assignee": None, "plan.seats": 12},
        message={"author": "customer", "public": True, "id": 77},
        actor={"kind": "customer", "id": "jo@example.com"},
        order=3,
    )

    assert found == TicketEvent(
        "shop",
        "4711",
        "k1",
        datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        EventKind.MESSAGE_CUSTOMER,
        {"status": "open", "tags": ("a", "b"), "created_at": datetime(2026, 11, 20, tzinfo=UTC), "assignee": None, "plan.seats": 12},
        Message(ActorKind.CUSTOMER, True, "77"),
        Actor(ActorKind.CUSTOMER, "jo@example.com"),
        3,
    )


def test_what_is_not_given_is_not_asserted() -> None:
    assert {} == event().set


def test_our_own_words_are_read_in_any_case_and_others_are_left_as_they_are() -> None:
    assert {"status": "on_hold", "priority": "URGENTISSIMO"} == event(set={"status": " On_Hold ", "priority": "URGENTISSIMO"}).set


def test_numbers_as_ids_and_one_tag_alone_are_understood() -> None:
    found = event(ticket=4711, set={"group": 7, "tags": "vip"})

    assert ("4711", {"group": "7", "tags": ("vip",)}) == (found.ticket, found.set)


def test_without_a_key_the_content_is_the_identity() -> None:
    same = [event(set={"status": "open"}), event(set={"status": "OPEN"}, at="2026-11-21T09:30:00Z")]
    other = [event(set={"status": "new"}), event(set={"status": "open"}, order=1), event(set={"status": "open"}, ticket="4712")]

    assert 1 == len({each.key for each in same})
    assert 4 == len({each.key for each in (same[0], *other)})


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "ticket.updated"),
        ({"set": {"status": "open"}}, "ticket.status_changed"),
        ({"set": {"priority": "high", "subject": "x"}}, "ticket.priority_changed"),
        ({"set": {"assignee": "9"}}, "ticket.assigned"),
        ({"set": {"deleted": True, "status": "closed"}}, "ticket.deleted"),
        ({"message": {"author": "customer", "public": True}}, "message.customer"),
        ({"message": {"public": True}, "actor": {"kind": "agent"}}, "message.agent_public"),
        ({"message": {"public": False}, "actor": {"kind": "agent"}}, "message.private_note"),
        ({"message": {"author": "bot", "public": True}}, "message.bot"),
        ({"kind": "ticket.created", "set": {"status": "new"}}, "ticket.created"),
    ],
)
def test_the_kind_is_what_people_would_call_it(more: dict[str, Any], kind: str) -> None:
    assert kind == event(**more).kind


def test_an_author_who_is_not_named_is_the_actor_and_never_guessed_to_be_an_agent() -> None:
    assert (ActorKind.UNKNOWN, ActorKind.AGENT) == tuple(
        found.message.author if found.message else None
        for found in (event(message={"public": True}), event(message={"public": True}, actor={"kind": "agent"}))
    )


@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        ({}, ["/source", "/ticket", "/at"]),
        ([], [""]),
        (None, [""]),
        ("x", [""]),
        (BARE | {"at": "2026-11-21T10:30:00"}, ["/at"]),
        (BARE | {"at": 1_700_000_000}, ["/at"]),
        (BARE | {"at": "1999-12-31T23:59:59Z"}, ["/at"]),
        (BARE | {"at": "2101-01-01T00:00:00Z"}, ["/at"]),
        (BARE | {"at": "2026-02-30T00:00:00Z"}, ["/at"]),
        (BARE | {"at": "9999-12-31T23:59:59-23:00"}, ["/at"]),
        (BARE | {"at": "2026-W10-1T00:00:00Z"}, ["/at"]),
        (BARE | {"source": "a:b"}, ["/source"]),
        (BARE | {"source": ""}, ["/source"]),
        (BARE | {"ticket": ""}, ["/ticket"]),
        (BARE | {"ticket": True}, ["/ticket"]),
        (BARE | {"ticket": "x" * 301}, ["/ticket"]),
        (BARE | {"ticket": "a\x00b"}, ["/ticket"]),
        (BARE | {"ticket": "a\ud800b"}, ["/ticket"]),
        (BARE | {"key": "x" * 501}, ["/key"]),
        (BARE | {"kind": "ticket.exploded"}, ["/kind"]),
        (BARE | {"order": 2**63}, ["/order"]),
        (BARE | {"order": 1.5}, ["/order"]),
        (BARE | {"message": {"public": "yes"}}, ["/message/public"]),
        (BARE | {"message": {}}, ["/message/public"]),
        (BARE | {"actor": {"kind": "robot"}}, ["/actor/kind"]),
        (BARE | {"set": {"status": 5, "x": {"deep": 1}}}, ["/set/status", "/set/x"]),
        (BARE | {"set": {"a~b/c": {}}}, ["/set/a~0b~1c"]),
        (BARE | {"set": {"x": 2**64}}, ["/set/x"]),
        (BARE | {"set": {"x": float("inf")}}, ["/set/x"]),
        (BARE | {"set": {"x": "a\x00"}}, ["/set/x"]),
        (BARE | {"set": {"x": ["a", "\udfff"]}}, ["/set/x"]),
        (BARE | {"set": {"x": [1]}}, ["/set/x"]),
        (BARE | {"set": {"tags": ["a"] * 201}}, ["/set/tags"]),
        (BARE | {"set": {"bad name": 1}}, ["/set"]),
        (BARE | {"set": {"\ud800": 1}}, ["/set"]),
        (BARE | {"set": {f"fact{n}": n for n in range(201)}}, ["/set"]),
        (BARE | {"set": []}, ["/set"]),
        (BARE | {"\ud800": 1}, [""]),
    ],
)
def test_everything_that_is_wrong_is_named_by_its_place(value: Any, pointers: list[str]) -> None:
    assert pointers == [fault.pointer for fault in faults(value)]


def test_a_misspelt_field_is_told_its_name_and_a_fact_its_place() -> None:
    assert ["is no field of an event; did you mean `ticket`?"] == [fault.detail for fault in faults(BARE | {"tiket": 1})]
    assert ["is no field of an event; facts belong into `set`"] == [fault.detail for fault in faults(BARE | {"status": "open"})]


def test_a_fact_may_have_the_name_of_a_method() -> None:
    assert {"asserted": 1, "model_dump": "x"} == event(set={"asserted": 1, "model_dump": "x"}).set


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*BARE, "set", "message", "x"]), inner, max_size=5),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_comes_is_an_event_or_a_list_of_faults_that_can_be_said(value: Any) -> None:
    found = read_event(value)

    assert isinstance(found, TicketEvent) or [fault.detail.encode() + fault.pointer.encode() for fault in found]


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"ticket": ""}, "is empty"),
        ({"ticket": "x" * 301}, "is longer than 300 characters"),
        ({"set": {"tags": ["a"] * 201}}, "Value should have at most 200 items after validation, not 201"),
    ],
)
def test_a_text_is_measured_in_characters_and_a_list_in_items(given: dict[str, object], detail: str) -> None:
    assert [detail] == [fault.detail for fault in faults(BARE | given)]
