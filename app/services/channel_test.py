"""A test somebody asked for: the real rendering, marked TEST, sent at once and outside the outbox."""

from dataclasses import dataclass

import orjson

from app import channels
from app.channels import Notice
from app.delivery.client import DeliveryClient
from app.errors import ChannelNotFound
from app.exchange import Delivered
from app.ids import MESSAGE, new_id
from app.schemas.events_out import TestData, TestPing
from app.services.configuration import LiveConfig
from app.timesource import Now


@dataclass(frozen=True, slots=True)
class TestResult:
    """How a test went. `status` None: there was no answer; `error_class` is `ok` when it was accepted."""

    __test__ = False

    ok: bool
    status: int | None
    error_class: str
    detail: str
    latency_ms: float


async def send_test(live: LiveConfig, client: DeliveryClient, name: str, now: Now) -> TestResult:
    """Send `test.ping` to a channel of the configuration in force. ChannelNotFound. Nothing is stored, nothing is retried."""
    config = live.current.loaded.channels.get(name)
    if config is None:
        raise ChannelNotFound(f"There is no channel {name!r} in the configuration.")
    event = TestPing(timestamp=now(), data=TestData(channel=name, message="TEST: this is only a test of the channel, nothing is breached."))
    body = orjson.dumps(event.model_dump(mode="json"))
    channel = channels.load(config.kind)
    request = channel.render(Notice(new_id(MESSAGE), event.type, body, orjson.loads(body)), config, now())
    exchange = await client.send(request, allow_http=config.allow_http, show_path=config.show_path)
    latency = exchange.timing.total_ms
    if exchange.response is None:
        return TestResult(False, None, exchange.error_class or "internal", exchange.detail, latency)
    outcome = channel.interpret(exchange.response, now())
    if isinstance(outcome, Delivered):
        return TestResult(True, exchange.response.status, "ok", "accepted", latency)
    return TestResult(False, exchange.response.status, outcome.error_class, outcome.detail, latency)
