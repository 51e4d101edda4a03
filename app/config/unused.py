"""Things of the document that nothing leads to: warnings."""

from collections.abc import Iterator

from app.config.findings import Flaw
from app.config.parts import Parts
from app.config.signals import calendars_of


def unused(parts: Parts) -> Iterator[Flaw]:
    """Ladders, channels and calendars that nothing leads to."""
    yield from _unused_in(parts, "escalations", "unused-ladder", "no policy or signal leads to this ladder", _ladders_used(parts))
    yield from _unused_in(
        parts, "channels", "unused-channel", "no ladder names this channel, and it hears no events of its own", _channels_used(parts)
    )
    yield from _unused_in(parts, "calendars", "unused-calendar", "no policy uses this calendar", _calendars_used(parts))


def _unused_in(parts: Parts, section: str, code: str, message: str, used: set[str | None]) -> Iterator[Flaw]:
    for name in parts.sections.maps[section]:
        if name not in used:
            yield Flaw(parts.tree.key_place((section, name)), code, message)


def _signals(parts: Parts) -> Iterator[object]:
    signals = parts.head.signals
    return (found for name in type(signals).model_fields if (found := getattr(signals, name)) is not None)


def _ladders_used(parts: Parts) -> set[str | None]:
    return {policy.escalation for policy in parts.policies.values()} | {getattr(signal, "escalate", None) for signal in _signals(parts)}


def _channels_used(parts: Parts) -> set[str | None]:
    named = {name for ladder in parts.ladders.values() for step in ladder.steps for name in step.notify}
    last = {ladder.last_resort for ladder in parts.ladders.values()}
    behind = {channel.manners.fallback.channel for channel in parts.channels.values() if channel.manners.fallback}
    hearing = {name for name, channel in parts.channels.items() if channel.config is not None and channel.config.events}
    return named | last | behind | hearing


def _calendars_used(parts: Parts) -> set[str | None]:
    policies = {policy.calendar for policy in parts.policies.values()}
    goals = {goal.calendar for policy in parts.policies.values() for goal in policy.targets.values()}
    quiet = {channel.manners.quiet.outside for channel in parts.channels.values() if channel.manners.quiet}
    return policies | goals | quiet | {name for signal in _signals(parts) for name in calendars_of(signal)}
