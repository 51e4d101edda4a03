"""What signals look at: the steps of a ticket, its tier at each, who said what, who owned it; broken promises; related tickets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from app.rules.choose import choose
from app.rules.clock import Clock
from app.rules.conditions import Condition, holds
from app.rules.events import ActorKind, EventKind, FactValue, TicketEvent
from app.rules.fold import fold
from app.rules.policy import Book
from app.rules.ticket import TicketAt
from app.rules.timeline import Timeline


def shown_at(at: datetime) -> str:
    """`2026-03-02 09:05 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


class Spoken(NamedTuple):
    """A public message."""

    at: datetime
    author: ActorKind
    key: str
    """Of the event that carried it."""
    opening: bool
    """What the ticket was opened with."""


class Transfer(NamedTuple):
    """A ticket went from one human to another. `key`: of the event that said so."""

    at: datetime
    giver: str
    taker: str
    key: str


class Turn(NamedTuple):
    """Something that happened at an instant, and the key of the event that said so."""

    at: datetime
    key: str


class Broken(NamedTuple):
    """A promise that was broken. `name`: of the metric."""

    at: datetime
    name: str


class Related(NamedTuple):
    """Another ticket of the same source. `because`: `requester` or `organization`."""

    id: str
    external_id: str
    created_at: datetime
    because: str


@dataclass(frozen=True)
class Past:
    """A ticket from its first instant to what is known last. At least one step."""

    steps: Sequence[TicketAt]
    tiers: Sequence[str | None]
    """The tier at each step."""
    broken: tuple[Broken, ...] = ()
    related: tuple[Related, ...] = ()

    @property
    def now(self) -> TicketAt:
        """The ticket after the last step."""
        return self.steps[-1]

    @property
    def opening_key(self) -> str:
        """The key of the event that the ticket began with."""
        return self.steps[0].events[0].key

    def pieces(self) -> Iterator[tuple[int, datetime, datetime | None]]:
        """Each step by its place, and `[start, end)` in which the ticket stood so; the last lasts."""
        for place, (step, after) in enumerate(pairwise(self.steps)):
            yield place, step.at, after.at
        yield len(self.steps) - 1, self.steps[-1].at, None

    def seen(self, place: int) -> dict[str, FactValue]:
        """The facts at a step as conditions see them: with tier and requester's domain."""
        facts = dict(self.steps[place].facts)
        address = facts.get("requester_email", facts.get("requester"))
        if "requester_domain" not in facts and isinstance(address, str) and "@" in address:
            facts["requester_domain"] = address.rsplit("@", 1)[1].lower()
        return facts | {"tier": self.tiers[place]}

    def matching(self, condition: Condition) -> list[bool]:
        """Whether a condition holds, at each step."""
        found: list[bool] = []
        for place, step in enumerate(self.steps):
            same = place and step.facts is self.steps[place - 1].facts and self.tiers[place] == self.tiers[place - 1]
            found.append(found[-1] if same else holds(condition, self.seen(place)))
        return found

    @cached_property
    def spoken(self) -> tuple[Spoken, ...]:
        """Every public message of a customer or a human agent, each once, by time; of one instant the customer's come first."""
        found: list[Spoken] = []
        heard: set[str] = set()
        for step in self.steps:
            said = [message for event in step.events if (message := self._message(event, step, heard)) is not None]
            found += sorted(said, key=lambda message: message.author is ActorKind.AGENT)
        return tuple(found)

    def _message(self, event: TicketEvent, step: TicketAt, heard: set[str]) -> Spoken | None:
        """What an event says in public; None: nothing, nothing new, an echo of our own, or it is not known who speaks."""
        message = event.message
        if message is None or not message.public or message.author not in (ActorKind.AGENT, ActorKind.CUSTOMER):
            return None
        if message.id in heard:
            return None
        if message.id is not None:
            heard.add(message.id)
        if event.echo:
            return None
        asker, actor = step.facts.get("requester"), event.actor.id
        is_asker = asker is not None and actor is not None and actor.casefold() == str(asker).casefold()
        opening = event.at == self.steps[0].at or event.kind is EventKind.TICKET_CREATED
        return Spoken(event.at, ActorKind.CUSTOMER if is_asker else message.author, event.key, opening)

    @cached_property
    def transfers(self) -> tuple[Transfer, ...]:
        """From human to human; the first assignment, bots and the service itself do not count, nor does who gets it back at once."""
        found: list[Transfer] = []
        owner: str | None = None
        for step in self.steps:
            name = step.text("assignee")
            if name is None or step.facts.get("assignee_is_bot"):
                continue
            told = [event for event in step.events if "assignee" in event.set]
            if owner is not None and name != owner and any(not event.echo for event in told):
                found.append(Transfer(step.at, owner, name, told[-1].key))
            owner = name
        return tuple(found)

    @cached_property
    def reopenings(self) -> tuple[Turn, ...]:
        """When it was opened again after it had been solved, not by an echo of our own."""
        return tuple(
            Turn(after.at, next(event.key for event in after.events if not event.echo))
            for before, after in pairwise(self.steps)
            if before.is_solved and not after.is_solved and any(not event.echo for event in after.events)
        )


def past_of(timeline: Timeline, book: Book, at: datetime, clocks: Iterable[Clock] = (), related: Iterable[Related] = ()) -> Past | None:
    """The past of a ticket at the instant `at`; None when nothing is known of it. `clocks`: the verdict on them."""
    story = fold(timeline, book, at)
    if story is None:
        return None
    steps = story.steps
    broken = sorted(Broken(clock.breached_at, clock.cycle.metric) for clock in clocks if clock.breached_at is not None)
    return Past(steps, _tiers(steps, book), tuple(broken), tuple(sorted(related, key=lambda other: (other.created_at, other.id))))


def _tiers(steps: Sequence[TicketAt], book: Book) -> list[str | None]:
    found: list[str | None] = []
    for place, step in enumerate(steps):
        decides = not step.events or any(not book.deciding.isdisjoint(event.set) for event in step.events)
        found.append(choose(book, step.facts, step.at).tier if decides or not place else found[-1])
    return found
