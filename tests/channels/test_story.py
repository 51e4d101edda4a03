"""An event in words: one line that stands alone, and the same at more length."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from app.channels import Notice
from app.channels._story import Story, tell
from app.channels._text import cut, cut_bytes, duration, web_link
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import SIGNAL, notice

TICKET = "#4711 Checkout fails with 502 · nobody assigned"
LATE = "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)"
ACK = "https://sla.example.com/ack/abc"
UNTIL = "2026-11-21T10:00:00Z"
NO_CLOCK: dict[str, Any] = {"clock": None, "why": None, "breach_id": None, "late_seconds": None, "step": None}


def story(said: Notice) -> Story:
    return tell(said.event)


@pytest.mark.parametrize(
    ("type_", "changed", "line"),
    [
        ("sla.breached", {}, f"✖ SLA breached: first response · {TICKET} · {LATE} · next: team lead in 15 min"),
        ("sla.recovered", {}, f"✔ SLA recovered: first response · {TICKET} · {LATE} · nothing to do"),
        (
            "sla.retargeted",
            {"late_seconds": None, "clock": {"remaining_seconds": 7200}},
            (
                f"↻ SLA due time changed: first response · {TICKET} · due in 2 h (due 2026-11-21 09:30 UTC, policy Gold 24x7)"
                " · nothing to do before it is due"
            ),
        ),
        (
            "sla.retargeted",
            {"late_seconds": None, "clock": {"remaining_seconds": None, "due_at": None}},
            f"↻ SLA due time changed: first response · {TICKET} · not due by itself (policy Gold 24x7) · nothing to do before it is due",
        ),
        (
            "sla.retargeted",
            {
                "late_seconds": None,
                "clock": {"remaining_seconds": 7200},
                "retargeted": {
                    "due_before": "2026-11-21T12:30:00Z",
                    "due_after": "2026-11-21T09:30:00Z",
                    "changes": [{"what": "priority", "after": "high"}, {"what": "target", "before": "4h", "after": "1h"}],
                },
            },
            (
                f"↻ SLA due time changed: first response · {TICKET} · due in 2 h (due 2026-11-21 09:30 UTC, policy Gold 24x7)"
                " · was due 2026-11-21 12:30 UTC · priority none → high, target 4h → 1h · nothing to do before it is due"
            ),
        ),
        (
            "sla.retargeted",
            {"late_seconds": None, "clock": {"remaining_seconds": 7200}, "retargeted": {"changes": []}},
            (
                f"↻ SLA due time changed: first response · {TICKET} · due in 2 h (due 2026-11-21 09:30 UTC, policy Gold 24x7)"
                " · was not due by itself · nothing to do before it is due"
            ),
        ),
        (
            "sla.warning",
            {"late_seconds": None, "clock": {"remaining_seconds": None, "target_seconds": None, "target": "2bd"}, "step": None},
            f"◔ SLA at risk: first response · {TICKET} · not due yet (due 2026-11-21 09:30 UTC, policy Gold 24x7) · act before it is due",
        ),
        (
            "sla.warning",
            {"late_seconds": None, "clock": {"remaining_seconds": 450, "metric": "resolution"}, "ticket": {"assignee": "Jane"}},
            (
                "◔ SLA at risk: resolution · #4711 Checkout fails with 502 · assigned to Jane"
                " · due in 7 min (due 2026-11-21 09:30 UTC, policy Gold 24x7) · next: team lead in 15 min"
            ),
        ),
        (
            "sla.met_late",
            {"late_seconds": 7200, "ticket": {"group": "Support", "external_id": "ACME-12", "subject": None}},
            (
                "✔ SLA met late: first response · ACME-12 · assigned to Support"
                " · 2 h late (due 2026-11-21 09:30 UTC, policy Gold 24x7) · nothing to do"
            ),
        ),
        (
            "sla.retracted",
            {"clock": {"due_at": None}},
            f"↺ SLA breach retracted: first response · {TICKET} · kept (policy Gold 24x7) · nothing to do: the promise was kept",
        ),
        (
            "sla.breached",
            {"late_seconds": 0, "step": None},
            f"✖ SLA breached: first response · {TICKET} · due now (due 2026-11-21 09:30 UTC, policy Gold 24x7) · act now",
        ),
        ("escalation.opened", {}, f"▲ Escalated: first response · {TICKET} · {LATE} · next: team lead in 15 min"),
        (
            "escalation.opened",
            {**NO_CLOCK, "escalation": {"cause": "manual", "ladder": None, "opened_by": "Jane", "reason": "A VIP is angry"}},
            f"▲ Escalated: by hand · {TICKET} · opened by Jane · reason: A VIP is angry · acknowledge it or act",
        ),
        (
            "escalation.opened",
            {**NO_CLOCK, "escalation": {"cause": "signal"}, "signal": {"name": "low_csat", "raised_at": UNTIL, "evidence": ["1 of 5."]}},
            f"▲ Escalated: low csat · {TICKET} · 1 of 5. · acknowledge it or act",
        ),
        ("escalation.step", {"step": {"step": 2}}, f"▲ Escalation step 2: first response · {TICKET} · {LATE} · next: team lead in 15 min"),
        ("escalation.step", {"step": None}, f"▲ Escalation goes on: first response · {TICKET} · {LATE} · acknowledge it or act"),
        (
            "escalation.acknowledged",
            {"escalation": {"acknowledged_by": "Jane", "acknowledged_until": UNTIL}},
            (
                f"◉ Acknowledged: first response · {TICKET} · {LATE} · acknowledged by Jane"
                " · next: the ladder goes on at 2026-11-21 10:00 UTC unless it is renewed"
            ),
        ),
        (
            "escalation.deescalated",
            {"escalation": {"closed_because": "answered"}},
            f"✔ Escalation over: first response · {TICKET} · {LATE} · because: answered · nothing to do",
        ),
        (
            "escalation.exhausted",
            {"step": {"next": None}},
            f"‼ Nobody has acted: first response · {TICKET} · {LATE} · act now: nobody else will be told",
        ),
        ("signal.raised", {}, f"⚑ Signal: agent switching · {TICKET} · 4 different agents within 7 days. · look at the ticket"),
        (
            "signal.raised",
            {"escalation_id": "esc_1"},
            f"⚑ Signal: agent switching · {TICKET} · 4 different agents within 7 days. · next: a ladder has begun to run",
        ),
        (
            "endpoint.failing",
            {"detail": "The receiver answered 502.", "held": 0},
            (
                "◔ Channel fails: support-chat (slack) · 12 attempts have failed since 2026-11-21 09:30 UTC · The receiver answered 502."
                " · it is still tried; see what it answers"
            ),
        ),
        (
            "endpoint.disabled",
            {},
            (
                "✖ Channel switched off: support-chat (slack) · 12 attempts have failed since 2026-11-21 09:30 UTC · http 5xx"
                " · 3 notices are held for it · mend it, then recover it; until then nobody hears it"
            ),
        ),
        (
            "source.silent",
            {},
            (
                "✖ Helpdesk is silent: acme-zendesk (zendesk) · its last webhook came 2026-11-21 09:30 UTC · usually one comes every 40 s"
                " · see whether it still sends webhooks; what happens there is not known"
            ),
        ),
        (
            "source.recovered",
            {"last_delivery_at": None, "usual_gap_seconds": None},
            "✔ Helpdesk is heard again: acme-zendesk (zendesk) · no webhook has come yet · nothing to do",
        ),
        (
            "sla.digest",
            {},
            ("✖ 12 breaches: tier gold · #4711 Checkout fails with 502 (first response due 2026-11-21 09:30 UTC) · and 11 more · act now"),
        ),
        (
            "sla.digest",
            {
                "cause": "silence",
                "title": "1 breach",
                "count": 1,
                "silence": {"id": "sil_1", "author": "Jane", "reason": "moving"},
                "items": [],
            },
            "✖ 1 breach · after the silence of Jane: moving · and 1 more · act now",
        ),
        (
            "sla.digest",
            {"title": "9 warnings", "count": 9, "counts": {"sla.breached": 0, "sla.warning": 9}, "items": []},
            "◔ 9 warnings · and 9 more · look at the list",
        ),
        ("test.ping", {}, "✔ Test · Somebody pressed the button. · channel support-chat · nothing to do"),
    ],
)
def test_each_event_is_one_line_that_stands_alone(type_: str, changed: dict[str, Any], line: str) -> None:
    assert story(notice(type_, **changed)).line == line


def test_every_event_we_send_is_told_in_words_of_its_own() -> None:
    headlines = {type_: story(notice(type_)).headline for type_ in event_types()}

    assert len(set(headlines.values())) == len(headlines)
    assert not [headline for headline in headlines.values() if headline.startswith("•")]


@pytest.mark.parametrize("type_", ["sla.paused", "escalation.snoozed", "signal.lowered", "endpoint.muted", "source.added"])
def test_an_event_of_a_later_release_is_told_with_the_facts_we_know(type_: str) -> None:
    family = {"sla": "sla.breached", "escalation": "escalation.step", "signal": "signal.raised"}
    known = notice(family.get(type_.partition(".")[0], f"{type_.partition('.')[0]}.recovered"))
    told = tell({**known.event, "type": type_})

    assert told.headline.startswith(f"• {type_.replace('.', ' ')}: ")
    assert told.upcoming == "see the ticket"


@pytest.mark.parametrize(
    "event", [{}, {"type": "sla.breached"}, {"type": "escalation.step", "data": {"level": 2}}, {"type": "x", "data": 1}]
)
def test_an_event_of_an_unknown_shape_is_named(event: dict[str, Any]) -> None:
    told = tell(event)

    assert told.line == f"• {str(event.get('type', 'event')).replace('.', ' ')} · see the dashboard or the API for details"
    assert told.facts == ()


def test_an_acknowledged_escalation_says_by_whom_and_until_when() -> None:
    facts = story(notice("escalation.acknowledged", escalation={"acknowledged_by": "Jane", "acknowledged_until": UNTIL})).facts

    assert [(fact.name, fact.shown) for fact in facts[-2:]] == [
        ("Acknowledged by", "Jane"),
        ("Acknowledged until", "2026-11-21 10:00 UTC"),
    ]
    assert facts[-1].value == datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "offered"),
    [
        ("sla.warning", True),
        ("sla.breached", True),
        ("escalation.step", True),
        ("escalation.exhausted", True),
        ("escalation.acknowledged", False),
        ("escalation.deescalated", False),
        ("sla.recovered", False),
    ],
)
def test_a_page_to_acknowledge_on_is_offered_while_there_is_something_to_acknowledge(type_: str, offered: bool) -> None:
    links = story(notice(type_, links={"acknowledge": ACK})).links

    assert [link.action for link in links][:2] == (["open_ticket", "acknowledge"] if offered else ["open_ticket", "open_breach"])


def test_the_ticket_is_opened_in_the_helpdesk_or_else_here() -> None:
    ours = "https://sla.example.com/v1/tickets/tkt_1"

    assert story(notice(links={"ticket": ours})).links[0].url == "https://acme.zendesk.example/agent/tickets/4711"
    assert story(notice(links={"ticket": ours}, ticket={"url": "javascript:alert(1)"})).links[0].url == ours


@pytest.mark.parametrize("limit", [100, 130, 200, 400, 1024])
@pytest.mark.parametrize("subject", ["Checkout fails with 502", "a" * 500, "\U0001f525 " * 100, ""])
def test_a_short_line_keeps_what_happened_the_ticket_and_the_due_time(limit: int, subject: str) -> None:
    brief = story(notice(ticket={"subject": subject}, why={"policy": "p" * 300}, step={"next": "n" * 300})).brief(limit)

    assert len(brief) <= limit
    assert brief.startswith("✖ SLA breached: first response · #4711")
    assert "4 s late (due 2026-11-21 09:30 UTC" in brief


def test_a_line_that_fits_is_left_whole() -> None:
    told = story(notice())

    assert told.brief(200) == told.line
    assert told.brief(len(told.line) - 1) == told.line.removesuffix(" · next: team lead in 15 min")


@settings(deadline=None, max_examples=40)
@given(texts())
def test_texts_from_outside_are_one_harmless_line_of_bounded_length(text: str) -> None:
    for type_ in ("sla.breached", "escalation.acknowledged"):
        told = story(said(text, type_))
        everything = [told.line, told.people, told.footer, *(fact.shown for fact in told.facts)]

        assert len(told.line) <= 2000
        assert not [part for part in everything if set(part) & set("\r\n\0\x1b\u2028\u202e\u2066")]
        assert all(len(fact.shown) <= 300 for fact in told.facts)
        assert len(told.facts) <= 9


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (90_000, "25 h")],
)
def test_a_duration_is_told_in_its_two_greatest_units(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://x.example", "https://x.example"),
        ("http://zammad.internal:8080/#ticket/zoom/12", "http://zammad.internal:8080/#ticket/zoom/12"),
        ("https://[2001:db8::1]:8443/a?b=c%20d&e=f", "https://[2001:db8::1]:8443/a?b=c%20d&e=f"),
        ("https://x.example/(a)[b]<c>|d\"e'f`g", "https://x.example/%28a%29%5Bb%5D%3Cc%3E%7Cd%22e%27f%60g"),
        ("https://x.example/ü", "https://x.example/%C3%BC"),
        ("https://x.example/" + "a" * 2030, "https://x.example/" + "a" * 2030),
        ("https://x.example/" + "a" * 2031, None),
        ("https://good.example@evil.example/", None),
        ("https://good.example\\@evil.example/", None),
        ("https://[::1/", None),
        ("https:///path", None),
        ("javascript:alert(1)", None),
        ("/tickets/4711", None),
        ("https://x.example/a b", None),
        ("https://x.example/\n<!channel>", None),
        ("", None),
        (None, None),
    ],
)
def test_a_link_is_an_absolute_web_address_that_ends_where_we_end_it(url: str | None, link: str | None) -> None:
    assert web_link(url) == link


def test_what_is_cut_says_so_and_splits_no_character() -> None:
    assert (cut("abcdef", 4), cut("abcd", 4)) == ("abc…", "abcd")
    assert (cut_bytes("üüüü", 7), cut_bytes("üüüü", 8)) == ("üü…", "üüüü")


HELP: dict[str, Any] = {
    "guidance": ["Answer now.", "Say who takes care of it."],
    "customer_text": "We are on\u202e it\nuntil 16:30.",
    "tried": {"replies": 1, "customer_messages": 2, "notes": 0, "transfers": 3, "reopenings": 0},
}


def helped(event_type: str, **parts: Any) -> list[tuple[str, str]]:
    """The facts of a notice that carries guidance."""
    event = notice(event_type, **parts).event
    return [(fact.name, fact.shown) for fact in tell({**event, "data": {**event["data"], **HELP}}).facts]


@pytest.mark.parametrize("type_", ["sla.breached", "signal.raised"])
def test_what_helps_is_told_where_there_is_room(type_: str) -> None:
    assert [
        ("Advice", "Answer now. Say who takes care of it."),
        ("For the customer", "We are on it until 16:30."),
        ("Tried", "replies: 1, notes: 0, transfers: 3"),
    ] == helped(type_)[-3:]


def test_what_helps_takes_the_place_of_nothing() -> None:
    facts = helped("escalation.step", escalation={"acknowledged_by": "Jane", "acknowledged_until": UNTIL, "reason": "why"}, signal=SIGNAL)

    assert 9 == len(facts)
    assert "Advice" not in dict(facts)
    assert "Evidence" in dict(facts)
