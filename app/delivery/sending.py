"""One attempt: a notice in a channel's words, sent once, and what the answer means. Nothing is stored here."""

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson

from app import channels
from app.channels import ChannelConfig, Notice
from app.delivery.client import DeliveryClient, Exchange
from app.exchange import Outcome, Rejected, Retry
from app.store.claims import Claim
from app.timesource import Now

log = logging.getLogger(__name__)

NO_CHANNEL: Final = "there is no channel of this name in the configuration any more"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to. `exchange` None: nothing could be sent."""

    outcome: Outcome
    kind: str
    method: str = "POST"
    exchange: Exchange | None = None

    @property
    def answered(self) -> bool:
        """Whether the endpoint is there: it has answered, or it was not asked."""
        return self.exchange is None or self.exchange.response is not None or self.exchange.error_class == "internal"

    def row(self, claim: Claim, started: datetime, error_class: str, detail: str | None) -> Mapping[str, Any]:
        """As it is stored: no secret, at most 8 KiB of the answer."""
        response = self.exchange.response if self.exchange else None
        return {
            "delivery_id": claim.id,
            "number": claim.attempts,
            "started_at": started,
            "method": self.method,
            "url": self.exchange.url_redacted if self.exchange else "",
            "status": response.status if response else None,
            "error_class": error_class,
            "detail": detail,
            "timing": self.exchange.timing.parts() if self.exchange else {},
            "answer": response.body if response else None,
        }


class Notices:
    """The notices that are being sent, parsed once however many channels hear them; the last used are kept."""

    def __init__(self, most: int = 512) -> None:
        self._kept: OrderedDict[str, Notice] = OrderedDict()
        self._most = most

    def missing(self, claims: Sequence[Claim]) -> list[str]:
        """The ids of notices whose bytes are needed, sorted."""
        return sorted({claim.notice_id for claim in claims} - self._kept.keys())

    def keep(self, claims: Sequence[Claim], bodies: Mapping[str, bytes]) -> dict[str, Notice]:
        """The notices of the claims, by id."""
        found: dict[str, Notice] = {}
        for claim in claims:
            known = self._kept.pop(claim.notice_id, None)
            if known is None:
                body = bodies[claim.notice_id]
                known = Notice(claim.notice_id, claim.type, body, orjson.loads(body))
            found[claim.notice_id] = self._kept[claim.notice_id] = known
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found


async def attempt(client: DeliveryClient, config: ChannelConfig | None, notice: Notice, now: Now) -> Attempt:
    """Send a notice to a channel (None: it is not in the configuration any more). A body that the channel refuses as it is, it gets
    once more in its shortest form."""
    if config is None:
        return Attempt(Rejected("internal", NO_CHANNEL), "unknown")
    made = await _once(client, config, notice, now)
    if isinstance(made.outcome, Rejected) and made.outcome.smaller and not notice.shortest:
        made = await _once(client, config, replace(notice, shortest=True), now)
    return made


async def _once(client: DeliveryClient, config: ChannelConfig, notice: Notice, now: Now) -> Attempt:
    channel = channels.load(config.kind)
    try:
        request = channel.render(notice, config, now())
    except Exception:
        log.exception("A notice could not be rendered.", extra={"event": "delivery.render_failed", "notice_id": notice.id})
        return Attempt(Retry("internal", "the notice could not be rendered; the log has the details"), config.kind)
    method = getattr(request, "method", "SMTP")
    exchange = await client.send(request, allow_http=config.allow_http, show_path=config.show_path)
    if exchange.response is None:
        return Attempt(Retry(exchange.error_class or "internal", exchange.detail), config.kind, method, exchange)
    return Attempt(channel.interpret(exchange.response, now()), config.kind, method, exchange)
