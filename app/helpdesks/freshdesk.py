"""Freshdesk: automation rules whose webhook the admin templates (docs/helpdesks/freshdesk.md).

Freshdesk signs nothing and names no delivery: `verify` says what proves a request (basic, an API key or a header set in the rule). A failed
webhook is tried again after 5, 30 and 60 minutes; beyond 1000 an hour they are put off, and dropped after a day.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _freshworks, _proof
from app.helpdesks.fetching import API, RECONCILE, Reconcile
from app.helpdesks.fetching import freshdesk as fetching
from app.helpdesks.writing import freshdesk as writing


class Config(_proof.ProvedConfig):
    """A Freshdesk source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = _freshworks.STATUSES | {
        "6": "pending", "waiting on customer": "pending", "awaiting your reply": "pending",
        "7": "on_hold", "waiting on third party": "on_hold",
        "being processed": "open", "this ticket has been resolved": "solved", "this ticket has been closed": "closed",
    }  # fmt: skip
    built_in_priorities: ClassVar[Mapping[str, str]] = _freshworks.PRIORITIES

    kind: Literal["freshdesk"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    api: fetching.Config | None = Field(default=None, description=API)
    reconcile: Reconcile = Field(default=None, description=RECONCILE)


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a rule's webhook. Unreadable unless the body is an object that names the ticket."""
    return _freshworks.read(request, config, received_at)
