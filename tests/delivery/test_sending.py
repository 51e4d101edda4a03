"""One attempt: in a channel's words, and once more in its shortest form when the body was refused."""

from ipaddress import ip_network

import orjson
import pytest

from app.channels import ChannelConfig, Notice, load
from app.delivery.client import DeliveryClient
from app.delivery.sending import Notices, attempt
from app.exchange import Delivered, Rejected
from app.guard import GuardPolicy
from app.schemas.events_out_examples import examples
from app.store.claims import Claim
from app.timesource import utc_now
from tests.delivery.servers import Call, answers, receiver
from tests.support.clock import START

BODY = orjson.dumps(examples()["sla.breached"])
NOTICE = Notice("msg_1", "sla.breached", BODY, orjson.loads(BODY))


def discord(url: str) -> ChannelConfig:
    return load("discord").Config.model_validate({"kind": "discord", "url": url, "allow_http": True})


def client() -> DeliveryClient:
    return DeliveryClient(GuardPolicy((ip_network("127.0.0.0/8"),)))


def claim(notice_id: str) -> Claim:
    return Claim(f"dlv_{notice_id}", notice_id, "up", "sla.breached", None, 1, 0, 1, None, START)


async def test_a_body_that_is_refused_goes_once_more_in_its_shortest_form() -> None:
    async def refuse_the_long_one(call: Call) -> None:
        await answers("400 Bad Request" if b"embeds" in call.body else "200 OK", body=b"{}")(call)

    async with client() as door, receiver(refuse_the_long_one) as server:
        made = await attempt(door, discord(server.url), NOTICE, utc_now)

    assert Delivered() == made.outcome
    assert [True, False] == [b"embeds" in call.body for call in server.calls]


async def test_what_is_refused_in_its_shortest_form_too_is_not_sent_a_third_time() -> None:
    async with client() as door, receiver(answers("400 Bad Request", body=b"{}")) as server:
        made = await attempt(door, discord(server.url), NOTICE, utc_now)

    assert isinstance(made.outcome, Rejected)
    assert 2 == len(server.calls)


async def test_a_channel_that_is_no_more_gets_nothing() -> None:
    async with client() as door:
        made = await attempt(door, None, NOTICE, utc_now)

    assert isinstance(made.outcome, Rejected)
    assert (made.kind, made.outcome.error_class, made.answered) == ("unknown", "internal", True)


def test_a_notice_is_read_once_however_many_channels_hear_it() -> None:
    notices = Notices(most=2)
    first = notices.keep([claim("msg_1")], {"msg_1": b"{}"})["msg_1"]
    notices.keep([claim("msg_2")], {"msg_2": b"{}"})

    assert [] == notices.missing([claim("msg_1"), claim("msg_2")])
    assert first is notices.keep([claim("msg_1")], {})["msg_1"]
    notices.keep([claim("msg_3")], {"msg_3": b"{}"})
    assert ["msg_2"] == notices.missing([claim("msg_1"), claim("msg_2"), claim("msg_2")])
    with pytest.raises(KeyError):
        notices.keep([claim("msg_2")], {})
