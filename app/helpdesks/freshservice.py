"""Freshservice: workflow automator webhooks, templated like those of Freshdesk (docs/helpdesks/freshservice.md).

Freshservice signs nothing and names no delivery: `verify` says what proves a request (basic, an API key or a header set in the workflow).
Its statuses beyond 5 are each account's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import Reading, _freshworks, _proof
from app.helpdesks.writing import freshservice as writing


class Config(_proof.ProvedConfig):
    """A Freshservice source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = _freshworks.STATUSES
    built_in_priorities: ClassVar[Mapping[str, str]] = _freshworks.PRIORITIES

    kind: Literal["freshservice"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if everything under `verify` holds; else InvalidSignature."""
    _proof.check(request, config, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The one event of a workflow's webhook. Unreadable unless the body is an object that names the ticket."""
    return _freshworks.read(request, config, received_at)
