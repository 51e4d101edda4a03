"""Policies: who is promised what, on whose clock. Built by `app.config` from the document; here they are only values and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.rules.calendar import Calendar
from app.rules.conditions import Condition, facts_named
from app.rules.events import ActorKind

_ALWAYS_DECIDING = frozenset({"priority", "tier", "requester", "requester_email", "requester_domain"})


@dataclass(frozen=True, slots=True)
class OpenTime:
    """A target in open time of the calendar: so many seconds (> 0)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """A target in open days: the same local time `days` (> 0) open days later; `at_close`: at the last closing of that day."""

    days: int
    at_close: bool = False


Target = OpenTime | BusinessDays


@dataclass(frozen=True, slots=True)
class PercentWarning:
    """Fires when `percent` (0 < percent < 100) of the target is consumed. `name` is as written: `80%`."""

    name: str
    percent: float


@dataclass(frozen=True, slots=True)
class BeforeDueWarning:
    """Fires when `seconds` (> 0) of open time are left before due. `name` is as written: `30m before`."""

    name: str
    seconds: int


Warning = PercentWarning | BeforeDueWarning  # noqa: A001 - the field's term


@dataclass(frozen=True, slots=True)
class Terms:
    """What one policy promises for one metric, with every knob resolved."""

    metric: str
    calendar: Calendar
    targets: Mapping[str, Target]
    """By priority word; the key `default` is for every other priority. No entry and no default: nothing is promised."""
    warnings: tuple[Warning, ...] = ()
    pause_while: Condition | None = None
    """The clock stands still while this holds; None: it never does."""
    reopen: Literal["resume", "restart", "final"] = "resume"
    reply_by: frozenset[ActorKind] = frozenset({ActorKind.AGENT})
    """Whose public messages count as a reply: {AGENT} or {AGENT, BOT}."""
    on_solve: Literal["cancel", "fulfil"] = "cancel"
    """What solving without a reply does to a reply promise."""
    anchor: Literal["created", "policy_applied"] = "created"
    retroactive_pause: bool = True
    """Pauses from before the policy applied count as pauses."""
    on_change: Literal["retarget", "restart", "keep"] = "retarget"
    on_behalf: bool = False
    """True: a ticket created by an agent owes a first response too."""
    suppress_if_breached_on_attach: bool = False
    """A breach that is already past when the clock first appears is recorded without a notice."""

    def target_for(self, priority: str | None) -> Target | None:
        """The target for a priority word; None when nothing is promised for it."""
        return self.targets.get(priority or "default", self.targets.get("default"))


@dataclass(frozen=True, slots=True)
class Policy:
    """One named promise. `match` None = holds for every ticket."""

    name: str
    match: Condition | None
    terms: Mapping[str, Terms]
    """By metric name, in the order of the document."""
    escalation: str | None = None
    """The ladder's name."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One rule that names a tier. Holds from `since` (inclusive) until `until` (exclusive), both UTC instants; None = unbounded."""

    name: str
    match: Condition | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CustomMetric:
    """A metric of the document: a cycle is open while a condition over facts holds."""

    name: str
    open_while: Condition
    anchor: Literal["began", "created"] = "began"


@dataclass(frozen=True, slots=True)
class Book:
    """Everything the engine judges by: one revision of the document, compiled."""

    revision: int
    policies: tuple[Policy, ...]
    tiers: tuple[Tier, ...] = ()
    metrics: Mapping[str, CustomMetric] = field(default_factory=dict)
    deciding: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())
    """The facts on which policy, tier and target hang: while none of them is stated, none of these changes."""

    def __post_init__(self) -> None:
        matches = [*(policy.match for policy in self.policies), *(tier.match for tier in self.tiers)]
        named = _ALWAYS_DECIDING.union(*(facts_named(match) for match in matches if match is not None))
        object.__setattr__(self, "deciding", named | {"assignee"} if "assignee_is_bot" in named else named)
