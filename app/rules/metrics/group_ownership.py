"""Group ownership (an operational level agreement): from the moment a group got the ticket until it hands it over or solves it."""

from datetime import datetime

from app.rules.conditions import Condition
from app.rules.policy import Terms
from app.rules.ticket import TicketAt

PAUSE: Condition | None = None


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The moment the present group got it; None without a group and once solved."""
    return None if ticket.is_gone or ticket.is_solved else ticket.group_since


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    return not ticket.is_gone
