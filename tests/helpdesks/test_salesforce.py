"""Salesforce: the acknowledgement, hostile XML, and what the goldens do not show."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from app.errors import InvalidSignature, Unreadable
from app.exchange import HttpRequest
from app.helpdesks import Reading, answer_of, load
from app.rules.events import ActorKind, EventKind, TicketEvent
from tests.helpdesks.deliveries import RECEIVED_AT, golden, golden_files, read, request, source

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "helpdesks" / "salesforce.md").read_text()
GOLDEN: dict[str, Any] = {file.stem: golden(file)["body"] for file in golden_files("salesforce")}
SOAP: dict[str, bytes] = {name: body for name, body in GOLDEN.items() if isinstance(body, bytes)}
BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><notifications>&b;</notifications>'
FETCH = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><notifications>&x;</notifications>'


def one(name: str, **said: Any) -> TicketEvent:
    (event,) = read(source("salesforce", **said), GOLDEN[name]).events
    return event


def changed(name: str, old: str, new: str) -> Reading:
    """The reading of a golden message with a piece of its text replaced."""
    assert old.encode() in SOAP[name]
    return read(source("salesforce"), SOAP[name].replace(old.encode(), new.encode()))


def test_an_outbound_message_is_acknowledged_as_salesforce_wants_it() -> None:
    said = answer_of(request(SOAP["changed"]), source("salesforce"))
    assert said is not None
    ack = fromstring(said.body).find(".//{http://soap.sforce.com/2005/09/outbound}notificationsResponse/*")

    assert (said.status, said.headers["content-type"], said.handshake) == (200, "text/xml; charset=utf-8", False)
    assert ack is not None
    assert (ack.tag, ack.text) == ("{http://soap.sforce.com/2005/09/outbound}Ack", "true")


def test_a_message_that_cannot_be_read_is_acknowledged_too_and_json_gets_our_receipt() -> None:
    answers = [answer_of(request(body), source("salesforce")) for body in (b"\xef\xbb\xbf <x", BOMB, b"{}", b"", b"\xff")]

    assert [said is not None for said in answers] == [True, True, False, False, False]


@pytest.mark.parametrize(
    "body", [BOMB, FETCH, b"<a>", b"<a/>", b'<?xml version="1.0" encoding="klingon"?><a/>', b"<a>" * 5000, b"<notifications>\x00"]
)
def test_hostile_and_broken_xml_is_unreadable_and_nothing_else(body: bytes) -> None:
    with pytest.raises(Unreadable):
        load("salesforce").parse(HttpRequest("POST", "/", {}, body), source("salesforce"), RECEIVED_AT)


def test_only_allowed_networks_may_send() -> None:
    verify, config = load("salesforce").verify, source("salesforce", verify={"networks": ["192.0.2.0/24"]})

    verify(request(client="192.0.2.7"), config, RECEIVED_AT)
    with pytest.raises(InvalidSignature):
        verify(request(client="198.51.100.1"), config, RECEIVED_AT)


def test_a_hundred_notifications_are_a_hundred_events_and_a_thousand_and_one_are_too_many() -> None:
    head, note, tail = re.fullmatch(rb"(.*?)( *<Notification>.*</Notification>\n)(.*)", SOAP["changed"], re.DOTALL).groups()  # type: ignore[union-attr]
    notes = [note.replace(b"00000001AAA", b"%08dAAA" % number) for number in range(1001)]

    assert len(read(source("salesforce"), head + b"".join(notes[:100]) + tail).events) == 100
    with pytest.raises(Unreadable, match="at most 1000"):
        read(source("salesforce"), head + b"".join(notes) + tail)


def test_a_notification_told_twice_is_one_event() -> None:
    first, again = (read(source("salesforce"), SOAP["several_notifications"], {}, RECEIVED_AT + timedelta(hours=h)).events for h in (0, 2))

    assert [event.key for event in first] == [event.key for event in again]


def test_one_notification_without_id_of_its_case_makes_the_message_unreadable() -> None:
    with pytest.raises(Unreadable) as caught:
        changed("several_notifications", "<sf:Id>500xx000000bpkUAAQ</sf:Id>", "")

    assert [fault.pointer for fault in caught.value.errors] == ["/Notification/1/Id"]


def test_a_message_of_the_partner_kind_and_other_prefixes_is_read_alike() -> None:
    partner = (
        SOAP["changed"].replace(b"urn:sobject.enterprise.", b"urn:sobject.partner.").replace(b"sf:", b"ens:").replace(b":sf=", b":ens=")
    )
    partner = partner.replace(b"soapenv", b"s")

    assert read(source("salesforce"), partner).events == read(source("salesforce"), SOAP["changed"]).events


def test_a_field_that_is_not_sent_asserts_nothing_and_one_that_is_nil_neither() -> None:
    untold = changed("changed", "<sf:Priority>Medium</sf:Priority>", "")
    nil = changed("changed", "<sf:Priority>Medium</sf:Priority>", '<sf:Priority xsi:nil="true"/>')

    assert ["priority" in reading.events[0].set for reading in (untold, nil)] == [False, False]


def test_who_can_see_a_comment_has_to_be_told() -> None:
    with pytest.raises(Unreadable, match="IsPublished"):
        changed("published_comment_of_a_known_user", "<sf:IsPublished>true</sf:IsPublished>", "")


@pytest.mark.parametrize(("said", "author"), [({}, ActorKind.UNKNOWN), ({"comment_author": "agent"}, ActorKind.AGENT)])
def test_the_author_of_a_published_comment_is_what_the_document_says(said: dict[str, Any], author: ActorKind) -> None:
    assert one("published_comment_of_nobody_we_know", **said).actor.kind is author


def test_an_email_that_is_hidden_from_the_customer_is_a_note() -> None:
    hidden = changed("email_of_an_agent", "<sf:Incoming>", "<sf:IsExternallyVisible>false</sf:IsExternallyVisible><sf:Incoming>")

    assert hidden.events[0].kind is EventKind.MESSAGE_PRIVATE_NOTE


def test_a_change_of_several_records_is_an_event_of_each() -> None:
    both = json.loads(json.dumps(GOLDEN["change_event_deleted"]))
    both["payload"]["ChangeEventHeader"]["recordIds"] = ["500xx000000bpkTAAQ", "500xx000000bpkUAAQ"]
    events = read(source("salesforce"), both).events

    assert [(event.ticket, event.set) for event in events] == [
        (case, {"deleted": True}) for case in ("500xx000000bpkTAAQ", "500xx000000bpkUAAQ")
    ]
    assert len({event.key for event in events}) == 2


def test_our_own_user_is_an_echo_wherever_it_is_told() -> None:
    ours = {"our_user_ids": ["005XX000001SV6AAAS"]}

    assert [one(name, **ours).echo for name in ("changed", "change_event_updated", "created_from_a_web_form")] == [True, True, False]


def test_the_template_of_the_docs_is_read_without_reservations() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    reading = read(source("salesforce"), json.loads(text))

    assert (reading.reason, reading.events[0].set["status"], reading.events[0].kind) == (None, "open", EventKind.TICKET_UPDATED)


@pytest.mark.parametrize(
    "body", [{}, [1], {"record": {"Subject": "x"}}, {"schema": "slawatch.zendesk.v1", "record": {"Id": "500x"}}, {"Id": "500"}, []]
)
def test_json_of_another_shape_is_unreadable_or_ignored(body: Any) -> None:
    try:
        reading = read(source("salesforce"), body)
    except Unreadable:
        return

    assert reading.outcome == "ignored" or body == {"Id": "500"}
