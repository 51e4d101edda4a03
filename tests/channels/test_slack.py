"""Slack: what is posted, within Slack's limits, and that no text from outside comes alive in it."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError
from slack_sdk.models.blocks import Block

from app.channels import Notice
from app.channels._story import tell
from app.channels.slack import API, Config, escape, interpret, render
from app.exchange import Delivered, HttpResponse, Outcome, Rejected, Retry
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import AT, notice

CONFIG = Config.model_validate({"url": "https://hooks.slack.com/services/T0/B0/XXXX"})
LINE = (
    "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
    "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min"
)


def message(said: Notice) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(said, CONFIG, AT).body)
    return body


def answer(**body: Any) -> Outcome:
    """What is made of an answer of the API."""
    return interpret(HttpResponse(200, {}, json.dumps(body).encode()), AT)


def check_limits(body: dict[str, Any]) -> None:
    """Slack's limits: by its own library, and by hand what that misses."""
    assert 0 < len(body["text"]) <= 4000
    blocks = body.get("blocks", [])
    assert len(blocks) <= 50
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
        assert parsed.to_dict() == block  # nothing dropped: the library knows every key
        for field in block.get("fields", []):
            assert len(field["text"]) <= 2000
        for element in block.get("elements", []):
            assert len(element["text"] if isinstance(element["text"], str) else element["text"]["text"]) <= 2000
            assert len(element.get("url", "")) <= 3000


def test_a_breach_says_what_whose_how_late_and_what_comes_next() -> None:
    body = message(notice())

    assert body == {
        "text": LINE,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "✖ SLA breached: first response", "emoji": True}},
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": "*<https://acme.zendesk.example/agent/tickets/4711|#4711 Checkout fails with 502>*\n"
                    "Acme GmbH · priority urgent · tier gold · nobody assigned",
                },
            },
            {
                "type": "section",
                "fields": [
                    {"type": "mrkdwn", "text": "*Policy*\nGold 24x7"},
                    {"type": "mrkdwn", "text": "*Target*\n30m"},
                    {"type": "mrkdwn", "text": "*Due*\n<!date^1795253400^{date_short_pretty} {time}|2026-11-21 09:30 UTC>"},
                    {"type": "mrkdwn", "text": "*State*\n4 s late"},
                ],
            },
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": label, "emoji": True},
                        "url": url,
                        "action_id": action,
                    }
                    for label, url, action in (
                        ("Open ticket", "https://acme.zendesk.example/agent/tickets/4711", "open_ticket"),
                        ("Breach", "https://sla.example.com/breaches/brc_1", "open_breach"),
                        ("Why", "https://sla.example.com/tickets/tkt_1/explain", "explain"),
                    )
                ],
            },
            {
                "type": "context",
                "elements": [
                    {
                        "type": "mrkdwn",
                        "text": "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody · next: team lead in 15 min",
                    }
                ],
            },
        ],
    }
    check_limits(body)


@pytest.mark.parametrize("type_", event_types())
def test_every_event_is_a_message_within_the_limits(type_: str) -> None:
    said = notice(type_)
    body = message(said)

    check_limits(body)
    assert body["text"] == escape(tell(said.event).line)
    assert ("blocks" in body) is (type_ != "test.ping")


def test_who_is_told_can_acknowledge() -> None:
    url = "https://sla.example.com/ack/abc"
    buttons = message(notice("escalation.step", links={"acknowledge": url}))["blocks"][3]["elements"]

    assert [(button["action_id"], button.get("style")) for button in buttons][:2] == [("open_ticket", None), ("acknowledge", "primary")]
    assert buttons[1]["url"] == url


def test_an_event_we_do_not_know_is_named() -> None:
    unknown = Notice("msg_1", "escalation.step", b"{}", {"type": "escalation.step", "data": {"level": 2}})

    assert message(unknown) == {"text": "• escalation step · see the dashboard or the API for details"}


def test_mentions_and_markup_of_strangers_do_not_come_alive() -> None:
    evil = "<!channel> <@U1> <https://evil.example|click> & \r\n*bold* \u202eesrever\0"
    body = message(notice(ticket={"subject": evil, "organization": evil, "assignee": evil}, why={"policy": evil}, clock={"target": evil}))
    texts = json.dumps(body, ensure_ascii=False)

    assert "<!channel" not in texts
    assert "<@" not in texts
    assert "<https://evil" not in texts
    assert "\u202e" not in texts
    assert "&lt;!channel&gt; &lt;@U1&gt;" in body["text"]
    check_limits(body)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/tickets/4711", "https://x.example/a b", "https://x.example/\n<!channel>", "", None]
)
def test_a_link_that_is_no_web_address_is_left_out(url: str | None) -> None:
    body = message(notice(ticket={"url": url}))

    assert body["blocks"][1]["text"]["text"].startswith("*#4711 Checkout fails with 502*")
    assert [button["action_id"] for button in body["blocks"][3]["elements"]] == ["open_breach", "explain"]


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    body = message(notice(ticket={"url": "https://x.example/?a=1&b=|<!channel>"}))

    assert body["blocks"][1]["text"]["text"].startswith("*<https://x.example/?a=1&amp;b=%7C%3C!channel%3E|#4711")


def test_a_long_link_stays_a_button_only() -> None:
    url = "https://x.example/" + "a" * 1500
    body = message(notice(ticket={"url": url}))

    assert url not in body["blocks"][1]["text"]["text"]
    assert body["blocks"][3]["elements"][0]["url"] == url
    check_limits(body)


