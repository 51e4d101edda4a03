"""Front: webhooks of rules and of applications.

https://dev.frontapp.com/docs/rule-webhooks, https://dev.frontapp.com/docs/application-webhooks

* A rule's webhook sends an event of Front's API; an application's puts it into an envelope (`payload`) under a name of its own.
* A rule's webhook is signed with base64(HMAC-SHA1(API secret, body)), without a time. An application's is signed with
  base64(HMAC-SHA256(signing key, X-Front-Request-Timestamp + `:` + body)), the time in milliseconds; Front recommends five minutes.
* When an application's webhook is saved, Front sends X-Front-Challenge and wants to read it back within ten seconds.
* Rules' webhooks are never retried, applications' up to three times; the event's id stays the same.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Final, Literal

from pydantic import Field

from app.errors import Unreadable
from app.exchange import HttpRequest
from app.helpdesks import Answer, Reading, _front_event, _json, _signed, _verify
from app.helpdesks.writing import front as writing
from app.rules.events import ActorKind

SIGNATURE: Final = "x-front-signature"
SIGNED_AT: Final = "x-front-request-timestamp"
CHALLENGE: Final = "x-front-challenge"
CHALLENGE_MAX: Final = 1000
"""Characters of a challenge that are sent back."""

_SYNC: Final = "sync"


class Config(_signed.SignedConfig):
    """A Front source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = _front_event.STATUSES

    kind: Literal["front"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    tolerance: _verify.Tolerance = Field(
        default=timedelta(minutes=5), description="How far the signed time of an application's webhook may lie from ours; `off` = any."
    )

    others_are: Literal["agent", "unknown"] = Field(
        default="unknown", description="Who wrote an outbound message whose author Front does not tell, as in previews."
    )

    @cached_property
    def rule_signature(self) -> _verify.Hmac | None:
        """The scheme of rules' webhooks; None without a secret."""
        return _verify.Hmac(header=SIGNATURE, secret=self.secret, algorithm="sha1", encoding="base64") if self.secret else None

    @cached_property
    def application_signature(self) -> _verify.Hmac | None:
        """The scheme of applications' webhooks; None without a secret."""
        if self.secret is None:
            return None
        return _verify.Hmac(
            header=SIGNATURE,
            secret=self.secret,
            encoding="base64",
            over="timestamp:body",
            timestamp_header=SIGNED_AT,
            tolerance=self.tolerance,
        )


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature is ours and `verify` holds; else InvalidSignature. A request that tells its time is an application's, and
    its time has to be near `now`.
    """
    signature = config.application_signature if SIGNED_AT in request.headers else config.rule_signature
    _signed.check(request, config, signature, now)


def answer(request: HttpRequest, config: Config) -> Answer | None:  # noqa: ARG001
    """The challenge of an application's set-up, sent back; None for every other request."""
    challenge = request.headers.get(CHALLENGE, "").strip()
    if not challenge or not _is_sync(request.body):
        return None
    body = json.dumps({"challenge": challenge[:CHALLENGE_MAX]}).encode()
    return Answer(200, {"content-type": "application/json"}, body, handshake=True)


def _is_sync(body: bytes) -> bool:
    try:
        return bool(_json.read(body).look("type").value == _SYNC)
    except Unreadable:
        return False


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The event, and the creation of the conversation where the event shows it. Unreadable unless the body names a conversation."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    if body.at("type").value == _SYNC:
        return Reading("ignored", reason="Front tests the address.")
    return _front_event.read(body, request.body, config, ActorKind(config.others_are), received_at)
