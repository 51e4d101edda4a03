"""First response: from the ticket's creation to the first public reply by a human agent.

A note, an auto-reply or a change of status is no reply. A ticket that an agent created on somebody's behalf owes none (unless
`on_behalf` is set). Solved without a reply: the promise lapses, or counts as kept with `on_solve: fulfil`.
"""

from datetime import datetime
from typing import Final

from app.rules.conditions import Condition
from app.rules.events import ActorKind
from app.rules.guidance import Guidance
from app.rules.policy import Terms
from app.rules.ticket import FIRST_REPLY, TicketAt

PAUSE: Condition | None = None
WATCHES: Final = frozenset({FIRST_REPLY})
GUIDANCE: Final = Guidance(
    (
        "Answer now, even if only to say who takes care of it and when they hear more.",
        "Acknowledge what the customer wrote in your own words.",
        "Ask everything that you need to know at once.",
    ),
    "Thank you for your patience with {ticket}, and sorry for the wait. We are on it and will write to you by {next_update}.",
)


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The creation, until somebody has replied."""
    if ticket.is_gone or ticket.is_solved or ticket.conversation(terms.reply_by).first_reply_at is not None:
        return None
    if ticket.created_by is ActorKind.AGENT and not terms.on_behalf:
        return None
    return ticket.created_at


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    if ticket.conversation(terms.reply_by).first_reply_at is not None:
        return True
    return ticket.is_solved and not ticket.is_gone and terms.on_solve == "fulfil"
