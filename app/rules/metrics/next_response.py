"""Next response: from the oldest unanswered customer message to the next public agent reply, once the first response was given.

Asking again while waiting does not move the start. Solving ends the wait. A message on a solved ticket ("thanks!") starts nothing
until the ticket is reopened.
"""

from datetime import datetime
from typing import Final

from app.rules.conditions import Condition
from app.rules.events import ActorKind
from app.rules.guidance import Guidance
from app.rules.policy import Terms
from app.rules.ticket import FIRST_REPLY, WAITING, TicketAt

PAUSE: Condition | None = None
WATCHES: Final = frozenset({FIRST_REPLY, WAITING})
GUIDANCE: Final = Guidance(
    (
        "The customer has asked again: answer that question first.",
        "If the answer takes longer, say so and say when.",
    ),
    "We have your message about {ticket}, and we are sorry for the delay. You will have an answer by {next_update}.",
)


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The oldest unanswered customer message; None while nobody waits."""
    talk = ticket.conversation(terms.reply_by)
    if ticket.is_gone or ticket.is_solved:
        return None
    if talk.first_reply_at is None and not (ticket.created_by is ActorKind.AGENT and not terms.on_behalf):
        return None
    return talk.waiting_since


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    replied = ticket.conversation(terms.reply_by).last_reply_at
    if replied is not None and replied >= anchor:
        return True
    return ticket.is_solved and not ticket.is_gone and terms.on_solve == "fulfil"
