"""Where notices may go: the channels of the configuration in force, and how each wants to be spoken to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from app.channels import ChannelConfig
from app.helpdesks import SourceConfig
from app.rules.calendar import Calendar
from app.rules.problems import NoWorkingTime

_ALL_CLEARS: Final = frozenset(
    {
        *("sla.recovered", "sla.met_late", "sla.retracted", "sla.retargeted", "escalation.acknowledged", "escalation.deescalated"),
        *("endpoint.recovered", "source.recovered", "test.ping"),
    }
)
"""Events that nobody need hear who has not heard what was before: they go to those who were told, so to no fallback by themselves."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """Who hears it too when a channel has not accepted it `after` it was made."""

    channel: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Quiet:
    """When a channel is not to be disturbed: whenever this calendar is closed. `unless_immediate`: what is immediate is heard even then."""

    outside: Calendar
    unless_immediate: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Beyond so many notices in a span, the rest is folded into one."""

    more_than: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Routes:
    """All that the relay needs of the document."""

    channels: Mapping[str, ChannelConfig]
    ordered: frozenset[str] = frozenset()
    """Channels to which what is said of one ticket goes one after another."""
    fallbacks: Mapping[str, Fallback] = field(default_factory=dict)
    """By channel."""
    operations: str | None = None
    """The channel that hears how the others do when none subscribes to that."""
    quiets: Mapping[str, Quiet] = field(default_factory=dict)
    """By channel."""
    groups: Mapping[str, Group] = field(default_factory=dict)
    """By channel; only those whose notices may be folded."""
    public_url: str | None = None
    """How others reach this service; None: messages have no links."""
    sources: Mapping[str, SourceConfig] = field(default_factory=dict)
    """The helpdesks that are written back to, by what their deliveries call the channel (`source:NAME`)."""

    def ready_at(self, channel: str, at: datetime, *, immediate: bool = False) -> datetime:
        """When a channel may be told what is to be said at `at`: then, or when its quiet hours end."""
        quiet = self.quiets.get(channel)
        if quiet is None or (immediate and quiet.unless_immediate):
            return at
        try:
            return quiet.outside.next_open(at)
        except NoWorkingTime:  # it has closed for good: better at the wrong time than never
            return at

    def kind_of(self, channel: str) -> str:
        """The kind of a channel or source; `unknown` when it is not in the configuration any more."""
        found = self.channels.get(channel) or self.sources.get(channel)
        return found.kind if found is not None else "unknown"

    def operators(self, event_type: str, *, about: str) -> list[str]:
        """Who hears an operational event about a channel: those that subscribe to it, else `operations`; never the channel itself."""
        hear = [name for name, config in self.channels.items() if any(fnmatchcase(event_type, pattern) for pattern in config.events)]
        others = [name for name in hear if name != about]
        if not others and self.operations is not None and self.operations in self.channels and self.operations != about:
            return [self.operations]
        return others

    def fallback_at(self, channel: str, event_type: str, at: datetime) -> datetime | None:
        """When the fallback of a channel is told of an event made at `at`; None: never."""
        fallback = self.fallbacks.get(channel)
        return None if fallback is None or event_type in _ALL_CLEARS else at + fallback.after
