"""What has happened to a ticket, in words: the last things, what was tried, who has owned it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from app.rules.condition_tests import shown
from app.rules.events import ActorKind, Facts, TicketEvent
from app.rules.ticket import TicketAt

TOLD: Final = (
    "status",
    "priority",
    "group",
    "assignee",
    "tier",
    "organization",
    "category",
    "tags",
    "csat",
    "sentiment",
    "merged_into",
    "deleted",
)
"""The facts whose changes are told."""

_ROLES: Final = {
    ActorKind.CUSTOMER: "customer",
    ActorKind.AGENT: "agent",
    ActorKind.BOT: "bot",
    ActorKind.SYSTEM: "helpdesk",
    ActorKind.UNKNOWN: "somebody",
}
_OWN: Final = "slawatch"


class Happening(NamedTuple):
    """One thing that happened. `who`: customer, agent, bot, helpdesk, somebody, or slawatch for what we wrote back ourselves."""

    at: datetime
    who: str
    what: str


class Ownership(NamedTuple):
    """A stretch `[since, until)` in which somebody had it; `until` None: still."""

    who: str
    since: datetime
    until: datetime | None
    is_bot: bool


class Tried(NamedTuple):
    """What was done for the customer so far."""

    replies: int
    """Public messages of human agents."""
    customer_messages: int
    """Public messages of the customer."""
    notes: int
    transfers: int
    reopenings: int
    last_reply_at: datetime | None


def happenings(steps: Sequence[TicketAt], most: int | None = None) -> list[Happening]:
    """The last `most` things (None: everything) that are worth telling, oldest first. `steps`: of a ticket, from its first one on."""
    found: list[Happening] = []
    for place in range(len(steps) - 1, -1, -1):
        if most is not None and len(found) >= most:
            break
        found = [*_happened(steps, place), *found]
    return found if most is None else found[-most:]


def _happened(steps: Sequence[TicketAt], place: int) -> Iterator[Happening]:
    """What happened at one step."""
    facts: Facts = steps[place - 1].facts if place else {}
    for number, event in enumerate(steps[place].events):
        is_first = place == 0 and number == 0
        parts = ["ticket created", *_said(event)] if is_first else [*_said(event), *_changed(event, facts)]
        facts = {**facts, **event.set}
        if parts:
            yield Happening(event.at, _OWN if event.echo else _ROLES[_speaker(event)], "; ".join(parts))


def ownerships(steps: Sequence[TicketAt]) -> list[Ownership]:
    """Who has had the ticket, oldest first; times without an owner are left out."""
    found: list[Ownership] = []
    for step in steps:
        name, last = step.text("assignee"), found[-1] if found else None
        if last is not None and last.until is None and name != last.who:
            found[-1] = last._replace(until=step.at)
        if name is not None and (last is None or found[-1].until is not None):
            found.append(Ownership(name, step.at, None, bool(step.facts.get("assignee_is_bot"))))
    return found


def tried(steps: Sequence[TicketAt]) -> Tried:
    """What was done so far; messages told twice count once."""
    messages = list(_messages(steps))
    humans = [owner.who for owner in ownerships(steps) if not owner.is_bot]
    return Tried(
        replies=sum(1 for author, public in messages if public and author is ActorKind.AGENT),
        customer_messages=sum(1 for author, public in messages if public and author is ActorKind.CUSTOMER),
        notes=sum(1 for _, public in messages if not public),
        transfers=sum(1 for giver, taker in pairwise(humans) if giver != taker),
        reopenings=sum(1 for before, after in pairwise(steps) if before.is_solved and not after.is_solved),
        last_reply_at=steps[-1].by_agent.last_reply_at if steps else None,
    )


def _messages(steps: Sequence[TicketAt]) -> Iterator[tuple[ActorKind, bool]]:
    heard: set[str] = set()
    for event in (event for step in steps for event in step.events):
        message = event.message
        if message is None or event.echo or message.id in heard:
            continue
        heard.update([message.id] if message.id is not None else ())
        yield message.author, message.public


def _speaker(event: TicketEvent) -> ActorKind:
    if event.message is not None and event.message.author is not ActorKind.UNKNOWN:
        return event.message.author
    return event.actor.kind


def _said(event: TicketEvent) -> list[str]:
    message = event.message
    if message is None:
        return []
    if not message.public:
        return ["private note"]
    return ["asked" if message.author is ActorKind.CUSTOMER else "public message"]


def _changed(event: TicketEvent, facts: Facts) -> Iterator[str]:
    for name in TOLD:
        if name in event.set and event.set[name] != facts.get(name):
            yield f"{name} {shown(facts.get(name))} → {shown(event.set[name])}"
