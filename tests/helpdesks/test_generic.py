"""The generic mapping: one rule at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.errors import InvalidSignature, Unreadable
from app.helpdesks import load
from app.rules.events import ActorKind, EventKind, TicketEvent
from tests.helpdesks.deliveries import RECEIVED_AT, read, request, source

LEAST_RULE: dict[str, Any] = {"ticket": "body.id"}


def one(body: Any, *, headers: dict[str, str] | None = None, said: dict[str, Any] | None = None, **rule: Any) -> TicketEvent:
    """The only event a rule makes of a body."""
    config = source("generic", **(said or {}), events=[{**LEAST_RULE, **rule}])
    events = read(config, body, headers).events
    assert len(events) == 1
    return events[0]


def facts(body: Any, *, said: dict[str, Any] | None = None, **to: Any) -> dict[str, Any]:
    return dict(one({"id": 1, **body}, said=said, set={"marker": "'m'", **to}).set) | {"marker": None}


def asserted(body: Any, **to: Any) -> dict[str, Any]:
    """What a rule asserts beside a marker that keeps the event from being empty."""
    found = facts(body, **to)
    del found["marker"]
    return found


# -- words


@pytest.mark.parametrize(
    ("body", "value", "expected"),
    [
        ({"s": "Open"}, "body.s", {"status": "open"}),
        ({"s": None}, "body.s", {}),
        ({}, "body.s", {}),
        ({"s": ""}, "body.s", {}),
        ({"s": "x"}, "body.s == 'y' && body.s", {}),
        ({"s": 1, "h": True}, {"from": "[body.s, body.h]", "map": {"1/true": "On Hold"}}, {"status": "on_hold"}),
        (
            {"s": 1, "h": True},
            {"from": "join('/', [to_string(body.s), to_string(body.h)])", "map": {"1/true": "pending"}},
            {"status": "pending"},
        ),
        ({"s": "?"}, {"from": "body.s", "map": {"A": "open"}, "default": "new"}, {"status": "new"}),
        ({"s": "closed"}, {"from": "body.s", "map": {"A": "open"}}, {"status": "closed"}),
        ({"s": "mine"}, {"from": "body.s", "map": {"Mine": "waiting_for_parts"}}, {"status": "waiting_for_parts"}),
        ({"s": None}, {"from": "body.s", "map": {None: "new"}}, {"status": "new"}),
        ({"s": False}, {"from": "body.s", "map": {False: "open", True: "solved"}}, {"status": "open"}),
        ({"s": "bin"}, {"from": "body.s", "map": {"bin": "deleted"}}, {"deleted": True}),
        ({"s": "open"}, {"from": "body.s", "map": {"bin": "deleted"}}, {"status": "open", "deleted": False}),
    ],
)
def test_a_status_is_a_word_of_a_map(body: Any, value: Any, expected: dict[str, Any]) -> None:
    assert asserted(body, status=value) == expected


@pytest.mark.parametrize(
    ("fact", "body", "value", "expected"),
    [
        ("assignee", {"o": "Nobody"}, {"from": "body.o", "map": {"nobody": None}}, None),
        ("assignee", {"o": "bob"}, {"from": "body.o", "map": {"nobody": None}}, "bob"),
        ("assignee", {"o": 7}, "body.o", "7"),
        ("group", {"o": "x"}, {"from": "body.o", "map": {"y": "Y"}, "default": "Other"}, "Other"),
        ("priority", {"o": "URGENT"}, "body.o", "urgent"),
        ("priority", {"o": 1}, {"from": "body.o", "map": {1: "high"}}, "high"),
        ("priority", {"o": "none"}, {"from": "body.o", "map": {"none": None}}, None),
        ("tags", {"o": ["a", 5, None]}, "body.o", ("a", "5")),
        ("tags", {"o": "a, b"}, "body.o", ("a", "b")),
        ("tags", {"o": ["A", "b", "c"]}, {"from": "body.o", "map": {"a": "vip", "c": None}}, ("vip", "b")),
        ("deleted", {"o": "Yes"}, "body.o", True),
        ("deleted", {"o": 0}, "body.o", False),
        ("assignee_is_bot", {"o": "robot"}, {"from": "body.o", "map": {"robot": True}, "default": False}, True),
        ("assignee_is_bot", {"o": "bob"}, {"from": "body.o", "map": {"robot": True}, "default": False}, False),
        ("merged_into", {"o": 12}, "body.o", "12"),
        ("csat", {"o": 4.5}, "body.o", 4.5),
        ("csat", {"o": 2**70}, "body.o", str(2**70)),
        ("paid", {"o": False}, "body.o", False),
        ("products", {"o": ["x", "y"]}, "body.o", ("x", "y")),
        ("category", {"o": "b"}, {"from": "body.o", "map": {"b": "billing"}}, "billing"),
        ("subject", {"o": "x" * 900}, "body.o", "x" * 500),
        ("channel", {}, "'mail'", "mail"),
        ("created_at", {"o": "2026-01-01 10:00:00"}, "body.o", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("url", {"o": "https://desk.example/1"}, "body.o", "https://desk.example/1"),
    ],
)
def test_a_fact_is_read_in_its_own_way(fact: str, body: Any, value: Any, expected: Any) -> None:
    assert asserted(body, **{fact: value}) == {fact: expected}


@pytest.mark.parametrize("body", [{}, {"o": None}, {"o": False}])
@pytest.mark.parametrize("fact", ["status", "priority", "assignee", "group", "tags", "requester", "organization"])
def test_what_yields_nothing_asserts_nothing(fact: str, body: Any) -> None:
    assert asserted(body, **{fact: "body.o"}) == {}


def test_a_script_is_no_link() -> None:
    assert asserted({"o": "javascript:alert(1)"}, url="body.o") == {}


@pytest.mark.parametrize(
    ("rule", "body", "says"),
    [
        (
            {"set": {"status": "body.s"}},
            {"s": "opn"},
            r"events\[0\].set.status: body.s yields 'opn': .* `status_map`; the nearest known word is 'open'",
        ),
        (
            {"set": {"status": {"from": "body.s", "map": {"wartet": "pending"}}}},
            {"s": "wartend"},
            r"not in the map of set.status or in `status_map`; the nearest known word is 'wartet'",
        ),
        ({"set": {"priority": "body.s"}}, {"s": "hgh"}, "`priority_map`; the nearest known word is 'high'"),
        (
            {"set": {"category": {"from": "body.s", "map": {"bill": "b"}}}},
            {"s": "bil"},
            "the map of set.category; the nearest known word is 'bill'",
        ),
        (
            {"actor": {"role": "body.s", "map": {"staff": "agent"}}, "set": {"x": "'x'"}},
            {"s": "stuff"},
            "`actor.map`; the nearest known word is 'staff'",
        ),
        (
            {"kind": "body.s", "set": {"x": "'x'"}},
            {"s": "ticket.update"},
            "not in the kinds of events; the nearest known word is 'ticket.updated'",
        ),
        ({"at": "body.s", "set": {"x": "'x'"}}, {"s": "soon"}, r"events\[0\].at: body.s yields 'soon', which is not a time"),
        ({"order": "body.s", "set": {"x": "'x'"}}, {"s": "1.5"}, "not a whole number of 64 bits"),
        ({"order": "body.s", "set": {"x": "'x'"}}, {"s": 2**70}, "not a whole number of 64 bits"),
        ({"ticket": "body.s", "set": {"x": "'x'"}}, {"s": None}, "yields no ticket"),
        ({"ticket": "body.s", "set": {"x": "'x'"}}, {"s": {}}, "yields an object, which is no id"),
        ({"set": {"x": "body.s"}}, {"s": {"a": 1}}, "yields an object; a fact is a word"),
        ({"set": {"deleted": "body.s"}}, {"s": "perhaps"}, "neither true nor false"),
        ({"set": {"status": "body.s"}}, {"s": {"name": "open"}}, "yields an object where a word is expected"),
        ({"message": {"public": "body.s"}}, {"s": None}, "does not say whether the customer can see the message"),
        ({"set": {"x": "contains(body.s, `1`)"}}, {"s": "abc"}, "cannot be evaluated"),
        ({"set": {"x": "length(body.s)"}}, {"s": 5}, "cannot be evaluated"),
        ({"set": {"x": "to_number(body.s)"}}, {"s": "1e999"}, "too large"),
        ({"each": "body.s", "set": {"x": "'x'"}}, {"s": {"a": 1}}, r"events\[0\].each: body.s does not yield a list"),
        ({"each": "body.s", "set": {"x": "'x'"}}, {"s": [0] * 2001}, "at most 2000"),
    ],
)
def test_a_delivery_that_cannot_be_read_says_where_and_why(rule: dict[str, Any], body: Any, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read(source("generic", events=[{**LEAST_RULE, **rule}]), {"id": 1, **body})


def test_a_plain_path_is_named_as_a_place_in_the_body() -> None:
    with pytest.raises(Unreadable) as refused:
        one({"id": 1, "t": {"a/b": ["", "opn"]}}, set={"status": 'body.t."a/b"[1]'})

    assert refused.value.errors[0].pointer == "/t/a~1b/1"


# -- who, when, which


@pytest.mark.parametrize(
    ("rule", "body", "kind"),
    [
        ({"role": "body.r"}, {"r": "Agent"}, ActorKind.AGENT),
        ({"role": "body.r", "map": {"true": "agent", "false": "customer"}}, {"r": False}, ActorKind.CUSTOMER),
        ({"role": {"from": "body.r", "map": {"op": "bot"}, "default": "unknown"}}, {"r": "x"}, ActorKind.UNKNOWN),
        ({"role": "body.r"}, {}, ActorKind.UNKNOWN),
        ({}, {}, ActorKind.UNKNOWN),
        ({"id": "body.who", "role": "body.r"}, {"r": "nonsense", "who": "BOB"}, ActorKind.SYSTEM),
    ],
)
def test_an_actor_is_who_the_maps_say(rule: dict[str, Any], body: Any, kind: ActorKind) -> None:
    event = one({"id": 1, **body}, said={"actor_map": {"bob": "system"}}, actor=rule, set={"x": "'x'"})

    assert event.actor.kind is kind


@pytest.mark.parametrize(
    ("rule", "author", "kind"),
    [
        ({"public": True}, ActorKind.AGENT, EventKind.MESSAGE_AGENT_PUBLIC),
        ({"public": "body.visible"}, ActorKind.AGENT, EventKind.MESSAGE_PRIVATE_NOTE),
        ({"public": True, "author": "'customer'"}, ActorKind.CUSTOMER, EventKind.MESSAGE_CUSTOMER),
        ({"public": True, "author": "'staff'"}, ActorKind.AGENT, EventKind.MESSAGE_AGENT_PUBLIC),
        ({"public": {"from": "body.type", "map": {"comment": False}, "default": True}}, ActorKind.AGENT, EventKind.MESSAGE_PRIVATE_NOTE),
    ],
)
def test_a_message_has_an_author_and_a_side(rule: dict[str, Any], author: ActorKind, kind: EventKind) -> None:
    actor = {"role": "'staff'", "map": {"staff": "agent"}}
    event = one({"id": 1, "visible": False, "type": "Comment"}, actor=actor, message=rule)

    assert event.message is not None
    assert (event.message.author, event.kind) == (author, kind)


def test_a_message_whose_condition_is_false_is_left_out() -> None:
    event = one({"id": 1, "text": ""}, message={"when": "body.text", "public": True}, set={"status": "'open'"})

    assert (event.message, event.kind) == (None, EventKind.TICKET_STATUS_CHANGED)


@pytest.mark.parametrize(
    ("to", "kind"),
    [
        ({"priority": "'low'"}, EventKind.TICKET_PRIORITY_CHANGED),
        ({"assignee": "'bob'"}, EventKind.TICKET_ASSIGNED),
        ({"status": "'open'", "priority": "'low'"}, EventKind.TICKET_UPDATED),
        ({"deleted": True}, EventKind.TICKET_DELETED),
        ({"subject": "'x'"}, EventKind.TICKET_UPDATED),
    ],
)
def test_an_event_is_named_by_what_it_asserts(to: dict[str, Any], kind: EventKind) -> None:
    assert one({"id": 1}, set=to).kind is kind


def test_a_kind_may_be_written_or_told() -> None:
    written = one({"id": 1}, kind="ticket.reopened", set={"status": "'open'"})
    told = one({"id": 1, "k": "ticket.snapshot"}, kind="body.k", set={"status": "'open'"})

    assert (written.kind, told.kind) == (EventKind.TICKET_REOPENED, EventKind.TICKET_SNAPSHOT)


def test_a_creation_is_told_by_its_time_or_by_a_flag() -> None:
    at = "2026-01-01T10:00:00Z"
    by_time = one({"id": 1, "c": at}, created="body.c")
    by_flag = one({"id": 1, "c": at}, at="body.c", created=True)

    assert (by_time.kind, by_flag.kind) == (EventKind.TICKET_UPDATED, EventKind.TICKET_CREATED)
    assert by_time.set["created_at"] == by_flag.set["created_at"] == datetime(2026, 1, 1, 10, tzinfo=UTC)


def test_times_without_zone_are_read_in_the_sources_zone() -> None:
    event = one({"id": 1, "t": "2026-07-01 12:00:00"}, said={"timezone": "Europe/Berlin"}, at="body.t", set={"x": "'x'"})

    assert event.at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_an_event_without_time_is_dated_by_its_receipt() -> None:
    event = one({"id": 1}, at="body.t", set={"received": "received_at"})

    assert (event.at, event.set["received"]) == (RECEIVED_AT, "2026-11-21T09:30:00.000Z")


def test_headers_are_in_reach_by_their_lower_case_names_but_not_the_password() -> None:
    headers = {"X-Request-Id": "r-1", "Authorization": "Bearer s3cret"}
    event = one({"id": 1}, headers=headers, set={"a": 'headers."x-request-id"', "b": "headers.authorization"})

    assert dict(event.set) == {"a": "r-1"}


def test_the_parent_is_in_reach_of_every_element() -> None:
    body = {"id": 7, "at": "2026-01-01T10:00:00Z", "changes": [{"to": "open"}, {"to": "pending"}]}
    config = source("generic", events=[{"each": "body.changes", "ticket": "body.id", "at": "body.at", "set": {"status": "item.to"}}])

    assert [(e.ticket, e.set["status"]) for e in read(config, body).events] == [("7", "open"), ("7", "pending")]


def test_a_rule_whose_condition_is_false_is_left_out() -> None:
    rules = [{**LEAST_RULE, "when": f"body.type == '{kind}'", "set": {"status": f"'{kind}'"}} for kind in ("open", "solved")]

    assert [e.set for e in read(source("generic", events=rules), {"id": 1, "type": "solved"}).events] == [{"status": "solved"}]


def test_a_delivery_that_says_nothing_is_ignored_with_a_reason() -> None:
    reading = read(source("generic", events=[{**LEAST_RULE, "set": {"status": "body.status"}}]), {"id": 1})

    assert (reading.outcome, reading.reason) == ("ignored", "No rule of this source's `events` holds for this delivery.")


def test_a_body_may_be_a_list() -> None:
    config = source("generic", events=[{"each": "body", "ticket": "item.id", "set": {"status": "item.s"}}])

    assert [e.ticket for e in read(config, [{"id": 1, "s": "open"}, {"id": 2, "s": "open"}]).events] == ["1", "2"]


@pytest.mark.parametrize("where", ["source", "rule"])
def test_the_delivery_id_may_be_named_for_the_source_or_for_a_rule(where: str) -> None:
    expression = {"delivery_id": 'headers."x-id"'}
    config = source(
        "generic", **(expression if where == "source" else {}), events=[{**LEAST_RULE, **(expression if where == "rule" else {})}]
    )

    assert read(config, {"id": 1}, {"X-Id": "d-1"}).delivery_id == "d-1"


def test_without_key_the_same_words_are_the_same_event_and_other_words_another() -> None:
    rule: dict[str, Any] = {"at": "body.at", "set": {"status": "body.s"}}
    body = {"id": 1, "at": "2026-01-01T10:00:00Z", "s": "open"}
    keys = [one(b, **rule).key for b in (body, body, {**body, "s": "new"}, {**body, "at": "2026-01-01T10:00:01Z"}, {**body, "id": 2})]

    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_the_same_timeless_words_an_hour_later_are_another_event() -> None:
    config = source("generic", events=[{**LEAST_RULE, "set": {"status": "body.s"}}])
    later = [read(config, {"id": 1, "s": "open"}, received_at=RECEIVED_AT + timedelta(minutes=m)).events[0].key for m in (0, 2, 60)]

    assert (later[0] == later[1], later[0] == later[2]) == (True, False)


def test_an_echo_is_known_by_our_users_id() -> None:
    assert one(
        {"id": 1, "who": "Bot@Desk.example"}, said={"our_user_ids": ["bot@desk.example"]}, actor={"id": "body.who"}, set={"x": "'x'"}
    ).echo


def test_requests_are_verified_as_the_document_says() -> None:
    config = source("generic", verify={"header": "X-SLA-Token", "secret": "s3cret"})
    load("generic").verify(request(b"{}", {"X-SLA-Token": "s3cret"}), config, RECEIVED_AT)

    with pytest.raises(InvalidSignature):
        load("generic").verify(request(b"{}"), config, RECEIVED_AT)
