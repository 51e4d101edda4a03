"""Zendesk: event subscriptions (`zen:event-type:...`) and webhooks connected to triggers, whose body the admin templates.

A webhook of Zendesk is one or the other, and both are signed alike: base64(HMAC-SHA256(secret, timestamp header + raw body)), the secret
taken verbatim although it looks like base64 (https://developer.zendesk.com/documentation/webhooks/verifying/). Zendesk does not say for
how long a signature is good; five minutes is what receivers use. Zendesk waits about ten seconds for an answer.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.exchange import HttpRequest
from app.helpdesks import PriorityWord, Reading, Secret, Secrets, SourceConfig, _json, _verify, _zendesk_event, _zendesk_trigger

SIGNATURE: Final = "x-zendesk-webhook-signature"
SIGNED_AT: Final = "x-zendesk-webhook-signature-timestamp"


class WriteBack(BaseModel):
    """How breaches are marked in Zendesk."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    subdomain: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$", to_lower=True)] = Field(
        description="`acme` of acme.zendesk.com"
    )
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s:]+@[^@\s:]+$")] = Field(description="The API user's address.")
    token: Secret
    our_user_id: str | None = Field(default=None, min_length=1, description="The API user's id: its events are echoes of our own.")
    priority_ceiling: PriorityWord = Field(default="high", description="Write-backs never raise a ticket above this.")


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
    write_back: WriteBack | None = None

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

    def own_ids(self) -> Iterable[str]:
        ours = self.write_back.our_user_id if self.write_back else None
        return [*self.our_user_ids, ours] if ours else self.our_user_ids


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
