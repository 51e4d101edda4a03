"""Group ownership (an operational level agreement): from the moment a group got the ticket until it hands it over or solves it."""

from datetime import datetime
from typing import Final

from app.rules.conditions import Condition
from app.rules.guidance import Guidance
from app.rules.policy import Terms
from app.rules.ticket import TicketAt

PAUSE: Condition | None = None
WATCHES: Final = frozenset({"group"})
GUIDANCE: Final = Guidance(
    (
        "Finish it or hand it over with what is known and what was tried.",
        "If another team is needed, ask them before you move it.",
    ),
    "{ticket} is with the team that can settle it. You will hear from us by {next_update}.",
)


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The moment the present group got it; None without a group and once solved."""
    return None if ticket.is_gone or ticket.is_solved else ticket.group_since


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    return not ticket.is_gone
