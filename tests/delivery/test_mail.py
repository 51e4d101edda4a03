"""The door out for e-mail, against servers on loopback that behave well and badly."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app.delivery.client import DeliveryClient, Limits
from app.exchange import MailRequest, MailResponse
from app.guard import GuardPolicy
from tests.delivery.certificates import Authority
from tests.delivery.mail_servers import PASSWORD, USER, MailServer, bad_server, mail_server
from tests.delivery.test_client import names

LOOPBACK = GuardPolicy.of(["127.0.0.0/8"])
QUICK = Limits(dns=0.2, connect=0.2, total=0.5)
PATIENT = Limits()
MESSAGE = b"Subject: test\r\n\r\nfirst\r\n.second\r\n"
HOST = "mail.example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def client(authority: Authority) -> AsyncIterator[DeliveryClient]:
    async with DeliveryClient(LOOPBACK, limits=PATIENT, resolve=names(["127.0.0.1"]), ssl_context=authority.client()) as opened:
        yield opened


@pytest.fixture
async def hasty(authority: Authority) -> AsyncIterator[DeliveryClient]:
    async with DeliveryClient(LOOPBACK, limits=QUICK, resolve=names(["127.0.0.1"]), ssl_context=authority.client()) as opened:
        yield opened


def mail(port: int, **changed: Any) -> MailRequest:
    given = {"host": HOST, "tls": "none", "sender": "sla@example.com", "recipients": ("duty@example.com",), "data": MESSAGE}
    return MailRequest(**{"port": port, **given, **changed})


def encrypting_server(tls: str, context: ssl.SSLContext, *, with_login: bool = False) -> AbstractAsyncContextManager[MailServer]:
    return mail_server(
        starttls=context if tls == "starttls" else None, implicit=context if tls == "implicit" else None, with_login=with_login
    )


async def test_a_message_arrives_as_it_is_and_the_answer_comes_back(client: DeliveryClient) -> None:
    async with mail_server() as server:
        exchange = await client.send(mail(server.port))

    [envelope] = server.taken
    assert (envelope.mail_from, envelope.rcpt_tos, envelope.content) == ("sla@example.com", ["duty@example.com"], MESSAGE)
    assert server.greetings == ["[127.0.0.1]"]
    assert exchange.response == MailResponse(250, b"2.0.0 queued as 4711")
    assert (exchange.error_class, exchange.detail, exchange.url_redacted) == (None, "", f"smtp://{HOST}:{server.port}")
    assert all(part is not None for part in (exchange.timing.dns_ms, exchange.timing.connect_ms, exchange.timing.first_byte_ms))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_over_tls_with_a_login_the_certificate_is_checked_by_name(client: DeliveryClient, authority: Authority, tls: str) -> None:
    async with encrypting_server(tls, authority.server(HOST), with_login=True) as server:
        exchange = await client.send(mail(server.port, tls=tls, username=USER, password=PASSWORD))

    assert exchange.response == MailResponse(250, b"2.0.0 queued as 4711"), exchange
    assert server.encrypted == [True]
    assert exchange.timing.tls_ms is not None
    assert exchange.url_redacted.startswith("smtps://" if tls == "implicit" else "smtp://")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_certificate_for_another_name_is_refused(client: DeliveryClient, authority: Authority, tls: str) -> None:
    async with encrypting_server(tls, authority.server("other.example.com")) as server:
        exchange = await client.send(mail(server.port, tls=tls))

    assert (exchange.response, exchange.error_class) == (None, "tls_error")
    assert "certificate" in exchange.detail
    assert server.taken == []


async def test_without_starttls_nothing_is_sent(client: DeliveryClient) -> None:
    async with mail_server() as server:
        exchange = await client.send(mail(server.port, tls="starttls"))

    assert (exchange.error_class, server.taken) == ("tls_error", [])
    assert "STARTTLS" in exchange.detail


async def test_a_wrong_password_is_an_answer_that_does_not_show_it(client: DeliveryClient, authority: Authority) -> None:
    async with mail_server(starttls=authority.server(HOST), with_login=True) as server:
        request = mail(server.port, tls="starttls", username=USER, password="Wr0ng")
        exchange = await client.send(request)

    assert exchange.response is not None
    assert exchange.response.status == 535
    assert "Wr0ng" not in f"{request!r} {exchange!r}"


@pytest.mark.parametrize("reply", ["451 4.7.1 come back later", "554 5.7.1 not that"])
@pytest.mark.parametrize("where", ["duty@example.com", "DATA"])
async def test_a_refusal_is_an_answer(client: DeliveryClient, where: str, reply: str) -> None:
    async with mail_server({where: reply}) as server:
        exchange = await client.send(mail(server.port))

    assert exchange.response == MailResponse(int(reply[:3]), reply[4:].encode())
    assert server.taken == []


async def test_of_several_refusals_the_one_that_may_pass_counts(client: DeliveryClient) -> None:
    async with mail_server({"a@example.com": "550 5.1.1 who?", "b@example.com": "452 4.2.2 full"}) as server:
        exchange = await client.send(mail(server.port, recipients=("a@example.com", "b@example.com")))

    assert exchange.response == MailResponse(452, b"4.2.2 full")


async def test_a_message_taken_for_one_is_taken_and_the_others_are_named(client: DeliveryClient) -> None:
    async with mail_server({"a@example.com": "550 5.1.1 who?"}) as server:
        exchange = await client.send(mail(server.port, recipients=("a@example.com", "duty@example.com")))

    assert [envelope.rcpt_tos for envelope in server.taken] == [["duty@example.com"]]
    assert exchange.response == MailResponse(250, b"2.0.0 queued as 4711\nrefused a@example.com: 550 5.1.1 who?")


@pytest.mark.parametrize(
    ("lines", "options", "error_class"),
    [
        pytest.param([], {}, "timeout", id="says nothing"),
        pytest.param([], {"close": True}, "connection_reset", id="closes at once"),
        pytest.param([b"220 hello\r\n"], {"close": True}, "connection_reset", id="closes after the greeting"),
        pytest.param([b"HTTP/1.1 400 Bad Request\r\n"], {}, "protocol_error", id="speaks HTTP"),
        pytest.param([b"220 hello\r\n", b"9" * 40_000], {}, "protocol_error", id="a line without end"),
        pytest.param([b"220 hello\r\n"], {"repeat": b"250-x\r\n" * 1000}, "protocol_error", id="an answer without end"),
        pytest.param([b"220-"], {"repeat": b"h"}, "timeout", id="a greeting that drips"),
        pytest.param([b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"], {}, "timeout", id="never takes it"),
    ],
)
async def test_what_is_no_answer_has_its_error_class(hasty: DeliveryClient, lines: list[bytes], options: Any, error_class: str) -> None:
    async with bad_server(*lines, **options) as port:
        exchange = await hasty.send(mail(port))

    assert (exchange.response, exchange.error_class) == (None, error_class), exchange.detail
    assert exchange.detail.endswith(".")


async def test_once_the_message_is_taken_nothing_changes_that(hasty: DeliveryClient) -> None:
    lines = [b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 queued\r\n"]
    async with bad_server(*lines, close=True) as port:
        exchange = await hasty.send(mail(port))

    assert exchange.response == MailResponse(250, b"queued")


async def test_a_server_that_greets_with_a_refusal_has_answered(client: DeliveryClient) -> None:
    async with bad_server(b"421 4.3.2 too busy\r\n", close=True) as port:
        exchange = await client.send(mail(port))

    assert exchange.response == MailResponse(421, b"4.3.2 too busy")


async def test_the_second_address_is_dialled_when_the_first_takes_no_connection(authority: Authority) -> None:
    async with mail_server() as server, DeliveryClient(LOOPBACK, resolve=names(["127.9.9.9", "127.0.0.1"])) as client:
        exchange = await client.send(mail(server.port))

    assert exchange.response is not None
    assert len(server.taken) == 1


async def test_a_connection_that_is_refused_is_named(client: DeliveryClient) -> None:
    with socket.socket() as bound:  # bound, but nobody listens
        bound.bind(("127.0.0.1", 0))
        exchange = await client.send(mail(bound.getsockname()[1]))

    assert (exchange.response, exchange.error_class) == (None, "connect_refused")


@pytest.mark.parametrize(
    ("host", "answers", "error_class"),
    [
        (HOST, ["93.184.216.34", "127.0.0.1"], "blocked_address"),
        (HOST, ["169.254.169.254"], "blocked_address"),
        ("127.0.0.1", [], "blocked_address"),
        ("::1", [], "blocked_address"),
        ("localhost", ["127.0.0.1"], "blocked_url"),
        ("127.1", [], "blocked_url"),
        ("user@mail.example.com", [], "blocked_url"),
        (HOST, [], "dns_error"),
    ],
)
async def test_the_guard_judges_every_address_of_the_server(host: str, answers: list[str], error_class: str) -> None:
    async with mail_server() as server, DeliveryClient(GuardPolicy(), resolve=names(answers)) as client:
        exchange = await client.send(mail(server.port, host=host))

    assert (exchange.response, exchange.error_class, server.taken) == (None, error_class, [])


async def test_our_own_port_is_never_dialled() -> None:
    async with mail_server() as server:
        own = GuardPolicy.of(["127.0.0.0/8"], own_addresses=[("0.0.0.0", server.port)])
        async with DeliveryClient(own, resolve=names(["127.0.0.1"])) as client:
            exchange = await client.send(mail(server.port))

    assert (exchange.error_class, server.taken) == ("blocked_address", [])


async def test_a_closed_client_sends_nothing() -> None:
    client = DeliveryClient(LOOPBACK, resolve=names(["127.0.0.1"]))
    await client.close()
    async with mail_server() as server:
        exchange = await client.send(mail(server.port))

    assert (exchange.error_class, server.taken) == ("internal", [])
