"""Update cadence: the customer hears from us again within so long; each public agent reply starts the next promise, solving ends it."""

from datetime import datetime

from app.rules.conditions import Condition
from app.rules.policy import Terms
from app.rules.ticket import TicketAt

PAUSE: Condition | None = None


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The last public agent message; None before the first and once solved."""
    if ticket.is_gone or ticket.is_solved:
        return None
    return ticket.conversation(terms.reply_by).last_reply_at


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    return not ticket.is_gone
