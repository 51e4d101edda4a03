"""osTicket: its core sends no webhooks; the plugin we ship posts our template and signs it (docs/helpdesks/osticket.md).

A status of osTicket has a name of the house's own and one of five states. The name is looked up first (`status_map`), then the state, and
an open ticket that an agent has answered last waits for the customer. Columns of osTicket's own tables are read too, for those who post
them from a trigger or a poll.
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
    schema="slawatch.osticket.v1",
    wrappers=("ticket",),
    names={
        "ticket": ("ticket_number",),
        "at": ("updated", "lastupdate"),
        "created_at": ("created",),
        "status": ("status_name",),
        "group": ("dept", "department", "dept_name", "team"),
        "assignee": ("staff", "staff_email", "staff_id"),
        "requester": ("user_email", "email", "user"),
        "organization": ("org", "org_name"),
        "number": ("ticket_number",),
        "channel": ("source",),
        "category": ("topic", "helptopic"),
        "message_id": ("entry_id", "thread_entry_id"),
    },
    roles={"user": ActorKind.CUSTOMER, "collaborator": ActorKind.CUSTOMER},
)


class Config(_proof.ScriptConfig):
    """An osTicket source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "answered": "pending", "resolved": "solved", "closed": "solved", "archived": "closed", "deleted": "deleted",
    }  # fmt: skip
    built_in_priorities: ClassVar[Mapping[str, str]] = {"emergency": "urgent", "critical": "urgent"}

    kind: Literal["osticket"]
    timezone: _common.ZoneName = Field(default="UTC", description="The zone of times that name none.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the plugin's signature is ours and everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a body. Unreadable without a ticket."""
    return _template.read(request, config, TEMPLATE, ZoneInfo(config.timezone), received_at)
