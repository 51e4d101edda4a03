"""E-mail: what a standard reader finds in it, that a real server takes it, and that it opens no ticket."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.channels import Notice
from app.channels._story import tell
from app.channels.email import Config, interpret, render
from app.delivery.client import DeliveryClient
from app.exchange import Delivered, MailResponse, Outcome, Rejected, Retry
from app.guard import GuardPolicy
from app.schemas.events_out import event_types
from tests.channels.hostile import said, texts
from tests.channels.notices import AT, notice
from tests.delivery.certificates import Authority
from tests.delivery.mail_servers import PASSWORD, USER, mail_server
from tests.delivery.test_client import names

BASE: dict[str, Any] = {
    "host": "mail.example.com",
    "sender": "SLA watch <sla@example.com>",
    "recipients": ["duty@example.com"],
    "name": "duty",
}
ALLOWED_MARKUP = {"html", "body", "h2", "h3", "p", "table", "tr", "th", "td", "a", "small"}


def config(**changed: Any) -> Config:
    return Config.model_validate({**BASE, **changed})


def read(data: bytes) -> EmailMessage:
    """The message as the standard library reads it, after a look at the bytes."""
    lines = data.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert data.isascii()
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    for part in mail.walk():
        assert part.defects == []
        assert all(getattr(value, "defects", ()) == () for value in part.values()), part.items()
    return mail


def mailed(what: Notice, **changed: Any) -> EmailMessage:
    return read(render(what, config(**changed), AT).data)


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


class _Markup(HTMLParser):
    """The tags of a page, its links, and its text as a reader sees it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_breach_says_what_whose_how_late_and_what_comes_next() -> None:
    mail = mailed(notice(), timezone="Europe/Berlin")

    assert (mail["From"], mail["To"], mail["Date"]) == (
        "SLA watch <sla@example.com>",
        "duty@example.com",
        "Sat, 21 Nov 2026 10:30:04 +0100",
    )
    assert mail["Subject"] == (
        "✖ SLA breached: first response · #4711 Checkout fails with 502 · nobody assigned · "
        "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)"
    )
    assert body(mail) == (
        "✖ SLA breached: first response\n"
        "#4711 Checkout fails with 502\n"
        "Acme GmbH · priority urgent · tier gold · nobody assigned\n"
        "4 s late (due 2026-11-21 09:30 UTC, policy Gold 24x7)\n"
        "next: team lead in 15 min\n"
        "\n"
        "Policy: Gold 24x7\n"
        "Target: 30m\n"
        "Due: 2026-11-21 10:30 CET (2026-11-21 09:30 UTC)\n"
        "State: 4 s late\n"
        "\n"
        "Open ticket: https://acme.zendesk.example/agent/tickets/4711\n"
        "Breach: https://sla.example.com/breaches/brc_1\n"
        "Why: https://sla.example.com/tickets/tkt_1/explain\n"
        "\n"
        "breach brc_1 · clock clk_1 · step 1 of ladder wake-somebody\n"
        "Sent by slawatch. Channel duty. Nobody reads answers.\n"
    )


def test_the_page_says_the_same_as_the_text() -> None:
    mail = mailed(notice())
    page = _Markup(body(mail, "html"))
    shown = " ".join(page.text.split())

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_subtype() for part in mail.iter_parts()] == ["plain", "html"]
    assert page.links == re.findall(r"https://\S+", body(mail))
    assert [word for word in body(mail).replace(": ", " ").split() if word not in shown and word not in page.links] == []
    assert page.tags <= ALLOWED_MARKUP


def test_it_says_that_a_program_has_made_it_and_how_urgent_it_is() -> None:
    breach, recovery = mailed(notice()), mailed(notice("sla.recovered"))

    assert breach["Auto-Submitted"] == recovery["Auto-Submitted"] == "auto-generated"
    assert breach["X-Auto-Response-Suppress"] == "All"
    assert (breach["Importance"], recovery["Importance"]) == ("high", None)
    assert (breach["X-Slawatch-Event"], recovery["X-Slawatch-Event"]) == ("sla.breached", "sla.recovered")


