"""Assignment: from the ticket's creation until a human is assigned. Solved before that, the promise lapses."""

from datetime import datetime
from typing import Final

from app.rules.conditions import Condition
from app.rules.guidance import Guidance
from app.rules.policy import Terms
from app.rules.ticket import TicketAt

PAUSE: Condition | None = None
WATCHES: Final = frozenset({"assignee", "assignee_is_bot"})
GUIDANCE: Final = Guidance(
    (
        "Take it, or give it to somebody by name; a group is nobody.",
        "Whoever is asked and cannot says so at once.",
    ),
    "We have received {ticket} and are finding the right person for it. You will hear from us by {next_update}.",
)


def _owned_by_human(ticket: TicketAt) -> bool:
    return ticket.facts.get("assignee") is not None and not ticket.facts.get("assignee_is_bot")


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The creation, while nobody or only a bot is assigned."""
    return None if ticket.is_gone or ticket.is_solved or _owned_by_human(ticket) else ticket.created_at


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    if _owned_by_human(ticket):
        return not ticket.is_gone
    return ticket.is_solved and not ticket.is_gone and terms.on_solve == "fulfil"
