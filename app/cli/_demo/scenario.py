"""The story of the demo: what happens to some dozen tickets, and which promises must be broken by it. Pure and seeded.

Seconds stand for the hours of a real helpdesk. The helpdesk states creation in whole seconds, as Zendesk does, so a clock may have
begun up to one second before the ticket's first event: every act below keeps more than that second away from the targets.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

ActName = Literal["created", "assigned", "moved", "asked", "replied", "urgent", "pending", "open", "solved"]
BreachState = Literal["open", "answered"]

LIFE: Final = 14.0
"""Seconds in which every ticket's story ends, the targets that nobody meets included."""
TICKETS_PER_SECOND: Final = 4.5
REPEATED: Final = 0.2
"""Part of the webhooks that the helpdesk delivers twice."""

DOCUMENT: Final = """\
version: 1

tiers:
  - {{name: gold, match: {{tags: gold}}}}
  - {{name: standard}}

policies:
  - name: gold
    match: {{tier: gold}}
    calendar: always
    targets:
      assignment: 3s
      first_response: 3s
      next_response: 3s
      resolution: {{within: {{urgent: 5s, default: 10s}}, pause_while: {{status: pending}}}}
    warn_at: [50%]
    escalation: until-somebody-acts
  - name: everyone
    calendar: always
    targets:
      assignment: 3s
      first_response: 4s
      next_response: 4s
      resolution: {{within: {{urgent: 6s, default: 12s}}, pause_while: {{status: pending}}}}
    warn_at: [50%]
    escalation: until-somebody-acts

escalations:
  until-somebody-acts:
    acknowledge_for: 30s
    steps:
      - {{at: breach, type: functional, notify: upstream}}
      - {{after: 1s, type: hierarchical, notify: upstream}}
      - {{after: 1s, type: hierarchical, notify: upstream}}

sources:
  zendesk:
    kind: zendesk
    secret: "${{env:DEMO_ZENDESK_SECRET}}"

channels:
  upstream:
    kind: webhook
    url: "{receiver}"
    allow_http: true
    secrets: ["${{env:DEMO_UPSTREAM_SECRET}}"]
    events: ["sla.*", "escalation.*"]

delivery:
  allow_networks: ["127.0.0.0/8"]
"""
"""The demo's configuration; `receiver` is where callbacks go."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens `at` seconds after the ticket was opened and is told `delay` seconds later."""

    at: float
    name: ActName
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Fate:
    """One kind of story and the promises it breaks, by metric: never answered (`open`) or answered too late (`answered`)."""

    name: str
    acts: tuple[Act, ...]
    breaks: Mapping[str, BreachState] = field(default_factory=dict)


_OPENED: Final = (Act(0, "created"), Act(0.4, "assigned"))
FATES: Final = (
    Fate("answered in time", (*_OPENED, Act(1, "replied"), Act(5, "solved"))),
    Fate("answered late", (*_OPENED, Act(6.5, "replied"), Act(8, "solved")), {"first_response": "answered"}),
    Fate("waiting for the customer", (*_OPENED, Act(1, "replied"), Act(3, "pending", 0.8), Act(8, "open"), Act(11, "solved"))),
    Fate("priority raised", (*_OPENED, Act(1, "replied"), Act(4, "urgent"), Act(8.5, "solved")), {"resolution": "answered"}),
    Fate(
        "handed around, told out of order",
        (Act(0, "created"), Act(0.4, "assigned", 1.3), Act(1, "replied"), Act(2, "moved", 1), Act(2.5, "assigned"), Act(7, "solved")),
    ),
    Fate(
        "taken by nobody",
        (Act(0, "created"), Act(5.5, "assigned"), Act(6, "replied"), Act(8, "solved")),
        {"assignment": "answered", "first_response": "answered"},
    ),
    Fate("answered in time, told late", (*_OPENED, Act(1.3, "replied", 5), Act(7, "solved"))),
    Fate("never answered", _OPENED, {"first_response": "open", "resolution": "open"}),
    Fate(
        "asks again, solved late",
        (*_OPENED, Act(1, "replied"), Act(3, "asked"), Act(8.5, "replied"), Act(13.2, "solved")),
        {"next_response": "answered", "resolution": "answered"},
    ),
)

_TROUBLES: Final = (
    "The invoice shows the wrong amount", "Cannot sign in since this morning", "Where is my parcel?", "The export is empty",
    "Please change our address", "The printer prints nothing but stars", "Payment was taken twice", "How do I add a colleague?",
)  # fmt: skip
_PRIORITIES: Final = ("low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket of the helpdesk and what becomes of it. `opened` in seconds after the start."""

    id: str
    opened: float
    fate: Fate
    gold: bool
    priority: str
    subject: str
    requester: str


@dataclass(frozen=True, slots=True)
class Story:
    """The whole demo, reproducible from its seed."""

    seed: int
    tickets: tuple[Ticket, ...]
    seconds: float
    """When the last ticket's story is over, after the start."""

    def broken(self) -> dict[tuple[str, str], BreachState]:
        """Which promises must be broken in the end: (ticket, metric) -> its state."""
        return {(ticket.id, metric): state for ticket in self.tickets for metric, state in ticket.fate.breaks.items()}


def write(seed: int, seconds: float) -> Story:
    """A story of `seconds` (more than `LIFE`): tickets are opened at a steady rate until it is too late for a whole life."""
    opening = seconds - LIFE
    count = max(len(FATES), round(opening * TICKETS_PER_SECOND))
    return Story(seed, tuple(_tickets(random.Random(seed), count, opening)), seconds)


def _tickets(rng: random.Random, count: int, opening: float) -> Iterator[Ticket]:
    fates = [FATES[number % len(FATES)] for number in range(count)]
    rng.shuffle(fates)
    for number, fate in enumerate(fates):
        yield Ticket(
            id=str(35_001 + number),
            opened=round(opening * number / count, 3),
            fate=fate,
            gold=rng.random() < 0.4,
            priority=rng.choice(_PRIORITIES),
            subject=rng.choice(_TROUBLES),
            requester=str(rng.randint(900_000, 999_999)),
        )
