"""A test somebody asked for: the real rendering, marked TEST, sent at once and outside the outbox."""

from dataclasses import dataclass

import orjson

from app.channels import Notice
from app.delivery.client import DeliveryClient
from app.delivery.sending import attempt
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
    made = await attempt(client, config, Notice(new_id(MESSAGE), event.type, body, orjson.loads(body)), now)
    response = made.exchange.response if made.exchange is not None else None
    status = response.status if response is not None else None
    latency = made.exchange.timing.total_ms if made.exchange is not None else 0.0
    if isinstance(made.outcome, Delivered):
        return TestResult(True, status, "ok", "accepted", latency)
    return TestResult(False, status, made.outcome.error_class, made.outcome.detail, latency)
