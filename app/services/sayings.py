"""What is to be said, before it has a form: facts about a clock, what an escalation has to tell, a signal that was raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.rules.evaluate import Clock, Verdict
from app.schemas.events_out import StepOut
from app.schemas.retarget_out import RetargetOut
from app.store.tickets import LockedTicket


@dataclass(frozen=True, slots=True)
class Saying:
    """One fact about one clock, ready to be said."""

    type: str
    milestone: str
    """What the effect key is made of: each is said once per clock, channel and generation."""
    timestamp: datetime
    ticket: LockedTicket
    verdict: Verdict
    clock: Clock
    clock_id: str
    generation: int
    breach_id: str | None = None
    late_seconds: int | None = None
    retracted_by: str | None = None
    expires_at: datetime | None = None
    channels: tuple[str, ...] = ()
    """Those that a rung of a ladder names."""
    step: StepOut | None = None
    immediate: bool = False
    """Ignores quiet hours and grouping."""
    escalation_id: str | None = None
    """The run whose rung speaks by it; None: no run does."""
    notice_id: str | None = None
    """The id it is said under; None: a new one."""
    source_stale: bool = False
    """Its source is silent: what was done there may not be known."""
    retargeted: RetargetOut | None = None
    """What moved its due instant; None: that is not what it says."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Something an escalation has to tell. `row` is the escalation as it is stored by the same transaction."""

    type: str
    milestone: str
    """Said once per escalation and channel."""
    timestamp: datetime
    ticket: LockedTicket
    verdict: Verdict
    row: Mapping[str, Any]
    notice_id: str
    """The id it is said under."""
    clock: Clock | None = None
    channels: tuple[str, ...] = ()
    """Those it is meant for, beside whoever hears events of the type."""
    step: StepOut | None = None
    immediate: bool = False
    """Ignores quiet hours and grouping."""


@dataclass(frozen=True, slots=True)
class Raising:
    """A signal was raised. `row` is the signal as it is stored by the same transaction."""

    timestamp: datetime
    ticket: LockedTicket
    verdict: Verdict
    row: Mapping[str, Any]
    immediate: bool = False
    """Ignores quiet hours and grouping."""
    type: str = "signal.raised"
    milestone: str = "raised"
    channels: tuple[str, ...] = ()
    """Only whoever hears events of the type."""
    notice_id: str | None = None
