"""Follow-up: a ticket that was solved after a missed promise deserves another word: from the solve to the next public agent message.

The reply that solved it is no follow-up. Reopened, the promise lapses: the ticket is being worked on again.
"""

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
        "Write once more: does it work, is anything left?",
        "Mention what went wrong on the way, without excuses.",
    ),
    "We would like to know whether {ticket} is settled for you. Things took longer than they should have; we are sorry for that.",
)


def anchor(ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None:
    """The solve, if a promise had been missed by then, until an agent has written since; None otherwise."""
    if ticket.is_gone or ticket.solved_since is None or not ticket.missed:
        return None
    return None if _written_since(ticket, terms, ticket.solved_since) else ticket.solved_since


def fulfilled(ticket: TicketAt, terms: Terms, anchor: datetime) -> bool:
    return not ticket.is_gone and _written_since(ticket, terms, anchor)


def _written_since(ticket: TicketAt, terms: Terms, solved_at: datetime) -> bool:
    last = ticket.conversation(terms.reply_by).last_reply_at
    return last is not None and last > solved_at
