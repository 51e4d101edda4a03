"""Zendesk: event subscriptions (`zen:event-type:...`) and webhooks connected to triggers, whose body the admin templates.

A webhook of Zendesk is one or the other, and both are signed alike: base64(HMAC-SHA256(secret, timestamp header + raw body)), the secret
taken verbatim although it looks like base64 (https://developer.zendesk.com/documentation/webhooks/verifying/). Zendesk does not say for
how long a signature is good; five minutes is what receivers use. Zendesk waits about ten seconds for an answer.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from app.exchange import HttpRequest
from app.helpdesks import Reading, Secrets, SourceConfig, _json, _verify, _zendesk_event, _zendesk_trigger
from app.helpdesks.fetching import API, ENRICH, RECONCILE, Enrich, Reconcile
from app.helpdesks.fetching import zendesk as fetching
from app.helpdesks.writing import zendesk as writing

SIGNATURE: Final = "x-zendesk-webhook-signature"
SIGNED_AT: Final = "x-zendesk-webhook-signature-timestamp"


class Config(SourceConfig):
    """A Zendesk source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {"hold": "on_hold", "archived": "closed", "deleted": "deleted", "scrubbed": "deleted"}

    kind: Literal["zendesk"]
    secret: Secrets | None = Field(default=None, description="The webhook's signing secret, as Zendesk shows it.")
    tolerance: _verify.Tolerance = Field(
        default=timedelta(minutes=5), description="How far the signed time may lie from ours, either way; `off` = any."
    )
    verify: _verify.Verification | None = Field(
        default=None,
        description="What the webhook's own authentication (basic, bearer, API key) must prove; beside or instead of `secret`.",
    )
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    api: fetching.Config | None = Field(default=None, description=API)
    reconcile: Reconcile = Field(default=None, description=RECONCILE)
    enrich: Enrich = Field(default=None, description=ENRICH)

    @model_validator(mode="after")
    def _is_verified(self) -> Self:
        if self.secret is None and self.verify is None:
            raise ValueError("a Zendesk source needs its signing `secret` (or `verify: ...`; an open door is written `verify: none`)")
        if self.secret is not None and self.verify == "none":
            raise ValueError("`secret` and `verify: none` contradict each other")
        return self

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """Zendesk's own scheme; None without a signing secret."""
        if self.secret is None:
            return None
        return _verify.Hmac(
            header=SIGNATURE,
            secret=self.secret,
            encoding="base64",
            over="timestampbody",
            timestamp_header=SIGNED_AT,
            tolerance=self.tolerance,
        )


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over timestamp and body is ours and the timestamp near `now`, and `verify` holds; else InvalidSignature."""
    if config.signature is not None:
        _verify.check_hmac(request, config.signature, now)
    if config.verify is not None:
        _verify.check(request, config.verify, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The events of one delivery. Unreadable unless the body is an object of one of the two kinds."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    if _zendesk_event.is_one(body):
        return _zendesk_event.read(body, config, received_at)
    return _zendesk_trigger.read(body, request, config, received_at)
