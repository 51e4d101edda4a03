"""Resolution: from the ticket's creation until it is solved. Waiting on the customer (`pending`) does not count."""

from datetime import datetime
from typing import Final

from app.rules.conditions import Condition, FactTest
from app.rules.events import Status
from app.rules.guidance import Guidance
from app.rules.policy import Terms
from app.rules.ticket import TicketAt

PAUSE: Condition | None = FactTest("status", "eq", Status.PENDING.value)
WATCHES: Final[frozenset[str]] = frozenset()
GUIDANCE: Final = Guidance(
    (
        "Say what is still missing, and who has to do it.",
        "Offer a way around until it is solved.",
        "If it cannot be kept, tell the customer before they ask.",
    ),
    "{ticket} is taking longer than we promised, and we are sorry. We are working on it and will tell you by {next_update} how it stands.",
)


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The creation, while the ticket is not solved or closed."""
    return None if ticket.is_gone or ticket.is_solved else ticket.created_at


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    return ticket.is_solved and not ticket.is_gone
