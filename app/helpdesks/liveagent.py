"""LiveAgent: rules with the action *HTTP request*, whose body is our template (docs/helpdesks/liveagent.md).

A rule has a trigger and conditions, so each rule says in plain words what happened (`event`) and who did it (`author`). The names and words
of LiveAgent's own ticket (https://github.com/QualityUnit/LiveAgent-api-python, docs/Ticket.md) are read too. LiveAgent does not sign, and
a request that fails is not known to be repeated.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _common, _proof, _template
from app.helpdesks.writing import liveagent as writing

TEMPLATE: Final = _template.Template(
    schema="slawatch.liveagent.v1",
    wrappers=("ticket", "conversation"),
    names={
        "ticket": ("ticketid", "conversationid", "conversation"),
        "at": ("date_changed", "datechanged"),
        "created_at": ("date_created", "datecreated"),
        "group": ("department", "department_name", "departmentid"),
        "assignee": ("agent", "agent_email", "agent_name", "agentid"),
        "requester": ("owner_email", "customer_email", "owner_name", "owner_contactid"),
        "number": ("code", "ticket_code"),
        "channel": ("channel_type",),
        "message_id": ("message_group_id", "messageid"),
    },
)


class Config(_proof.ProvedConfig):
    """A LiveAgent source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = {
        "I": "new", "init": "new", "N": "new", "T": "open", "chatting": "open", "P": "open", "calling": "open", "C": "open",
        "A": "pending", "answered": "pending", "W": "on_hold", "postponed": "on_hold", "R": "solved", "resolved": "solved",
        "X": "deleted", "deleted": "deleted", "B": "deleted", "spam": "deleted",
    }  # fmt: skip
    built_in_priorities: ClassVar[Mapping[str, str]] = {
        "1/64": "low", "1/32": "low", "1/16": "low", "1/8": "low", "1/4": "low", "1/2": "low", "0.015625": "low", "0.03125": "low",
        "0.0625": "low", "0.125": "low", "0.25": "low", "0.5": "low", "1": "normal", "2": "high", "4": "high", "8": "high",
        "16": "urgent", "32": "urgent", "64": "urgent",
    }  # fmt: skip

    kind: Literal["liveagent"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    timezone: _common.ZoneName = Field(default="UTC", description="The zone of times that name none.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a rule's request. Unreadable without a ticket."""
    return _template.read(request, config, TEMPLATE, ZoneInfo(config.timezone), received_at)
