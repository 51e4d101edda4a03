"""Slack: what is posted, within Slack's limits, and that no text from outside comes alive in it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from app.channels import Notice
from app.channels.slack import Config, interpret, render
from app.exchange import Delivered, HttpResponse, Rejected, Retry
from tests.channels.notices import AT, notice

CONFIG = Config.model_validate({"url": "https://hooks.slack.com/services/T0/B0/XXXX"})
LINE = (
    "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
    "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min"
)


def message(said: Notice) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(render(said, CONFIG, AT).body)
    return body


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
                        "text": "breach `brc_1` · clock `clk_1` · step 1 of ladder wake-somebody · next: team lead in 15 min",
                    }
                ],
            },
        ],
    }
    check_limits(body)


@pytest.mark.parametrize(
    ("type_", "changed", "line"),
    [
        (
            "sla.warning",
            {"late_seconds": None, "clock": {"remaining_seconds": 450, "metric": "resolution"}, "step": None, "breach_id": None},
            (
                "◔ SLA at risk: resolution · #4711 Checkout fails with 502 · nobody assigned · "
                "due in 7 min (due 2026-11-21 09:30 UTC, policy Gold 24x7) · act before it is due"
            ),
        ),
        (
            "sla.recovered",
            {"late_seconds": 12_000, "ticket": {"assignee": "Jane", "external_id": "ACME-12", "subject": None}, "step": None},
            (
                "✔ SLA recovered: first response · ACME-12 · assigned to Jane · "
                "3 h 20 min late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · nothing to do"
            ),
        ),
        (
            "sla.met_late",
            {"late_seconds": 7200, "ticket": {"group": "Support"}, "step": None},
            (
                "✔ SLA met late: first response · #4711 Checkout fails with 502 · assigned to Support · "
                "2 h late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · nothing to do"
            ),
        ),
        (
            "sla.retracted",
            {"clock": {"due_at": None}, "step": None},
            (
                "↺ SLA breach retracted: first response · #4711 Checkout fails with 502 · nobody assigned · "
                "kept (policy Gold 24x7) · nothing to do: the promise was kept"
            ),
        ),
        (
            "sla.breached",
            {"late_seconds": 0, "step": None},
            (
                "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
                "due now (due 2026-11-21 09:30 UTC, policy Gold 24x7) · act now"
            ),
        ),
        ("test.ping", {}, "✔ Test · Somebody pressed the button. · channel support-chat · nothing to do"),
    ],
)
def test_each_event_is_one_line_that_stands_alone(type_: str, changed: dict[str, Any], line: str) -> None:
    body = message(notice(type_, **changed))

    assert body["text"] == line
    check_limits(body)


def test_an_event_we_do_not_know_is_named() -> None:
    said = Notice("msg_1", "escalation.step", b"{}", {"type": "escalation.step", "data": {"level": 2}})

    assert message(said) == {"text": "• escalation step · see the dashboard or the API for details"}


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
    url = "https://x.example/" + "a" * 2000
    body = message(notice(ticket={"url": url}))

    assert url not in body["blocks"][1]["text"]["text"]
    assert body["blocks"][3]["elements"][0]["url"] == url
    check_limits(body)


def test_no_link_at_all_means_no_buttons() -> None:
    body = message(notice(ticket={"url": None}, links={"breach": None, "explain": None}))

    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section", "context"]
    check_limits(body)


def test_a_body_that_grew_too_large_falls_back_to_the_line() -> None:
    long = "https://x.example/" + "ü" * 2900  # two bytes each
    body = message(notice(links={"ticket": long, "breach": long, "explain": long}))

    assert body == {"text": LINE}


@given(st.text(max_size=12_000) | st.sampled_from(["&" * 10_000, "<!here>" * 2000, "😀" * 9000, "${{7*7}}", "@everyone", "\u05d0" * 500]))
def test_any_text_from_outside_fits_and_leaves_the_facts_readable(text: str) -> None:
    parts: dict[str, Any] = {
        "ticket": {"subject": text, "assignee": text, "organization": text, "priority": text, "tier": text},
        "why": {"policy": text},
        "step": {"ladder": text, "next": text},
        "clock": {"target": text},
    }
    body = message(notice(**parts))

    check_limits(body)
    assert "SLA breached: first response · #4711" in body["text"]
    assert "due 2026-11-21 09:30 UTC" in body["text"]
    assert "<!" not in body["text"]


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
