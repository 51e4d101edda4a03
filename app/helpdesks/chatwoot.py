"""Chatwoot: webhooks of an account or of an API inbox.

https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks

* Since 2026 webhooks are signed: X-Chatwoot-Signature is `sha256=` and the hex HMAC-SHA256 of X-Chatwoot-Timestamp (seconds), a full stop
  and the body; X-Chatwoot-Delivery is an id of the delivery. Before, nothing was signed and nothing identified: then `verify` has to say
  what proves a request.
* Who spoke is the `message_type`: incoming is the customer's, template and activity are the machine's; outgoing is a teammate's, unless an
  automation rule, a campaign or a bot sent it. `private` messages are notes.
* A ticket is named by the conversation's display id. Who changed a conversation is never told.
* Conversations tell `updated_at` since 4.0; before, a change has no time and is dated by its receipt. Chatwoot retries nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Final, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _chatwoot_event, _common, _json, _signed, _verify, _words
from app.helpdesks.writing import chatwoot as writing
from app.rules.events import ActorKind

SIGNATURE: Final = "x-chatwoot-signature"
SIGNED_AT: Final = "x-chatwoot-timestamp"
DELIVERY: Final = "x-chatwoot-delivery"

_CONVERSATIONS: Final = (
    "conversation_created", "conversation_status_changed", "conversation_updated",
    "conversation_opened", "conversation_resolved",
)  # fmt: skip
"""The last two are what an agent bot's webhook gets."""


class Config(_signed.SignedConfig):
    """A Chatwoot source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {"resolved": "solved", "snoozed": "pending", "pending": "new"}
    built_in_priorities: ClassVar[Mapping[str, str]] = {"medium": "normal"}

    kind: Literal["chatwoot"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    tolerance: _verify.Tolerance = Field(
        default=timedelta(minutes=5), description="How far the signed time may lie from ours, either way; `off` = any."
    )

    others_are: Literal["agent", "unknown"] = Field(
        default="unknown", description="Who wrote an outgoing message without a sender: a reply that was not written in Chatwoot."
    )

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """Chatwoot's own scheme; None without a secret."""
        if self.secret is None:
            return None
        return _verify.Hmac(
            header=SIGNATURE,
            secret=self.secret,
            prefix="sha256=",
            over="timestamp.body",
            timestamp_header=SIGNED_AT,
            tolerance=self.tolerance,
        )


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over timestamp and body is ours and the timestamp near `now`, and `verify` holds; else InvalidSignature."""
    _signed.check(request, config, config.signature, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """One event, or two where the conversation changed after the message was written; ignored when it touches no promise. Unreadable when
    it does, but does not name the conversation.
    """
    body = _json.read(request.body)
    told = body.at("event").word()
    if told is None:
        body.at("event").refuse("is missing")
    delivery = request.headers.get(DELIVERY, "").strip()[: _json.ID_MAX] or None
    if told == "message_updated":
        return Reading("ignored", reason="A message that is changed afterwards does not touch any promise.", delivery_id=delivery)
    if told not in (*_CONVERSATIONS, "message_created"):
        return Reading("ignored", reason=f"{_words.shown(told)} does not touch any promise.", delivery_id=delivery)
    is_beside = told == "message_created" or isinstance(body.look("conversation").value, dict)
    conversation = body.at("conversation") if is_beside else body
    webhook = _chatwoot_event.Webhook(body, conversation, config, ActorKind(config.others_are), delivery, received_at, request.body)
    events = webhook.message() if told == "message_created" else webhook.conversation_changed(told)
    if not events:
        return Reading("ignored", reason="What Chatwoot itself notes in a conversation is said to nobody.", delivery_id=delivery)
    return Reading("applied", events, _common.remark(webhook.remarks), delivery)
