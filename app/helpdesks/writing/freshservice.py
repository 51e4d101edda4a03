"""Freshservice: as Freshdesk, the ticket of an answer stands under `ticket`.

https://api.freshservice.com/#tickets

Limits go by plan; the smallest allows 100 requests a minute.
"""

from typing import ClassVar

from app.helpdesks.writing import Calls, Desk, Order, _freshworks


class Config(_freshworks.FreshworksConfig):
    """How breaches are marked in Freshservice."""

    domain: ClassVar[str] = "freshservice.com"
    published_per_minute: ClassVar[float] = 100


def write(order: Order, desk: Desk) -> Calls[None]:
    """Mark a ticket."""
    yield from _freshworks.mark(order, desk, "ticket")
