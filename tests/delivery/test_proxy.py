"""The egress proxy: everything goes through it, and its faults are ours."""

import base64

from app.delivery.client import DeliveryClient
from app.delivery.proxy import Proxy
from app.exchange import HttpRequest
from app.guard import GuardPolicy
from tests.delivery.servers import answers, receiver
from tests.delivery.test_client import names


def post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {"content-type": "application/json", "user-agent": "test"}, b"{}")


async def test_requests_go_through_the_proxy_with_its_credentials_and_names_are_left_to_it() -> None:
    resolve = names(["10.0.0.1"])
    async with DeliveryClient(GuardPolicy(), resolve=resolve) as client, receiver(answers("202 Accepted")) as proxy:
        await client.set_policy(GuardPolicy(), proxy=Proxy.of(f"http://jo:s3cret@127.0.0.1:{proxy.port}"))
        exchanges = [await client.send(post("http://hooks.example.com/in"), allow_http=True) for _ in range(2)]

    assert [202, 202] == [exchange.response.status for exchange in exchanges if exchange.response is not None]
    assert {1} == {call.number for call in proxy.calls}
    for call in proxy.calls:
        assert call.head.startswith("POST http://hooks.example.com/in HTTP/1.1\r\n")
        assert f"Proxy-Authorization: Basic {base64.b64encode(b'jo:s3cret').decode()}" in call.head
    assert resolve.asked == []


async def test_https_asks_the_proxy_for_a_tunnel_and_a_refusal_is_a_fault_of_ours() -> None:
    async with DeliveryClient(GuardPolicy()) as client, receiver(answers("403 Forbidden")) as proxy:
        await client.set_policy(GuardPolicy(), proxy=Proxy.of(f"http://127.0.0.1:{proxy.port}"))
        exchange = await client.send(post("https://hooks.example.com/in"))

    assert proxy.calls[0].head.startswith("CONNECT hooks.example.com:443 HTTP/1.1\r\n")
    assert (exchange.response, exchange.error_class) == (None, "internal")
    assert "egress proxy" in exchange.detail


async def test_a_proxy_that_is_not_there_is_a_fault_of_ours(nowhere: str) -> None:
    async with DeliveryClient(GuardPolicy()) as client:
        await client.set_policy(GuardPolicy(), proxy=Proxy.of(nowhere.removesuffix("/hook")))
        exchange = await client.send(post("https://hooks.example.com/in"))

    assert (exchange.response, exchange.error_class) == (None, "internal")


async def test_a_url_that_names_an_internal_address_is_refused_with_a_proxy_too() -> None:
    async with DeliveryClient(GuardPolicy()) as client, receiver(answers("200 OK")) as proxy:
        await client.set_policy(GuardPolicy(), proxy=Proxy.of(f"http://127.0.0.1:{proxy.port}"))
        exchange = await client.send(post("https://169.254.169.254/latest"))

    assert (exchange.error_class, proxy.calls) == ("blocked_address", [])


def test_a_proxy_does_not_show_its_password() -> None:
    assert "s3cret" not in repr(Proxy.of("http://jo:s3cret@proxy.example.com:3128"))
    assert Proxy.of(None) is None
