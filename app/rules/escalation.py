"""Ladders: who hears it next, until somebody acts. Here they are only values; a run takes a copy of its ladder with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.rules.conditions import Condition

StepType = Literal["automatic", "functional", "hierarchical"]
"""What a step asks for: `functional` = the team with the skill, `hierarchical` = more authority, `automatic` = neither is said."""

ACKNOWLEDGE_SECONDS = 1800
"""How long an acknowledgement holds unless the ladder says otherwise, in real seconds."""


@dataclass(frozen=True)
class AtBreach:
    """At the very instant the promise is broken."""


@dataclass(frozen=True)
class AtPercent:
    """When this part of the target (0 < percent <= 1000, never 100: that is the breach) is consumed."""

    percent: float


@dataclass(frozen=True)
class After:
    """So many seconds (> 0) after the step before; of the first step: after the breach."""

    seconds: int


@dataclass(frozen=True)
class Unacknowledged:
    """When nobody has acknowledged for so many seconds (> 0) since the step before; of the first step: since the breach."""

    seconds: int


Trigger = AtBreach | AtPercent | After | Unacknowledged


@dataclass(frozen=True)
class WriteBack:
    """How a step marks the ticket in its helpdesk. None, or no tag: that part is left alone."""

    tags: tuple[str, ...] = ()
    priority: str | None = None
    """A canonical word; never raised above the ceiling of the source."""
    note: str | None = None
    """The text of a private note; `breach` stands for the built-in one."""
    group: str | None = None
    assignee: str | None = None


@dataclass(frozen=True)
class Repeat:
    """Say it again every so many seconds (> 0), `times` (1..100) further times at most."""

    every_seconds: int
    times: int


@dataclass(frozen=True)
class Step:
    """One rung. Seconds are open time of the clock's calendar unless `wall`."""

    index: int
    """Its place in the ladder, from 0."""
    at: Trigger
    type: StepType = "automatic"
    notify: tuple[str, ...] = ()
    """Names of channels, in the order of the document."""
    write_back: WriteBack | None = None
    repeat: Repeat | None = None
    condition: Condition | None = None
    """The step is passed over unless this holds when it is due; None: never."""
    immediate: bool = False
    """Ignores quiet hours and grouping."""
    wall: bool = False
    """Seconds are real time."""


@dataclass(frozen=True)
class Ladder:
    """One ladder of the document. `last_resort` is the channel that hears it when a step reached nobody; None: there is none."""

    name: str
    steps: tuple[Step, ...]
    acknowledge_for: int = ACKNOWLEDGE_SECONDS
    """Real seconds."""
    last_resort: str | None = None

    def breach_steps(self) -> tuple[Step, ...]:
        """The steps that are due at the breach itself, in order."""
        return tuple(step for step in self.steps if isinstance(step.at, AtBreach))
