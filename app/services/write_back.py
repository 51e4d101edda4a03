"""What a rung wants written to the ticket in its helpdesk. The intent is a line of the escalation's log, in the transaction of the rung."""

from datetime import datetime

from app.rules.escalation import Ladder
from app.rules.escalation_log import Entry
from app.rules.escalation_words import write_back_in_words


def intent(ladder: Ladder, spoken: Entry, at: datetime) -> Entry | None:
    """The line for a rung that has just spoken for the first time; None when it wants nothing written."""
    if spoken.kind != "spoke" or spoken.loop or spoken.step is None:
        return None
    wanted = ladder.steps[spoken.step].write_back
    return None if wanted is None else Entry("write_back", at, step=spoken.step, why=write_back_in_words(wanted))
