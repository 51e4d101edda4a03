"""Update cadence: the customer hears from us again within so long; each public agent reply starts the next promise, solving ends it."""

from datetime import datetime
from typing import Final

from app.rules.conditions import Condition
from app.rules.guidance import Guidance
from app.rules.policy import Terms
from app.rules.ticket import REPLY, TicketAt

PAUSE: Condition | None = None
WATCHES: Final = frozenset({REPLY})
GUIDANCE: Final = Guidance(
    (
        "Write even if there is nothing new.",
        "Name the time of the next update, and keep it.",
    ),
    "A short word on {ticket}: we are still working on it. The next update follows by {next_update}.",
)


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The last public agent message; None before the first and once solved."""
    if ticket.is_gone or ticket.is_solved:
        return None
    return ticket.conversation(terms.reply_by).last_reply_at


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    return not ticket.is_gone