def test_all_mails_of_an_incident_refer_to_one_root() -> None:
    types = ("sla.warning", "sla.breached", "escalation.step", "escalation.acknowledged", "sla.recovered")
    thread = [mailed(notice(type_)) for type_ in types]
    other = mailed(notice("sla.breached", clock={"id": "clk_2"}))

    assert len({mail["References"] for mail in thread}) == 1
    assert all(mail["In-Reply-To"] == mail["References"] != mail["Message-ID"] for mail in thread)
    assert other["References"] != thread[0]["References"]


def test_a_mail_keeps_its_id_over_all_attempts_and_has_another_for_another_channel() -> None:
    first, later = (read(render(notice(), config(), at).data) for at in (AT, AT + timedelta(hours=2)))

    assert first["Message-ID"] == later["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", first["Message-ID"])
    assert first["Date"] != later["Date"]
    assert mailed(notice(), name="other")["Message-ID"] != first["Message-ID"]


@settings(deadline=None, max_examples=60)
@given(texts(), st.sampled_from(sorted(event_types())))
def test_any_text_from_outside_is_a_valid_mail_and_leaves_the_facts_readable(text: str, type_: str) -> None:
    what = said(text, type_, url=f"https://x.example/{text[:40]}")
    mail = mailed(what, timezone="Asia/Kathmandu")
    page = _Markup(body(mail, "html"))

    assert page.tags <= ALLOWED_MARKUP
    assert all(link is not None and link.startswith("https://") for link in page.links)
    assert not set(mail["Subject"] + body(mail)) & set("\r\0\u202e\u2066")
    assert mail["Subject"] == tell(what.event).brief(150)
    if type_ == "sla.breached":
        assert "SLA breached: first response · #4711" in mail["Subject"]
        assert "due 2026-11-21 09:30 UTC" in mail["Subject"]
        assert "2026-11-21 15:15 +0545 (2026-11-21 09:30 UTC)" in body(mail)
        assert "2026-11-21 15:15 +0545 (2026-11-21 09:30 UTC)" in page.text


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("a =?_\"'<>()[]:;,@\\.é…✖🔥אב-"), max_size=160))
def test_a_subject_is_read_as_it_was_written(text: str) -> None:
    what = notice(ticket={"subject": text})

    assert mailed(what)["Subject"] == tell(what.event).brief(150)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_real_server_takes_it_over_tls_with_a_login(tmp_path: Path, tls: str) -> None:
    authority = Authority(tmp_path)
    context = authority.server("mail.example.com")
    contexts: dict[str, Any] = {tls: context}
    loopback, resolve = GuardPolicy.of(["127.0.0.0/8"]), names(["127.0.0.1"])
    async with mail_server(**contexts, with_login=True) as server:
        made = config(tls=tls, port=server.port, username=USER, password=PASSWORD, recipients=["a@example.com", "b@example.com"])
        async with DeliveryClient(loopback, resolve=resolve, ssl_context=authority.client()) as client:
            exchange = await client.send(render(notice(), made, AT))

    assert exchange.response is not None, exchange
    assert interpret(exchange.response, AT) == Delivered()  # type: ignore[arg-type]
    [envelope] = server.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("sla@example.com", ["a@example.com", "b@example.com"])
    assert isinstance(envelope.content, bytes)
    assert body(read(envelope.content)).startswith("✖ SLA breached: first response\n")


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ({"duty@example.com": "451 4.7.1 greylisted"}, Retry("smtp_4xx", "The receiver answered 451. It says: 4.7.1 greylisted.")),
        ({"DATA": "552 5.3.4 too large"}, Rejected("smtp_5xx", "The receiver answered 552. It says: 5.3.4 too large.")),
        ({"duty@example.com": "550 5.1.1 who?"}, Rejected("smtp_5xx", "The receiver answered 550. It says: 5.1.1 who?.", disable=True)),
    ],
)
async def test_what_a_real_server_refuses_is_tried_again_or_not(replies: dict[str, str], expected: Outcome) -> None:
    async with mail_server(replies) as server, DeliveryClient(GuardPolicy.of(["127.0.0.0/8"])) as client:
        exchange = await client.send(render(notice(), config(host="127.0.0.1", port=server.port, tls="none"), AT))

    assert interpret(exchange.response, AT) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("implicit", 465), ("none", 25)])
def test_each_way_has_its_usual_port(tls: str, port: int) -> None:
    assert render(notice(), config(tls=tls), AT).port == port
    assert render(notice(), config(tls=tls, port=2525), AT).port == 2525


