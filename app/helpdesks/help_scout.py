"""Help Scout: webhooks of the Mailbox API 2.0. What happened is told by the header X-HelpScout-Event alone, the body is the conversation.

https://developer.helpscout.com/webhooks/

Signed with `X-HelpScout-Signature`, base64(HMAC-SHA1(secret, raw body)); no freshness and no id of the delivery. A failed webhook is tried
again up to ten times; an answer of 410 switches it off at once.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from app.exchange import HttpRequest
from app.helpdesks import Reading, _help_scout_event, _json, _signed, _verify
from app.helpdesks._mapping import FactName
from app.helpdesks.fetching import API, ENRICH, Enrich
from app.helpdesks.fetching import help_scout as fetching
from app.helpdesks.writing import help_scout as writing

SIGNATURE: Final = "x-helpscout-signature"

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Config(_signed.SignedConfig):
    """A Help Scout source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {"active": "open", "pending": "pending", "closed": "solved", "spam": "closed"}

    kind: Literal["help-scout"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    api: fetching.Config | None = Field(default=None, description=API)
    enrich: Enrich = Field(default=None, description=ENRICH)
    fields: dict[FactName, FieldName] = Field(
        default_factory=dict,
        description="Fact -> the name or id of the custom field that tells it: Help Scout itself has no `priority` and no `organization`.",
    )

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """Help Scout's own scheme; None without a secret."""
        return _verify.Hmac(header=SIGNATURE, secret=self.secret, algorithm="sha1", encoding="base64") if self.secret else None


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over the body is ours and `verify` holds; else InvalidSignature."""
    _signed.check(request, config, config.signature, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The event of one webhook. Unreadable unless the body is an object that names the conversation."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    return _help_scout_event.read(body, request, config, received_at)
