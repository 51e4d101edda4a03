"""Intercom: webhooks of an app, one notification a topic, for conversations and tickets.

https://developers.intercom.com/docs/references/webhooks/webhook-models

Signed with `X-Hub-Signature: sha1=<hex>`, an HMAC over the raw body whose key is the app's client secret; no freshness. A notification has
an id (`notif_...`) that stays the same when it is sent again: once, after a minute. Intercom waits five seconds for an answer.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Final, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _intercom_topic, _json, _signed, _verify
from app.helpdesks.writing import intercom as writing

SIGNATURE: Final = "x-hub-signature"


class Config(_signed.SignedConfig):
    """An Intercom source. `secret` is the app's client secret."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "open": "open", "snoozed": "pending", "closed": "solved",
        "submitted": "new", "in_progress": "open", "waiting_on_customer": "pending", "resolved": "solved",
    }  # fmt: skip
    built_in_priorities: ClassVar[Mapping[str, str]] = {"priority": "high"}

    kind: Literal["intercom"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """Intercom's own scheme; None without a secret."""
        return _verify.Hmac(header=SIGNATURE, secret=self.secret, prefix="sha1=", algorithm="sha1") if self.secret else None


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over the body is ours and `verify` holds; else InvalidSignature."""
    _signed.check(request, config, config.signature, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The event of one notification. Unreadable unless the body is a notification that names its topic and its conversation or ticket."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    return _intercom_topic.read(body, request.body, config, received_at)
