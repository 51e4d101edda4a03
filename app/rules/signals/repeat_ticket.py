"""Repeat ticket: the same requester, or somebody of the same organization, came with the same kind of thing before.

What counts are other tickets of the same source and category that were created within the window before this one, and are neither deleted
nor merged. Which ones there are is given (`Past.related`): it takes a look at other tickets to know.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from app.rules.guidance import Guidance
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Count, span
from app.rules.signals._spells import Evidence, Holding

AFTER_SOLVE: Final = False
CURE: Final[str | None] = None
GUIDANCE: Final = Guidance(
    (
        "Open the earlier tickets first: the answer may be there, or the cause.",
        "Link the tickets, and treat the cause, not the case.",
        "Tell the customer that you have seen the earlier ones.",
    ),
    "We see that this is not the first time you have had to write about this. We look at {ticket} together with your earlier requests and "
    "will write to you by {next_update}.",
)


def holds(past: Past, knobs: Count) -> Iterable[Holding]:
    """From the creation on, when there are more earlier tickets than allowed."""
    created_at = past.now.created_at
    window = timedelta(seconds=knobs.within) if knobs.within is not None else None
    earlier = [other for other in past.related if other.created_at < created_at]
    counted = [other for other in earlier if window is None or other.created_at > created_at - window]
    if len(counted) > (knobs.more_than or 0):
        within = f" within {span(knobs.within)}" if knobs.within is not None else ""
        count = "1 earlier ticket" if len(counted) == 1 else f"{len(counted)} earlier tickets"
        told = (f"{shown_at(other.created_at)}: {other.external_id} (same {other.because})." for other in counted)
        yield Holding(created_at, None, Evidence((f"{count} of the same kind{within}.", *told), (past.opening_key,)))