def test_no_link_at_all_means_no_buttons() -> None:
    body = message(notice(ticket={"url": None}, links={"breach": None, "explain": None}))

    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section", "context"]
    check_limits(body)


def test_a_body_that_grew_too_large_gets_smaller_step_by_step() -> None:
    long = "https://x.example/" + "a" * 2030
    body = message(said("A" * 10_000, "escalation.step", long))

    check_limits(body)
    assert len(body["blocks"][2]["fields"]) == 4
    assert [button["action_id"] for button in body["blocks"][3]["elements"]] == ["open_ticket", "acknowledge"]


def test_the_shortest_form_is_the_line_alone() -> None:
    assert message(replace(notice(), shortest=True)) == {"text": LINE}


@settings(deadline=None, max_examples=50)
@given(texts())
def test_any_text_from_outside_fits_and_leaves_the_facts_readable(text: str) -> None:
    for type_ in ("sla.breached", "escalation.step"):
        body = message(said(text, type_))

        check_limits(body)
        assert "first response · #4711" in body["text"]
        assert "due 2026-11-21 09:30 UTC" in body["text"]
        assert set(re.findall("<.", json.dumps(body, ensure_ascii=False))) <= {"<!", "<h"}  # our own date and link
        assert set(re.findall("<!.....", json.dumps(body))) <= {"<!date^"}


@pytest.mark.parametrize("body", [b"ok", b"ok\n", b"o", b""])
def test_ok_is_delivered_even_when_the_connection_broke_in_it(body: bytes) -> None:
    assert interpret(HttpResponse(200, {}, body), AT) == Delivered()


def test_a_page_that_is_not_slacks_is_not_delivered() -> None:
    outcome = interpret(HttpResponse(200, {}, b"<html>Welcome"), AT)

    assert isinstance(outcome, Rejected)
    assert (outcome.error_class, outcome.disable) == ("protocol_error", False)


@pytest.mark.parametrize(
    ("status", "body", "disable"),
    [
        (400, b"invalid_payload", False),
        (401, b"", True),
        (403, b"action_prohibited", True),
        (404, b"channel_not_found", True),
        (404, b"no_service", True),
        (410, b"channel_is_archived", True),
        (413, b"", False),
    ],
)
def test_what_no_retry_mends_is_dead_with_slacks_own_word(status: int, body: bytes, disable: bool) -> None:
    outcome = interpret(HttpResponse(status, {}, body), AT)

    assert isinstance(outcome, Rejected)
    assert outcome.disable is disable
    assert body.decode() in outcome.detail


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert isinstance(interpret(HttpResponse(status, {}, b"rollup_error"), AT), Retry)


def test_a_body_that_slack_refuses_may_be_taken_in_its_shortest_form() -> None:
    refused = interpret(HttpResponse(400, {}, b"invalid_payload"), AT)
    gone = interpret(HttpResponse(404, {}, b"no_service"), AT)

    assert isinstance(refused, Rejected)
    assert isinstance(gone, Rejected)
    assert (refused.smaller, gone.smaller) == (True, False)


def test_a_bot_posts_to_its_channel_by_token() -> None:
    bot = Config.model_validate({"token": "xoxb-1", "channel": "C0123ABCD"})
    request = render(notice(), bot, AT)

    assert (request.url, request.headers["authorization"]) == (API, "Bearer xoxb-1")
    assert json.loads(request.body) == {"channel": "C0123ABCD"} | message(notice())


def test_a_bot_may_use_another_slack() -> None:
    url = "https://slack-gov.com/api/chat.postMessage"

    assert render(notice(), Config.model_validate({"token": "x", "channel": "C1", "url": url}), AT).url == url


@pytest.mark.parametrize("keys", [{}, {"token": "xoxb-1"}, {"channel": "C1"}, {"url": "https://x.example/", "channel": "C1"}])
def test_a_channel_is_a_webhook_or_a_bot(keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate(keys)


def test_what_the_api_has_posted_is_delivered_however_long_it_repeats_it() -> None:
    assert answer(ok=True, channel="C1", ts="1.2") == Delivered()
    assert interpret(HttpResponse(200, {}, b'{"ok":true,"message":{"text":"cut he'), AT) == Delivered()


@pytest.mark.parametrize(
    ("error", "disable", "smaller"),
    [
        ("invalid_auth", True, False),
        ("token_revoked", True, False),
        ("missing_scope", True, False),
        ("channel_not_found", True, False),
        ("not_in_channel", True, False),
        ("is_archived", True, False),
        ("invalid_blocks", False, True),
        ("msg_too_long", False, True),
        ("something_new", False, False),
    ],
)
def test_what_the_api_refuses_is_dead(error: str, disable: bool, smaller: bool) -> None:
    outcome = answer(ok=False, error=error)

    assert isinstance(outcome, Rejected)
    assert (outcome.disable, outcome.smaller) == (disable, smaller)
    assert error in outcome.detail


@pytest.mark.parametrize(
    ("error", "class_"), [("ratelimited", "http_429"), ("internal_error", "http_5xx"), ("service_unavailable", "http_5xx")]
)
def test_what_passes_at_the_api_is_tried_again(error: str, class_: str) -> None:
    outcome = answer(ok=False, error=error)

    assert isinstance(outcome, Retry)
    assert (outcome.error_class, outcome.not_before) == (class_, None)
