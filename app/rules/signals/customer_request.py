"""Customer request: the customer asked for a supervisor, and the time for a competent try is over.

How the wish shows is a condition: by default the fact `escalation_requested`, or a tag of that name (or `supervisor_requested`). Within the
grace (by tier; zero: at once) the wish may be withdrawn; a reply alone does not answer it.
"""

from collections.abc import Iterable
from typing import Final

from app.rules.guidance import Guidance
from app.rules.problems import NoWorkingTime
from app.rules.signals._matching import while_matching
from app.rules.signals._past import Past, shown_at
from app.rules.signals._rule import Grace, span
from app.rules.signals._spells import Evidence, Holding

AFTER_SOLVE: Final = False
CURE: Final[str | None] = "withdrawn"
GUIDANCE: Final = Guidance(
    (
        "Say at once that the wish is heard and who will call or write.",
        "Do not argue it away: one honest offer to settle it, then hand over.",
        "Brief the supervisor before they speak to the customer.",
    ),
    "You have asked for a supervisor about {ticket}. We have passed that on, and you will hear from one by {next_update}.",
)


def holds(past: Past, knobs: Grace) -> Iterable[Holding]:
    """From the end of the grace until the wish is withdrawn."""
    for asked in while_matching(past, knobs.match):
        try:
            start = knobs.calendar.add_open_time(asked.start, knobs.seconds)
        except NoWorkingTime:
            continue
        if asked.end is None or start < asked.end:
            grace = f"not withdrawn within {span(knobs.seconds)}" if knobs.seconds else "to be granted at once"
            sentence = f"Asked for a supervisor at {shown_at(asked.start)}, {grace}."
            yield Holding(start, asked.end, Evidence((sentence, *asked.evidence.sentences), asked.evidence.keys))
