"""Hiver: automations, Zapier or Make post our template (docs/helpdesks/hiver.md).

Hiver documents an API (https://developer.hiverhq.com/hiver-api) and no webhook payload, so the body is the one we ship. The shapes of its
API are read too: a conversation in `data` or `conversation`, `status` and `assignee` as records, ids as numbers or texts. In Hiver's words
a *user* is a teammate. Its statuses are open, pending and closed (or `close`); it has no priorities: those come from a tag or a field.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _proof, _template
from app.rules.events import ActorKind

TEMPLATE: Final = _template.Template(
    schema="slawatch.hiver.v1",
    wrappers=("conversation", "data"),
    names={
        "ticket": ("hiver_conversation_id", "thread_id", "gmail_thread_id"),
        "group": ("inbox", "shared_inbox", "inbox_id", "shared_mailbox"),
        "assignee": ("assignee_email", "assigned_to"),
        "requester": ("customer_email", "from_email", "sender_email", "from"),
        "message_id": ("email_id", "message"),
        "url": ("private_permalink", "permalink", "conversation_url"),
    },
    roles={"user": ActorKind.AGENT, "teammate": ActorKind.AGENT, "sender": ActorKind.CUSTOMER},
)


class Config(_proof.ProvedConfig):
    """A Hiver source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "unassigned": "new", "assigned": "open", "reopened": "open", "close": "solved", "closed": "solved",
        "trash": "deleted", "trashed": "deleted", "spam": "deleted",
    }  # fmt: skip

    kind: Literal["hiver"]
    timezone: _common.ZoneName = Field(default="UTC", description="The zone of times that name none.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a body. Unreadable without a conversation."""
    return _template.read(request, config, TEMPLATE, ZoneInfo(config.timezone), received_at)
