"""Repeated contact: the customer had to write again and again.

By default messages count that no human has answered yet; with `after_answer` every message after the first answer does. What the ticket was
opened with is no repetition, and a bot's message is no answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from app.rules.events import ActorKind
from app.rules.guidance import Guidance
from app.rules.signals._past import Past, Spoken, shown_at
from app.rules.signals._rule import Contacts
from app.rules.signals._spells import Evidence, Holding, too_many

AFTER_SOLVE: Final = False
CURE: Final[str | None] = "answered"
GUIDANCE: Final = Guidance(
    (
        "Answer all of the open messages in one reply.",
        "Say what is known, what is not, and when they hear more.",
        "If writing does not settle it, call.",
    ),
    "Thank you for your messages about {ticket}, and sorry that you had to ask again. We will write to you by {next_update}.",
)


def holds(past: Past, knobs: Contacts) -> Iterable[Holding]:
    """While more messages than allowed wait for an answer, or have come after one."""
    if knobs.after_answer:
        yield from _counted(_after_the_first_answer(past), knobs, None)
        return
    for messages, answered_at in _waits(past):
        yield from _counted(messages, knobs, answered_at)


def _counted(messages: Sequence[Spoken], knobs: Contacts, until: datetime | None) -> Iterator[Holding]:
    def evidence(first: int, after: int) -> Evidence:
        counted = messages[first:after]
        what = "after an answer" if knobs.after_answer else "without an answer"
        told = (f"{shown_at(message.at)}: the customer wrote." for message in counted)
        return Evidence((f"{len(counted)} messages of the customer {what}.", *told), tuple(message.key for message in counted))

    for holding in too_many([message.at for message in messages], knobs, evidence):
        end = min((end for end in (holding.end, until) if end is not None), default=None)
        if end is None or holding.start < end:
            yield holding._replace(end=end)


def _waits(past: Past) -> Iterator[tuple[list[Spoken], datetime | None]]:
    """Messages that nobody had answered, and when somebody did; None: nobody has yet."""
    waiting: list[Spoken] = []
    for message in past.spoken:
        if message.author is ActorKind.AGENT:
            yield waiting, message.at
            waiting = []
        elif not message.opening:
            waiting.append(message)
    yield waiting, None


def _after_the_first_answer(past: Past) -> list[Spoken]:
    answers = [message.at for message in past.spoken if message.author is ActorKind.AGENT]
    if not answers:
        return []
    return [message for message in past.spoken if message.author is ActorKind.CUSTOMER and message.at > answers[0]]