def test_encryption_is_the_default() -> None:
    request = render(notice(), config(), AT)

    assert (request.tls, request.username, request.password) == ("starttls", None, None)


def test_one_recipient_may_be_written_without_a_list_and_nobody_gets_it_twice() -> None:
    assert render(notice(), config(recipients="duty@example.com"), AT).recipients == ("duty@example.com",)
    assert render(notice(), config(recipients=["a@example.com"] * 2), AT).recipients == ("a@example.com",)


@pytest.mark.parametrize("recipient", ["support@example.com", "Support@Example.com", "support+sla@example.com"])
def test_an_address_whose_mail_becomes_a_ticket_is_refused(recipient: str) -> None:
    with pytest.raises(ValidationError, match="becomes a ticket"):
        config(recipients=["duty@example.com", recipient], intake_addresses="support@example.com")


def test_a_sender_whose_mail_becomes_a_ticket_is_refused_because_of_bounces() -> None:
    with pytest.raises(ValidationError, match="bounces"):
        config(sender="Support <SUPPORT+sla@example.com>", intake_addresses="support@example.com")


def wrong() -> Iterator[dict[str, Any]]:
    for host in (
        "smtp://mail.example.com",
        "mail.example.com:25",
        "",
        "a b",
        "127.1",
        "user@mail.example.com",
        "[::1]",
        "mail/x",
        "fe80::1%eth0",
    ):
        yield {"host": host}
    for address in ("duty", "a@b", "<a@example.com>", "a@example.com, b@example.com", "a@exämple.com", "a\r\n@example.com", "@example.com"):
        yield {"recipients": [address]}
        yield {"sender": address}
    yield {"sender": "A <a@example.com>, B <b@example.com>"}
    yield {"sender": "A\r\nBcc: x@example.com <a@example.com>"}
    yield {"recipients": []}
    yield {"recipients": [f"{number}@example.com" for number in range(51)]}
    yield {"timezone": "Europe/Nowhere"}
    yield {"timezone": "../etc/passwd"}
    yield {"username": "x"}
    yield {"password": "x"}
    yield {"username": "x", "password": "y", "tls": "none"}
    yield {"port": 0}


@pytest.mark.parametrize("changed", [one for one in wrong() if one != {"sender": "<a@example.com>"}])
def test_what_no_server_would_take_is_refused_in_the_document(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**changed)


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("sla@example.com", ""),
        ("SLA watch <sla@example.com>", "SLA watch"),
        ("SLA Wächter Süd <sla@example.com>", "SLA Wächter Süd"),
        ('"Wächter, SLA ✖ - x" <sla@example.com>', "Wächter, SLA ✖ - x"),
    ],
)
def test_a_sender_may_have_a_name(sender: str, name: str) -> None:
    request = render(notice(), config(sender=sender), AT)
    [shown] = read(request.data)["From"].addresses

    assert request.sender == "sla@example.com"
    assert (shown.addr_spec, shown.display_name) == ("sla@example.com", name)


def outcome(status: int, words: bytes = b"") -> Outcome:
    return interpret(MailResponse(status, words), AT)


@pytest.mark.parametrize(
    ("status", "words", "disable"),
    [
        (550, b"5.1.1 no such user here", True),
        (550, b"5.1.10 the domain takes no mail", True),
        (553, b"5.1.3 bad address", True),
        (550, b"5.2.1 mailbox disabled", True),
        (535, b"5.7.8 wrong password", True),
        (530, b"5.7.0 log in first", True),
        (521, b"takes no mail", True),
        (550, b"5.7.1 looks like spam", False),
        (552, b"5.3.4 too large", False),
        (554, b"no, 5.1.1 is not at the beginning", False),
        (502, b"", False),
    ],
)
def test_a_five_is_final_and_switches_off_where_nobody_is(status: int, words: bytes, disable: bool) -> None:
    found = outcome(status, words)

    assert isinstance(found, Rejected)
    assert (found.error_class, found.disable) == ("smtp_5xx", disable)
    assert words.decode() in found.detail


@pytest.mark.parametrize(("status", "error_class"), [(421, "smtp_4xx"), (451, "smtp_4xx"), (354, "protocol_error")])
def test_a_four_passes(status: int, error_class: str) -> None:
    found = outcome(status, b"4.7.1 come back later")

    assert isinstance(found, Retry)
    assert (found.error_class, found.not_before) == (error_class, None)
    assert "come back later" in found.detail
