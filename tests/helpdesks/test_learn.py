"""Learning a mapping: differently shaped samples are proposed for, accepted, and read."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.check import check
from app.helpdesks import SourceConfig, kinds, load
from app.helpdesks._learn import NothingToLearn, Proposal, learn
from app.helpdesks._learn.document import Note, as_yaml, plain
from app.helpdesks._learn.samples import expression, lay_out, tokens
from app.helpdesks._learn.trial import what_they_say
from app.rules.events import ActorKind, TicketEvent
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read
from tests.helpdesks.test_contract import JSON, quick

NESTED: dict[str, Any] = {
    "event": "comment.created", "event_id": "ev-1", "occurred_at": "2026-07-01T12:00:00Z",
    "ticket": {
        "id": 42, "number": "T-42", "status": "Waiting for customer", "priority": "2 - High", "title": "Printer",
        "team": {"name": "Second line"},
        "assignee": {"id": 7, "email": "bob@desk.example"}, "requester": {"email": "ann@customer.example"}, "company": {"name": "Acme"},
        "tags": ["vip"], "created_at": "2026-06-30T08:00:00Z", "updated_at": "2026-07-01T12:00:01Z", "url": "https://desk.example/t/42",
        "icon_url": "https://desk.example/i.png",
    },
    "comment": {
        "id": 9001, "body": "hello", "internal": False, "author": {"id": 7, "role": "staff", "email": "bob@desk.example"},
        "created_at": "2026-07-01T11:59:59Z",
    },
}  # fmt: skip
FLAT: dict[str, Any] = {
    "ticketId": "A-17", "ticketStatus": "IN_PROGRESS", "severity": "sev1", "subject": "Down", "assignedTo": None, "queue": "Ops",
    "customerEmail": "ann@customer.example", "lastModified": "2026-07-01 12:00:00", "createdAt": "2026-07-01 11:00:00", "labels": "db,prod",
}  # fmt: skip
LINES: list[dict[str, Any]] = [
    {"type": "created", "id": "a1", "time": 1795251600, "issue": {"key": "OPS-7", "state": "To Do", "owner": None}},
    {"type": "replied", "id": "a2", "time": 1795251700, "issue": {"key": "OPS-7", "state": "Doing it", "owner": "bob"}, "text": "looking",
     "user": {"login": "bob", "is_staff": True}},
    {"type": "note", "id": "a3", "time": 1795251800, "issue": {"key": "OPS-7", "state": "Done", "owner": "bob"}, "text": "psst",
     "user": {"login": "bob", "is_staff": True}},
    {"type": "deleted", "id": "a4", "time": 1795251900, "issue": {"key": "OPS-7", "state": "Done", "owner": "bob"}},
]  # fmt: skip
HISTORY: dict[str, Any] = {
    "data": {"id": 5, "state": "open", "modified": "2026-07-01T12:00:00+0530"},
    "messages": [
        {"id": 1, "text": "help", "visibility": "public", "sender": "customer", "sent_at": "2026-07-01T06:00:00Z"},
        {"id": 2, "text": "ok", "visibility": "internal", "sender": "agent", "sent_at": "2026-07-01T06:30:00Z"},
    ],
}  # fmt: skip
AWKWARD: dict[str, Any] = {"x-case": {"id": "c 1", "case-id": "C:1", "the status": "on", "priority": True}}
SAMPLES = {"nested": [NESTED], "flat": [FLAT], "lines": LINES, "history": [HISTORY], "awkward": [AWKWARD]}


def events(*payloads: dict[str, Any]) -> list[TicketEvent]:
    """What the samples say with the mapping learnt from them."""
    config = learnt(learn(payloads))
    return [event for payload in payloads for event in read(config, payload).events]


def learnt(proposal: Proposal) -> SourceConfig:
    """The proposed source, named as the document below names it."""
    return load("generic").Config.model_validate({**proposal.source, "name": "desk"})


def text_of(proposal: Proposal) -> str:
    return proposal.as_yaml("desk")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_proposal_is_accepted_by_check_and_is_what_its_yaml_says(name: str, tmp_path: Path) -> None:
    proposal = learn(SAMPLES[name])
    checked = check(text_of(proposal), file="learned.yaml", environ={}, base=tmp_path, today=date(2026, 7, 1))

    assert [] == [str(finding) for finding in checked.errors]
    assert checked.loaded is not None
    assert checked.loaded.sources["desk"] == learnt(proposal)


def test_a_ticket_with_a_comment_is_read_whole() -> None:
    state, said = events(NESTED)
    facts = {
        "status": "pending", "priority": "high", "subject": "Printer", "group": "Second line", "assignee": "bob@desk.example",
        "requester": "ann@customer.example", "organization": "Acme", "tags": ("vip",), "url": "https://desk.example/t/42",
    }  # fmt: skip

    assert ("42", "2026-07-01T12:00:00+00:00") == (state.ticket, state.at.isoformat())
    assert facts.items() <= state.set.items()
    assert (said.key, said.actor.kind, said.actor.id) == ("9001", ActorKind.AGENT, "bob@desk.example")
    assert (said.message and said.message.public, said.at.isoformat()) == (True, "2026-07-01T11:59:59+00:00")


def test_a_flat_body_without_message_is_one_event() -> None:
    (event,) = events(FLAT)
    facts = {
        "status": "open",
        "priority": "urgent",
        "assignee": None,
        "group": "Ops",
        "requester": "ann@customer.example",
        "tags": ("db", "prod"),
    }

    assert ("A-17", "2026-07-01T12:00:00+00:00") == (event.ticket, event.at.isoformat())
    assert facts.items() <= event.set.items()
    assert "timezone: UTC  # UNSURE" in text_of(learn([FLAT]))


def test_several_samples_teach_what_the_names_of_events_mean() -> None:
    told = events(*LINES)
    states, said = [event for event in told if event.message is None], [event.message for event in told if event.message]

    assert ["ticket.created", "ticket.deleted"] == [str(states[0].kind), str(states[-1].kind)]
    assert [False, False, False, True] == [event.set["deleted"] for event in states]
    assert [None, "bob", "bob", "bob"] == [event.set["assignee"] for event in states]
    assert ["new", "open", "solved", "solved"] == [event.set["status"] for event in states]
    assert [(True, ActorKind.AGENT), (False, ActorKind.AGENT)] == [(message.public, message.author) for message in said]


def test_a_list_of_messages_is_read_element_by_element() -> None:
    state, first, second = events(HISTORY)

    assert ("5", "open", "2026-07-01T06:30:00+00:00") == (state.ticket, state.set["status"], state.at.isoformat())
    assert [("1", ActorKind.CUSTOMER, True), ("2", ActorKind.AGENT, False)] == [
        (event.key, event.message.author, event.message.public) for event in (first, second) if event.message
    ]


def test_names_that_are_no_words_are_quoted() -> None:
    (event,) = events(AWKWARD)

    assert ("C:1", "open") == (event.ticket, event.set["status"])
    assert 'body."x-case"."case-id"' == learn([AWKWARD]).source["events"][0]["ticket"]


def test_what_it_was_not_sure_of_is_said() -> None:
    text = text_of(learn([{"ticket": {"id": 1, "status": "Frobnicating"}, "message": {"id": 2, "text": "hi"}}]))

    for doubt in (
        "verify: none  # UNSURE", "UNSURE what 'Frobnicating' means", "nothing in the sample says when", "says who wrote",
        "whether the customer can see it",
    ):  # fmt: skip
        assert doubt in text


def test_in_doubt_a_message_is_internal_and_of_nobody_we_know() -> None:
    said = events({"ticket": {"id": 1}, "message": {"id": 2, "text": "hi"}})[-1].message

    assert said is not None
    assert (said.public, said.author) == (False, ActorKind.UNKNOWN)


def test_without_a_time_a_repeated_delivery_is_still_one_event() -> None:
    body = {"ticket": {"id": 1, "status": "open"}}
    config = learnt(learn([body]))

    assert read(config, body).events[0].key == read(config, body, {}, RECEIVED_AT.replace(second=30)).events[0].key


def test_rivals_are_named() -> None:
    assert "# or body.comment.ticket_id" in text_of(learn([{"ticket": {"id": 1}, "comment": {"ticket_id": 1, "body": "x"}}]))


def test_an_id_of_a_message_is_not_taken_for_the_ticket_or_the_delivery() -> None:
    proposal = learn(
        [{"event": "message_created", "id": 9, "conversation": {"display_id": 3}, "content": "x", "created_at": "2026-07-01T12:00:00Z"}]
    )
    (state, said) = proposal.source["events"]

    assert ("body.conversation.display_id", "body.id") == (state["ticket"], said["key"])
    assert "delivery_id" not in proposal.source
    assert "created" not in state


@pytest.mark.parametrize("payload", [{}, {"name": "x"}, {"ticket": {"name": "a b"}}, {"ticket": []}, {"event": "ping"}])
def test_samples_without_a_ticket_teach_nothing(payload: dict[str, Any]) -> None:
    with pytest.raises(NothingToLearn):
        learn([payload])


@pytest.mark.parametrize("kind", kinds())
def test_what_is_learnt_from_any_helpdesks_delivery_reads_that_delivery(kind: str) -> None:
    for body in (golden(file)["body"] for file in golden_files(kind)):
        if isinstance(body, dict):
            assert readable([body]), body


@quick
@given(body=st.dictionaries(st.sampled_from(["ticket", "id", "status", "comment", "event", "type", "updated_at", "tags"]), JSON))
def test_what_is_learnt_from_anything_reads_it(body: dict[str, Any]) -> None:
    assert readable([body])


def readable(payloads: list[dict[str, Any]]) -> bool:
    """Whether nothing can be learnt, or what is learnt reads the samples."""
    try:
        proposal = learn(payloads)
    except NothingToLearn:
        return True
    return not [line for line in what_they_say(proposal, "x", payloads, RECEIVED_AT) if "cannot be read" in line]


def test_names_are_taken_apart_and_paths_put_together() -> None:
    assert [("last", "reply", "at"), ("customer", "email"), ("x", "case", "id"), ("http", "url")] == [
        tokens(name) for name in ("lastReply_at", "customerEmail", "x-case-id", "HTTPUrl")
    ]
    assert ['body.a."b-c"', 'item."say \\"hi\\""'] == [expression(("a", "b-c")), expression(('say "hi"',), "item")]


def test_places_hold_what_all_samples_have_there() -> None:
    laid = lay_out([{"a": {"b": 1}}, {"a": {"b": None}, "l": [{"c": 1}, {"c": 2}]}])

    assert [(("a", "b"), (1, None))] == [(place.path, place.values) for place in laid.places]
    assert [(1, 2)] == [place.values for place in laid.lists[("l",)].places]


def test_yaml_is_written_so_that_it_is_read_as_meant() -> None:
    annotated = {"a": Note("x: y", "two\nlines"), "on": [{"b": True, "c": {None: "no"}}], "e": {}}

    assert as_yaml(annotated) == 'a: "x: y"  # two lines\n"on":\n  - b: true\n    c:\n      null: "no"\ne: {}\n'
    assert plain(annotated) == {"a": "x: y", "on": [{"b": True, "c": {None: "no"}}], "e": {}}
