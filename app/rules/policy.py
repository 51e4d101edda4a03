"""Policies: who is promised what, on whose clock. Built by `app.config` from the document; here they are only values and choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from app.rules.calendar import Calendar
from app.rules.conditions import Condition, facts_named
from app.rules.events import ActorKind, Priority

_MICROSECOND = timedelta(microseconds=1)
_CENTURY = timedelta(days=36_500) // _MICROSECOND
_ALWAYS_DECIDING = frozenset({"priority", "tier", "requester", "requester_email", "requester_domain"})


@dataclass(frozen=True)
class OpenTime:
    """A target in open time of the calendar: so many seconds (> 0)."""

    seconds: int

    @property
    def whole(self) -> timedelta:
        """As a span of time."""
        return _span(self.seconds * 1_000_000)


@dataclass(frozen=True)
class BusinessDays:
    """A target in open days: the same local time `days` (> 0) open days later; `at_close`: at the last closing of that day."""

    days: int
    at_close: bool = False


Target = OpenTime | BusinessDays


@dataclass(frozen=True)
class PercentWarning:
    """Fires when `percent` (0 < percent < 100) of the target is consumed. `name` is as written: `80%`."""

    name: str
    percent: float

    def consumed_at(self, total: int) -> int:
        """How much of a target of so many microseconds is consumed when it fires."""
        return round(total * self.percent / 100)


@dataclass(frozen=True)
class BeforeDueWarning:
    """Fires when `seconds` (> 0) of open time are left before due. `name` is as written: `30m before`."""

    name: str
    seconds: int

    def consumed_at(self, total: int) -> int:
        """How much of a target of so many microseconds is consumed when it fires; at or below zero it would fire before the start."""
        return total - self.seconds * 1_000_000


Warning = PercentWarning | BeforeDueWarning  # noqa: A001 - the field's term


class Way(NamedTuple):
    """The way to a target in open time of the calendar."""

    warnings: tuple[tuple[str, timedelta], ...]
    """Those that fire on it, in their order, and how much is consumed then; one that would fire at the start or before is not on it."""
    amounts: tuple[timedelta, ...]
    """How much is consumed when each of them fires, and last the whole target."""


def way_to(whole: timedelta, warnings: Sequence[Warning]) -> Way:
    """The way to a target of so much open time."""
    total = whole // _MICROSECOND
    marks = sorted([(warning.consumed_at(total), warning.name) for warning in warnings], key=lambda mark: mark[0])
    ahead = tuple((name, _span(amount)) for amount, name in marks if amount > 0)
    return Way(ahead, (*(amount for _, amount in ahead), whole))


def _span(microseconds: int) -> timedelta:
    """At most a century: what is longer no calendar gives either."""
    return _MICROSECOND * min(microseconds, _CENTURY)


@dataclass(frozen=True)
class Terms:
    """What one policy promises for one metric, with every knob resolved."""

    metric: str
    calendar: Calendar
    targets: Mapping[str, Target]
    """By priority word, upper and lower case aside; the key `default` is for every other priority. No entry and no default: nothing is
    promised."""
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
    pause_facts: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())
    """The facts that `pause_while` looks at, sorted."""

    _ways: Mapping[int, Way] = field(init=False, repr=False, compare=False, default_factory=dict)
    """The way to each of the targets that are open time, by its seconds."""
    _words: Mapping[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)
    """The keys of `targets` by how they are compared."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words", {word.casefold(): word for word in self.targets})
        amounts = [target for target in self.targets.values() if isinstance(target, OpenTime)]
        object.__setattr__(self, "_ways", {target.seconds: way_to(target.whole, self.warnings) for target in amounts})
        if self.pause_while is not None:
            object.__setattr__(self, "pause_facts", tuple(sorted(facts_named(self.pause_while))))

    def way(self, target: OpenTime) -> Way:
        """The way to one of the targets."""
        return self._ways[target.seconds]

    def target_for(self, priority: str | None) -> Target | None:
        """The target for a priority word; None when nothing is promised for it."""
        return self.targets.get(self.word_for(priority))

    def word_for(self, priority: str | None) -> str:
        """The key of `targets` for a priority word: that word as the document writes it, else `default`."""
        if priority is None or priority in self.targets:
            return priority or "default"
        return self._words.get(priority.casefold(), "default")


class Offer(NamedTuple):
    """What a policy promises for one metric of a ticket of some priority."""

    policy: str
    terms: Terms
    target: Target
    priority: str | None


@dataclass(frozen=True)
class Policy:
    """One named promise. `match` None = holds for every ticket."""

    name: str
    match: Condition | None
    terms: Mapping[str, Terms]
    """By metric name, in the order of the document."""
    escalation: str | None = None
    """The ladder's name."""
    _offers: Mapping[str | None, Mapping[str, Offer]] = field(init=False, repr=False, compare=False, default_factory=dict)
    """What is offered for the priorities that are canonical or named in the document."""

    def __post_init__(self) -> None:
        named = (word for terms in self.terms.values() for word in terms.targets)
        object.__setattr__(self, "_offers", {word: self._offered(word) for word in (None, *(word.value for word in Priority), *named)})

    def offers(self, priority: str | None) -> Mapping[str, Offer]:
        """What is promised for a priority word, by metric; not a metric without a target for it."""
        known = self._offers.get(priority)
        return self._offered(priority) if known is None else known

    def _offered(self, priority: str | None) -> dict[str, Offer]:
        targets = {name: terms.target_for(priority) for name, terms in self.terms.items()}
        return {name: Offer(self.name, self.terms[name], target, priority) for name, target in targets.items() if target is not None}


@dataclass(frozen=True)
class Tier:
    """One rule that names a tier. Holds from `since` (inclusive) until `until` (exclusive), both UTC instants; None = unbounded."""

    name: str
    match: Condition | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class CustomMetric:
    """A metric of the document: a cycle is open while a condition over facts holds."""

    name: str
    open_while: Condition
    anchor: Literal["began", "created"] = "began"


@dataclass(frozen=True)
class Book:
    """Everything the engine judges by: one revision of the document, compiled."""

    revision: int
    policies: tuple[Policy, ...]
    tiers: tuple[Tier, ...] = ()
    metrics: Mapping[str, CustomMetric] = field(default_factory=dict)
    deciding: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())
    """The facts on which policy, tier and target hang: while none of them is stated, none of these changes."""
    dates: tuple[datetime, ...] = field(init=False, repr=False, compare=False, default=())
    """The instants at which a tier begins or ceases to hold by date alone, sorted: a ticket may have to be judged anew there."""
    steady: bool = field(init=False, repr=False, compare=False, default=False)
    """What is promised hangs on nothing but the ticket as it is: not on dates, and not on what was promised before (`on_change: keep`)."""

    concerned: dict[frozenset[str], tuple[str, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)
    """The metrics to ask again, by what has changed; kept by `app.rules.cycles`, for changes it has seen that decide nothing."""

    def __post_init__(self) -> None:
        matches = [*(policy.match for policy in self.policies), *(tier.match for tier in self.tiers)]
        named = _ALWAYS_DECIDING.union(*(facts_named(match) for match in matches if match is not None))
        object.__setattr__(self, "deciding", named | {"assignee"} if "assignee_is_bot" in named else named)
        dates = {at for tier in self.tiers for at in (tier.since, tier.until) if at is not None}
        object.__setattr__(self, "dates", tuple(sorted(dates)))
        keeps = any(terms.on_change == "keep" for policy in self.policies for terms in policy.terms.values())
        object.__setattr__(self, "steady", not dates and not keeps)
