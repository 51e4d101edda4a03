"""The one door out, against real receivers on loopback that behave well and badly."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from app.delivery.client import DeliveryClient, Exchange, Limits
from app.exchange import HttpRequest, HttpResponse
from app.guard import GuardPolicy
from tests.delivery.certificates import Authority
from tests.delivery.servers import Behave, Call, answers, drips, never, receiver, says

LOOPBACK = GuardPolicy.of(["127.0.0.0/8"])
QUICK = Limits(dns=0.2, connect=0.2, total=0.4, body=0.1)


def post(url: str, body: bytes = b'{"a":1}', **headers: str) -> HttpRequest:
    return HttpRequest("POST", url, {"content-type": "application/json", "user-agent": "test"} | headers, body)


def names(*answers: Sequence[str]) -> Any:
    """A resolver that gives one list of answers per lookup, over and over, and counts."""
    lookups = cycle(answers)

    async def resolve(host: str) -> Sequence[str]:
        resolve.asked.append(host)  # type: ignore[attr-defined]
        return next(lookups)

    resolve.asked = []  # type: ignore[attr-defined]
    return resolve


@pytest.fixture
async def client() -> AsyncIterator[DeliveryClient]:
    async with DeliveryClient(LOOPBACK, limits=QUICK, resolve=names(["127.0.0.1"])) as opened:
        yield opened


async def sent_to(behave: Behave, client: DeliveryClient) -> Exchange:
    async with receiver(behave) as server:
        return await client.send(post(server.url))


async def test_the_request_arrives_byte_for_byte(client: DeliveryClient) -> None:
    body = '{"subject": "Störung"}'.encode()
    async with receiver(answers("200 OK", "X-A: 1", "x-a: 2", body=b"thanks")) as server:
        exchange = await client.send(post(f"{server.url}//a/../b?c=%20d", body, **{"webhook-id": "msg_1"}), show_path=True)

    [call] = server.calls
    assert call.body == body
    assert call.head.startswith("POST /hook//a/../b?c=%20d HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n" in call.head.lower()
    assert "webhook-id: msg_1\r\n" in call.head.lower()
    assert "accept-encoding" not in call.head.lower()
    assert isinstance(exchange.response, HttpResponse)
    assert (exchange.response.status, exchange.response.body, exchange.response.headers["x-a"]) == (200, b"thanks", "1, 2")
    assert (exchange.error_class, exchange.detail) == (None, "")
    assert exchange.url_redacted == f"http://127.0.0.1:{server.port}/hook//a/../b?..."


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_never_followed(client: DeliveryClient, status: int) -> None:
    async with receiver(answers("200 OK")) as elsewhere, receiver(answers(f"{status} Go", f"Location: {elsewhere.url}")) as server:
        exchange = await client.send(post(server.url))

    assert exchange.response is not None
    assert exchange.response.status == status
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("behave", "error_class"),
    [
        pytest.param(never, "timeout", id="says nothing"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), "timeout", id="headers never end"),
        pytest.param(drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), "timeout", id="hints never end"),
        pytest.param(says(b"NOTHTTP\r\n\r\n"), "protocol_error", id="junk status line"),
        pytest.param(says(b"HTTP/1.1 abc\r\n\r\n"), "protocol_error", id="junk status"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000_000 + b"\r\n\r\n"), "protocol_error", id="huge header"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500 + b"\r\n"), "protocol_error", id="many headers"),
        pytest.param(says(b""), "connection_reset", id="closes after the request"),
        pytest.param(says(b"HTTP/1.1 200 O"), "connection_reset", id="closes in the head"),
    ],
)
async def test_what_is_no_answer_has_its_error_class(client: DeliveryClient, behave: Behave, error_class: str) -> None:
    exchange = await sent_to(behave, client)

    assert (exchange.response, exchange.error_class) == (None, error_class)
    assert exchange.detail.endswith(".")


async def test_a_reset_after_the_request_is_a_reset_connection(client: DeliveryClient) -> None:
    async def reset(call: Call) -> None:
        call.reset()

    exchange = await sent_to(reset, client)

    assert exchange.error_class == "connection_reset"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(says(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 5 + b"HTTP/1.1 204 No Content\r\n\r\n"), id="early hints"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"a"), id="dripping body"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n", b"a" * 60_000, seconds=0), id="endless body"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"), id="body cut short"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc"), id="junk chunks"),
        pytest.param(says(b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz"), id="hints and junk"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\njunk\r\n\r\njunk"), id="junk after the body"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc"), id="not gzip"),
        pytest.param(answers("202 Accepted", body=b"a" * 100_000), id="large body"),
        pytest.param(answers("200 OK", "Content-Encoding: gzip", body=gzip.compress(bytes(50_000_000))), id="compressed bomb"),
    ],
)
async def test_the_status_line_decides_whatever_becomes_of_the_body(client: DeliveryClient, behave: Behave) -> None:
    exchange = await sent_to(behave, client)

    assert exchange.error_class is None
    assert exchange.response is not None
    assert 200 <= exchange.response.status < 300
    assert len(exchange.response.body) <= 8 * 1024


async def test_a_refused_connection_is_named(client: DeliveryClient) -> None:
    with socket.socket() as bound:  # bound, but nobody listens
        bound.bind(("127.0.0.1", 0))
        exchange = await client.send(post(f"http://127.0.0.1:{bound.getsockname()[1]}/"))

    assert (exchange.error_class, exchange.response) == ("connect_refused", None)


async def test_a_connection_that_is_never_accepted_times_out(client: DeliveryClient) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # fills the queue: further SYNs are dropped
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        exchange = await client.send(post(f"http://127.0.0.1:{address[1]}/"))
        for one in waiting:
            one.close()

    assert exchange.error_class == "connect_timeout"


async def test_connections_are_kept_and_used_again(client: DeliveryClient) -> None:
    async with receiver(answers("200 OK")) as server:
        first = await client.send(post(server.url))
        second = await client.send(post(server.url))

    assert (server.connections, len(server.calls)) == (1, 2)
    assert first.timing.connect_ms is not None
    assert (second.timing.connect_ms, second.timing.dns_ms) == (None, None)


async def test_a_kept_connection_that_died_costs_one_instant_retry(client: DeliveryClient) -> None:
    async def dies_on_second_request(call: Call) -> None:
        if call.request > 1:
            call.writer.close()
        else:
            await answers("200 OK")(call)

    async with receiver(dies_on_second_request) as server:
        await client.send(post(server.url))
        exchange = await client.send(post(server.url))

    assert exchange.response is not None
    assert [(call.number, call.request) for call in server.calls] == [(1, 1), (1, 2), (2, 1)]


async def test_a_new_connection_that_dies_is_not_tried_again_at_once(client: DeliveryClient) -> None:
    async with receiver(says(b"")) as server:
        exchange = await client.send(post(server.url))

    assert exchange.error_class == "connection_reset"
    assert len(server.calls) == 1


async def test_a_kept_connection_that_dies_late_is_not_tried_again_at_once() -> None:
    async def dies_slowly(call: Call) -> None:
        if call.request > 1:
            await asyncio.sleep(0.05)
            call.writer.close()
        else:
            await answers("200 OK")(call)

    async with DeliveryClient(LOOPBACK, limits=Limits(stale=0.01)) as client, receiver(dies_slowly) as server:
        await client.send(post(server.url))
        exchange = await client.send(post(server.url))

    assert exchange.error_class == "connection_reset"
    assert len(server.calls) == 2


async def test_proxies_of_the_environment_are_ignored(client: DeliveryClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(answers("200 OK")) as proxy, receiver(answers("204 No Content")) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
        exchange = await client.send(post(server.url))

    assert exchange.response is not None
    assert exchange.response.status == 204
    assert proxy.connections == 0


async def test_cookies_are_not_kept(client: DeliveryClient) -> None:
    async with receiver(answers("200 OK", "Set-Cookie: a=b")) as server:
        await client.send(post(server.url))
        await client.send(post(server.url))

    assert "cookie" not in server.calls[1].head.lower()


@pytest.mark.parametrize(
    ("url", "error_class"),
    [
        ("http://10.0.0.1:9000/", "blocked_address"),
        ("http://93.184.216.34/", "blocked_url"),
        ("http://127.1/", "blocked_url"),
        ("https://user:secret@example.com/", "blocked_url"),
        ("gopher://127.0.0.1/", "blocked_url"),
        ("", "blocked_url"),
    ],
)
async def test_what_the_guard_refuses_is_not_looked_up_nor_dialled(url: str, error_class: str) -> None:
    resolve = names(["127.0.0.1"])
    async with DeliveryClient(LOOPBACK, resolve=resolve, limits=QUICK) as client:
        exchange = await client.send(post(url))

    assert (exchange.error_class, exchange.response, resolve.asked) == (error_class, None, [])
    assert "secret" not in exchange.url_redacted + exchange.detail


async def test_a_header_that_would_break_the_request_is_our_own_fault(client: DeliveryClient) -> None:
    async with receiver(answers("200 OK")) as server:
        exchange = await client.send(post(server.url, x="a\r\nb: c"))

    assert (exchange.error_class, server.calls) == ("internal", [])


async def test_a_closed_client_sends_nothing() -> None:
    client = DeliveryClient(LOOPBACK)
    await client.close()
    exchange = await client.send(post("http://127.0.0.1:9000/"))

    assert exchange.error_class == "internal"


class TestNames:
    """Names are looked up once per dial, and all answers are judged."""

    async def test_a_name_leads_where_the_resolver_says(self) -> None:
        async with (
            DeliveryClient(LOOPBACK, resolve=(resolve := names(["127.0.0.1"]))) as client,
            receiver(answers("200 OK")) as server,
        ):
            exchange = await client.send(post(f"http://hooks.example.com:{server.port}/"))

        assert exchange.response is not None
        assert f"host: hooks.example.com:{server.port}\r\n" in server.calls[0].head.lower()
        assert resolve.asked == ["hooks.example.com"]
        assert exchange.timing.dns_ms is not None

    @pytest.mark.parametrize("bad", [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["93.184.216.34"], ["::ffff:10.0.0.1"]])
    async def test_one_bad_answer_refuses_the_name(self, bad: list[str]) -> None:
        async with DeliveryClient(LOOPBACK, resolve=names(bad)) as client, receiver(answers("200 OK")) as server:
            exchange = await client.send(post(f"http://hooks.example.com:{server.port}/"))

        assert (exchange.error_class, server.connections) == ("blocked_address", 0)

    async def test_a_name_that_turns_bad_is_refused_at_the_next_dial(self) -> None:
        async with (
            DeliveryClient(LOOPBACK, resolve=names(["127.0.0.1"], ["10.0.0.1"])) as client,
            receiver(answers("200 OK", "Connection: close")) as server,
        ):
            first = await client.send(post(f"http://rebind.example.com:{server.port}/"))
            second = await client.send(post(f"http://rebind.example.com:{server.port}/"))
            third = await client.send(post(f"http://rebind.example.com:{server.port}/"))

        assert first.response is not None
        assert second.error_class == "blocked_address"
        assert third.response is not None
        assert server.connections == 2

    async def test_a_resolver_that_hangs_is_cut(self) -> None:
        async def hang(_host: str) -> list[str]:
            await asyncio.Event().wait()
            raise AssertionError

        async with DeliveryClient(LOOPBACK, resolve=hang, limits=QUICK) as client:
            exchange = await client.send(post("https://slow.example.com/"))

        assert exchange.error_class == "dns_timeout"

    async def test_a_name_without_address_is_a_dns_error(self) -> None:
        async def unknown(_host: str) -> list[str]:
            raise socket.gaierror(-2, "Name or service not known")

        for resolve in (unknown, names([])):
            async with DeliveryClient(LOOPBACK, resolve=resolve) as client:
                exchange = await client.send(post("https://unknown.example.com/"))

            assert exchange.error_class == "dns_error"

    async def test_our_own_listener_is_refused_behind_a_name(self) -> None:
        async with receiver(answers("200 OK")) as server:
            policy = GuardPolicy.of(["127.0.0.0/8"], own_addresses=[("127.0.0.1", server.port)])
            async with DeliveryClient(policy, resolve=names(["127.0.0.1"])) as client:
                exchange = await client.send(post(f"http://hooks.example.com:{server.port}/"))

        assert (exchange.error_class, server.connections) == ("blocked_address", 0)

    async def test_plain_http_permitted_for_one_request_is_not_for_the_next(self) -> None:
        async with DeliveryClient(GuardPolicy(), resolve=(resolve := names(["127.0.0.1"]))) as client:
            permitted = await client.send(post("http://hooks.example.com:9000/"), allow_http=True)
            refused = await client.send(post("http://hooks.example.com:9000/"))

        assert permitted.error_class == "blocked_address"  # the name was looked up, and its answer was bad
        assert refused.error_class == "blocked_url"
        assert resolve.asked == ["hooks.example.com"]


class TestTls:
    """SNI, Host and the certificate go by name, although an address is dialled."""

    async def test_the_certificate_is_checked_against_the_name(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        async with (
            receiver(answers("200 OK"), tls=authority.server("hooks.example.com")) as server,
            DeliveryClient(LOOPBACK, resolve=names(["127.0.0.1"]), ssl_context=authority.client()) as client,
        ):
            exchange = await client.send(post(f"https://hooks.example.com:{server.port}/"))

        assert exchange.response is not None
        assert server.server_names == ["hooks.example.com"]
        assert f"host: hooks.example.com:{server.port}\r\n" in server.calls[0].head.lower()
        assert exchange.timing.tls_ms is not None
        assert exchange.timing.connect_ms is not None

    async def test_a_certificate_for_another_name_gets_nothing(self, tmp_path: Path) -> None:
        authority = Authority(tmp_path)
        async with (
            receiver(answers("200 OK"), tls=authority.server("other.example.com")) as server,
            DeliveryClient(LOOPBACK, resolve=names(["127.0.0.1"]), ssl_context=authority.client()) as client,
        ):
            exchange = await client.send(post(f"https://hooks.example.com:{server.port}/"))

        assert (exchange.error_class, server.calls) == ("tls_error", [])
        assert "hooks.example.com" in exchange.detail

    async def test_an_authority_we_do_not_trust_gets_nothing(self, tmp_path: Path) -> None:
        async with (
            receiver(answers("200 OK"), tls=Authority(tmp_path).server("hooks.example.com")) as server,
            DeliveryClient(LOOPBACK, resolve=names(["127.0.0.1"])) as client,
        ):
            exchange = await client.send(post(f"https://hooks.example.com:{server.port}/"))

        assert (exchange.error_class, server.calls) == ("tls_error", [])

    async def test_a_receiver_without_tls_is_a_tls_error(self, client: DeliveryClient) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        exchange = await client.send(post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
        server.close()
        await server.wait_closed()

        assert exchange.error_class == "tls_error"

    async def test_a_handshake_that_hangs_is_cut(self, client: DeliveryClient) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            exchange = await client.send(post(f"https://127.0.0.1:{silent.getsockname()[1]}/"))

        assert exchange.error_class == "connect_timeout"


class TestPolicy:
    """A new policy rules at once; what runs may end."""

    async def test_idle_connections_of_the_old_policy_are_closed(self) -> None:
        async with DeliveryClient(LOOPBACK) as client, receiver(answers("200 OK")) as server:
            await client.send(post(server.url))
            await client.set_policy(GuardPolicy())
            refused = await client.send(post(server.url))
            await client.set_policy(LOOPBACK)
            again = await client.send(post(server.url))

        assert refused.error_class == "blocked_address"
        assert again.response is not None
        assert server.connections == 2

    async def test_the_same_policy_keeps_connections(self) -> None:
        async with DeliveryClient(LOOPBACK) as client, receiver(answers("200 OK")) as server:
            await client.send(post(server.url))
            await client.set_policy(GuardPolicy.of(["127.0.0.0/8"]))
            await client.send(post(server.url))

        assert server.connections == 1

    async def test_a_request_that_runs_ends_under_its_policy(self) -> None:
        arrived, answer = asyncio.Event(), asyncio.Event()

        async def wait(call: Call) -> None:
            arrived.set()
            await answer.wait()
            await answers("200 OK")(call)

        async with DeliveryClient(LOOPBACK) as client, receiver(wait) as server:
            running = asyncio.create_task(client.send(post(server.url)))
            await arrived.wait()
            await client.set_policy(GuardPolicy())
            answer.set()
            exchange = await running

        assert exchange.response is not None
