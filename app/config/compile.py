"""The checked document as the values the service works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from app.channels import ChannelConfig
from app.config.adapters import Manners
from app.config.guidance import compile_guidance
from app.config.ladders import LadderEntry, StepEntry, WriteBackEntry, percent
from app.config.parts import Parts
from app.config.promises import KNOBS, Goal, Knobs, PolicyEntry
from app.config.schema import DeliveryConfig, Document, Retention, TierEntry
from app.config.signals import compile_signals
from app.helpdesks import SourceConfig
from app.rules.calendar import ALWAYS, Calendar
from app.rules.escalation import After, Ladder, Repeat, Step, Trigger, Unacknowledged, WriteBack
from app.rules.events import ActorKind
from app.rules.guidance import GuidanceBook
from app.rules.metrics import default_pause
from app.rules.policy import Book, CustomMetric, OpenTime, PercentWarning, Policy, Terms, Tier
from app.rules.policy import Warning as Warn
from app.rules.signals import SignalRule

STARTER_POLICY: Final = Policy(
    name="default",
    match=None,
    terms={"resolution": Terms("resolution", ALWAYS, {"default": OpenTime(6 * 3600)}, pause_while=default_pause("resolution"))},
)
"""What holds when the document has no policies: resolution within 6 h, around the clock."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One document, ready for use. Secrets are in place in `channels` and `sources`, and only there."""

    text: str
    """As it was given: with placeholders, never with secrets."""
    document: Document
    pages: Book = field(repr=False)
    """The book of no revision yet; ask `book` for one with a number."""
    ladders: Mapping[str, Ladder]
    channels: Mapping[str, ChannelConfig] = field(repr=False)
    manners: Mapping[str, Manners]
    """By channel: quiet hours, grouping and fallback."""
    sources: Mapping[str, SourceConfig] = field(repr=False)
    delivery: DeliveryConfig
    retention: Retention
    calendars: Mapping[str, Calendar] = field(repr=False)
    """By name, `always` among them; holidays are dates in them."""
    signals: tuple[SignalRule, ...]
    """Those that the document names."""
    guidance: GuidanceBook

    def book(self, revision: int) -> Book:
        """What the engine judges by, as this revision."""
        return replace(self.pages, revision=revision)


def compile_document(text: str, parts: Parts) -> Loaded:
    """The document of parts without errors."""
    return Loaded(
        text=text,
        document=parts.document(),
        pages=_book(parts),
        ladders={name: _ladder(name, entry) for name, entry in parts.ladders.items()},
        channels={name: channel.config for name, channel in parts.channels.items() if channel.config is not None},
        manners={name: channel.manners for name, channel in parts.channels.items()},
        sources={name: source.config for name, source in parts.sources.items() if source.config is not None},
        delivery=parts.head.delivery,
        retention=parts.head.retention,
        calendars=parts.made,
        signals=compile_signals(parts.head.signals, parts.made),
        guidance=compile_guidance(parts.head.guidance),
    )


def _book(parts: Parts) -> Book:
    policies = tuple(_policy(entry, parts) for entry in parts.policies.values())
    return Book(
        revision=0,
        policies=(STARTER_POLICY,) if parts.tree.data.get("policies") is None else policies,
        tiers=tuple(_tier(entry) for entry in parts.tiers.values()),
        metrics={name: CustomMetric(name, entry.open_while, entry.anchor) for name, entry in parts.metrics.items()},
    )


def _tier(entry: TierEntry) -> Tier:
    return Tier(entry.name, entry.match, entry.since, entry.until)


def _policy(entry: PolicyEntry, parts: Parts) -> Policy:
    ladder = parts.ladders.get(entry.escalation) if entry.escalation is not None else None
    terms = {metric: _terms(metric, goal, entry, parts.made, ladder) for metric, goal in entry.targets.items()}
    return Policy(entry.name, entry.match, terms, entry.escalation)


def _terms(metric: str, goal: Goal, policy: PolicyEntry, calendars: Mapping[str, Calendar], ladder: LadderEntry | None) -> Terms:
    """The target's own knobs, else the policy's, else what the engine does by itself."""
    knobs = _knobs(goal, policy)
    said = goal.model_fields_set | policy.model_fields_set
    return Terms(
        metric=metric,
        calendar=calendars[goal.calendar or policy.calendar],
        targets=goal.within,
        warnings=(*knobs.warn_at, *_warning_rungs(ladder, knobs.warn_at)),
        pause_while=knobs.pause_while if "pause_while" in said else default_pause(metric),
        reopen=knobs.reopen,
        reply_by=frozenset(ActorKind(word) for word in knobs.reply_by),
        on_solve=knobs.on_solve,
        anchor=knobs.anchor,
        retroactive_pause=knobs.retroactive_pause,
        on_change=knobs.on_change,
        on_behalf=knobs.on_behalf,
        suppress_if_breached_on_attach=knobs.suppress_if_breached_on_attach,
    )


def _warning_rungs(ladder: LadderEntry | None, told: tuple[Warn, ...]) -> tuple[PercentWarning, ...]:
    """A rung at a part of the target is a warning of the clock, unless there is one at that part already."""
    known = {warning.percent for warning in told if isinstance(warning, PercentWarning)}
    parts = [percent(step) for step in ladder.steps] if ladder is not None else []
    wanted = dict.fromkeys(part for part in parts if part is not None and part < 100 and part not in known)
    return tuple(PercentWarning(f"{part:g}%", part) for part in wanted)


def _knobs(goal: Goal, policy: PolicyEntry) -> Knobs:
    own = {name: getattr(goal, name) for name in KNOBS & goal.model_fields_set}
    return Knobs.model_construct(**{name: getattr(policy, name) for name in KNOBS} | own)


def _ladder(name: str, entry: LadderEntry) -> Ladder:
    steps = tuple(_step(index, step) for index, step in enumerate(entry.steps))
    return Ladder(name, steps, entry.acknowledge_for, entry.last_resort)


def _step(index: int, entry: StepEntry) -> Step:
    return Step(
        index=index,
        at=_trigger(entry),
        type=entry.type,
        notify=entry.notify,
        write_back=_write_back(entry.write_back),
        repeat=Repeat(entry.repeat.every, entry.repeat.times) if entry.repeat is not None else None,
        condition=entry.condition,
        immediate=entry.immediate,
        wall=entry.wall,
    )


def _trigger(entry: StepEntry) -> Trigger:
    if entry.at is not None:
        return entry.at
    return After(entry.after) if entry.after is not None else Unacknowledged(entry.unacknowledged_for or 0)


def _write_back(entry: WriteBackEntry | None) -> WriteBack | None:
    return None if entry is None else WriteBack(entry.tags, entry.priority, entry.note, entry.group, entry.assignee)
