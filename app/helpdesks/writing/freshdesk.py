"""Freshdesk: the ticket is read, then updated, then a private note is written.

https://developers.freshdesk.com/api/#tickets

The smallest plan with an API allows 200 requests a minute, 80 of them updates of tickets; refused requests count too.
"""

from typing import ClassVar

from app.helpdesks.writing import Calls, Desk, Order, _freshworks


class Config(_freshworks.FreshworksConfig):
    """How breaches are marked in Freshdesk."""

    domain: ClassVar[str] = "freshdesk.com"
    published_per_minute: ClassVar[float] = 80


def write(order: Order, desk: Desk) -> Calls[None]:
    """Mark a ticket."""
    yield from _freshworks.mark(order, desk, None)
