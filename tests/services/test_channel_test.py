"""A test of a channel: for every kind a message arrives, and what came of it is said."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.channels import kinds
from app.delivery.client import DeliveryClient
from app.errors import ChannelNotFound
from app.guard import GuardPolicy
from app.services.channel_test import send_test
from app.services.configuration import LiveConfig
from tests.channels.test_contract import BODIES, BY_HTTP, CONFIGS
from tests.config.support import loaded
from tests.delivery.mail_servers import mail_server
from tests.delivery.servers import Call, answers, receiver
from tests.support.clock import FakeClock

LOOPBACK = GuardPolicy.of(["127.0.0.0/8"])


def live(**channel: Any) -> LiveConfig:
    """A configuration in force with one channel, `there`, on loopback."""
    environ = {name.upper(): value for name, value in channel.items() if isinstance(value, str) and name != "kind"}
    entry = {name: f"${{env:{name.upper()}}}" if name.upper() in environ else value for name, value in channel.items()}
    entry |= {"secrets": ["${env:SIGNING}"]} if "secrets" in entry else {}
    document = json.dumps({"channels": {"there": entry}, "delivery": {"allow_networks": ["127.0.0.0/8"]}})
    made = loaded(document, environ | {"SIGNING": channel.get("secrets", [""])[0]})
    return cast(LiveConfig, SimpleNamespace(current=SimpleNamespace(loaded=made)))


@pytest.mark.parametrize("kind", BY_HTTP)
async def test_a_test_goes_to_every_kind_of_channel(kind: str, clock: FakeClock) -> None:
    async with receiver(answers("200 OK", body=BODIES.get(kind, b""))) as server, DeliveryClient(LOOPBACK) as client:
        configuration = live(**{**CONFIGS[kind], "kind": kind, "url": server.url})
        result = await send_test(configuration, client, "there", clock)

    [call] = server.calls
    assert (result.ok, result.status, result.error_class) == (True, 200, "ok"), result
    assert b"TEST" in call.body


async def test_a_test_by_mail_arrives_too(clock: FakeClock) -> None:
    async with mail_server() as server, DeliveryClient(LOOPBACK) as client:
        where = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "sla@example.com", "recipients": ["duty@example.com"]}
        result = await send_test(live(kind="email", **where), client, "there", clock)

    [envelope] = server.taken
    assert (result.ok, result.status, result.error_class) == (True, 250, "ok"), result
    assert isinstance(envelope.content, bytes)
    assert b"TEST" in envelope.content


def test_no_kind_is_left_out() -> None:
    assert {*BY_HTTP, "email"} == set(kinds())


async def test_what_is_refused_is_said_in_the_receivers_words(clock: FakeClock) -> None:
    async def refuse(call: Call) -> None:
        await answers("403 Forbidden", body=b"action_prohibited")(call)

    async with receiver(refuse) as server, DeliveryClient(LOOPBACK) as client:
        result = await send_test(live(kind="slack", url=server.url), client, "there", clock)

    assert (result.ok, result.status, result.error_class) == (False, 403, "http_4xx")
    assert "action_prohibited" in result.detail


async def test_a_channel_that_does_not_answer_has_no_status(clock: FakeClock) -> None:
    async with DeliveryClient(GuardPolicy()) as client:
        result = await send_test(live(kind="slack", url="http://127.0.0.1:9999/"), client, "there", clock)

    assert (result.ok, result.status, result.error_class) == (False, None, "blocked_address")


async def test_a_channel_that_is_not_configured_is_not_found(clock: FakeClock) -> None:
    async with DeliveryClient(LOOPBACK) as client:
        with pytest.raises(ChannelNotFound):
            await send_test(live(kind="slack", url="http://127.0.0.1:9999/"), client, "nobody", clock)
