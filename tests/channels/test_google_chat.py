"""Google Chat: what is posted, by Google's own types, in the thread of the ticket, and that nobody is mentioned by a text from outside."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from google.apps.chat_v1.types import Message
from google.protobuf import json_format
from hypothesis import given, settings

from app.channels import Notice
from app.channels._story import tell
from app.channels.google_chat import Config, escape, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import TEXTS, said, texts
from tests.channels.notices import AT, notice

URL = "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t%3D"
CONFIG = Config.model_validate({"url": URL, "name": "space"})
LINE = tell(notice().event).line


def message(said: Notice) -> dict[str, Any]:
    """A message that Google's types take without a key they do not know, and that is not too large."""
    raw = render(said, CONFIG, AT).body
    body: dict[str, Any] = json.loads(raw)
    json_format.ParseDict(body, Message.pb(Message()), ignore_unknown_fields=False)
    assert len(raw) <= 32_000
    for card in body.get("cardsV2", []):
        assert sum(len(section["widgets"]) for section in card["card"]["sections"]) <= 100
    return body


def widgets(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["cardsV2"][0]["card"]["sections"][0]["widgets"]
    return found


def test_a_breach_is_a_line_with_a_card_in_the_thread_of_its_ticket() -> None:
    facts = [("Policy", "Gold 24x7"), ("Target", "30m"), ("Due", "2026-11-21 09:30 UTC"), ("State", "4 s late")]
    links = [
        ("Open ticket", "https://acme.zendesk.example/agent/tickets/4711"),
        ("Breach", "https://sla.example.com/breaches/brc_1"),
        ("Why", "https://sla.example.com/tickets/tkt_1/explain"),
    ]
    footer = "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody · next: team lead in 15 min"

    assert message(notice()) == {
        "text": LINE,
        "thread": {"threadKey": "ticket:tkt_1"},
        "cardsV2": [
            {
                "cardId": "msg_1",
                "card": {
                    "header": {"title": "✖ SLA breached: first response", "subtitle": "#4711 Checkout fails with 502"},
                    "sections": [
                        {
                            "collapsible": False,
                            "widgets": [
                                {"textParagraph": {"text": "Acme GmbH · priority urgent · tier gold · nobody assigned"}},
                                *({"decoratedText": {"topLabel": name, "text": value, "wrapText": True}} for name, value in facts),
                                {"buttonList": {"buttons": [{"text": text, "onClick": {"openLink": {"url": url}}} for text, url in links]}},
                                {"textParagraph": {"text": footer}},
                            ],
                        }
                    ],
                },
            }
        ],
    }


def test_googles_types_are_strict_enough_to_trust() -> None:
    unknown: list[dict[str, Any]] = [{"txt": "x"}, {"cardsV2": [{"card": {"sections": [{"widgets": [{"table": {}}]}]}}]}, {"thread": "t"}]

    for broken in unknown:
        with pytest.raises(json_format.ParseError):
            json_format.ParseDict(broken, Message.pb(Message()), ignore_unknown_fields=False)


@pytest.mark.parametrize("type_", event_types())
def test_every_event_is_a_valid_message(type_: str) -> None:
    body = message(notice(type_))

    assert body["text"] == tell(notice(type_).event).line
    assert ("cardsV2" in body) is (type_ != "test.ping")


def test_all_news_of_a_ticket_go_into_one_thread() -> None:
    keys = {message(notice(type_))["thread"]["threadKey"] for type_ in ("sla.warning", "escalation.step", "sla.recovered", "signal.raised")}
    option = parse_qs(urlsplit(render(notice(), CONFIG, AT).url).query)["messageReplyOption"]

    assert keys == {"ticket:tkt_1"}
    assert option == ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"]


def test_the_request_id_is_the_same_over_retries_and_differs_between_notices_and_channels() -> None:
    def request_id(said: Notice, name: str = "space") -> str:
        url = render(said, CONFIG.model_copy(update={"name": name}), AT).url
        assert url.startswith(URL)  # the key and the token as they were given
        return parse_qs(urlsplit(url).query)["requestId"][0]

    ids = [request_id(notice()), request_id(replace(notice(), id="msg_2")), request_id(notice(), "other")]

    assert request_id(notice()) == ids[0]
    assert len({UUID(each) for each in ids}) == 3


def test_the_shortest_form_is_the_line_alone() -> None:
    assert message(replace(notice(), shortest=True)) == {"text": LINE, "thread": {"threadKey": "ticket:tkt_1"}}


def test_who_is_told_can_acknowledge() -> None:
    body = message(notice("escalation.step", links={"acknowledge": "https://sla.example.com/ack/abc"}))
    buttons = next(widget["buttonList"]["buttons"] for widget in widgets(body) if "buttonList" in widget)

    assert [button["text"] for button in buttons] == ["Open ticket", "Acknowledge", "Breach", "Why"]


@settings(deadline=None, max_examples=40)
@given(texts())
def test_any_text_from_outside_fits_stays_text_and_leaves_the_facts_readable(text: str) -> None:
    for type_ in ("sla.breached", "escalation.step"):
        body = message(said(text, type_, "https://x.example/" + "a" * 2030))

        assert "first response · #4711" in body["text"]
        assert "due 2026-11-21 09:30 UTC" in body["text"]
        assert not re.search("<[^\u200b]", body["text"])
        assert not [widget for widget in widgets(body) if "<" in json.dumps([*widget.get("textParagraph", {}).values()])]
        assert not [widget for widget in widgets(body) if "<" in widget.get("decoratedText", {}).get("text", "")]


@pytest.mark.parametrize("hostile", TEXTS)
def test_a_mention_or_a_named_link_does_not_survive(hostile: str) -> None:
    assert not re.search(r"<(users/|https?:)", escape(hostile))
    assert escape(hostile).replace("\u200b", "") == hostile


@pytest.mark.parametrize("body", [b"", b'{"name": "spaces/AAAA/messages/1", "te'])
def test_the_message_as_google_has_it_is_delivered(body: bytes) -> None:
    assert interpret(HttpResponse(200, {}, body), AT) == Delivered()


@pytest.mark.parametrize(
    ("status", "word", "disable", "smaller"),
    [
        (400, "INVALID_ARGUMENT", False, True),
        (401, "UNAUTHENTICATED", True, False),
        (403, "PERMISSION_DENIED", True, False),
        (404, "NOT_FOUND", True, False),
    ],
)
def test_what_no_retry_mends_is_dead_with_googles_own_words(status: int, word: str, disable: bool, smaller: bool) -> None:
    body = json.dumps({"error": {"code": status, "message": "It is wrong.", "status": word}}).encode()
    outcome = interpret(HttpResponse(status, {}, body), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert f"It is wrong. ({word})" in outcome.detail


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status, {}, b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}'), AT), Retry)
