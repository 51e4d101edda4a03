"""Signals of the document: behaviour of a ticket, not time, that is told and may open an escalation."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo

from app.config.conditions import Match
from app.config.fields import DURATION_TEXT, TARGET_TEXT, CalendarName, LadderName, TierName, WallSeconds, read_target, refuse
from app.config.strict import Strict
from app.rules import signals as rules
from app.rules.calendar import Calendar
from app.rules.durations import parse_duration
from app.rules.policy import Target
from app.rules.problems import InvalidDuration

CALENDAR = "always"
"""The calendar of a signal that names none."""


def _runs_around_the_clock(info: ValidationInfo) -> bool:
    return bool(info.data.get("calendar") == "always")


def _read_silence(value: Any, info: ValidationInfo) -> Target:
    return read_target(value, days_allowed=_runs_around_the_clock(info))


def _read_grace(value: Any, info: ValidationInfo) -> int:
    """Seconds, also none; a plain day only where the clock runs around it."""
    try:
        return parse_duration(value, days_allowed=_runs_around_the_clock(info))
    except InvalidDuration as error:
        raise refuse("bad-duration", str(error)) from None


SilenceText = Annotated[Target, PlainValidator(_read_silence, json_schema_input_type=TARGET_TEXT)]
GraceText = Annotated[int, PlainValidator(_read_grace, json_schema_input_type=DURATION_TEXT)]


class Reaction(Strict):
    """When else a signal is raised, and what follows."""

    escalate: LadderName | None = Field(default=None, description="The ladder that it starts. Default: it is only told.")
    immediate: bool = Field(default=False, description="Ignores quiet hours and grouping.")
    cooldown: WallSeconds | None = Field(default=None, description="Not raised again on the same ticket for so long.")
    dwell: WallSeconds | None = Field(default=None, description="Raised only when it has lasted for so long.")
    condition: Match = Field(default=None, alias="if", description="Raised only while this holds of the ticket.")


class Count(Strict):
    """Something that happened too often."""

    more_than: int | None = Field(default=None, ge=0)
    within: WallSeconds | None = Field(default=None, description="Only what happened in this span counts. Default: everything.")


class CountSignal(Count, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    tiers: dict[TierName, Count] = Field(default_factory=dict)


class Contacts(Count):
    """Messages of the customer."""

    after_answer: bool = Field(default=False, description="Count all that came after the first answer. Default: those since the last one.")


class ContactsSignal(Contacts, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    tiers: dict[TierName, Contacts] = Field(default_factory=dict)


class Silence(Strict):
    """No public message of an agent for too long."""

    calendar: CalendarName | None = Field(default=None, description="In whose open time it is counted.")
    longer_than: SilenceText | None = None


class SilenceSignal(Silence, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    calendar: CalendarName = CALENDAR
    tiers: dict[TierName, Silence] = Field(default_factory=dict)


class MatchSignal(Reaction):
    """Facts that are alarming in themselves."""

    match: Match = None


class Score(Strict):
    """A score that is too low."""

    below: float | None = None


class ScoreSignal(Score, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    tiers: dict[TierName, Score] = Field(default_factory=dict)


class Mood(Score):
    """A mood that is too low, or has fallen too far."""

    drop: float | None = Field(default=None, gt=0, description="So far below the best score so far.")


class MoodSignal(Mood, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    tiers: dict[TierName, Mood] = Field(default_factory=dict)


class Grace(Strict):
    """The customer asked for a supervisor."""

    calendar: CalendarName | None = Field(default=None, description="In whose open time the grace runs.")
    grace: GraceText | None = Field(default=None, description="Time to settle it before it escalates; 0s: at once. Default: 15m.")


class GraceSignal(Grace, Reaction):
    """The same, with what follows; the grace may differ by tier."""

    calendar: CalendarName = CALENDAR
    match: Match = Field(default=None, description="How the wish shows. Default: the fact escalation_requested, or a tag of that name.")
    tiers: dict[TierName, Grace] = Field(default_factory=dict)


class Signals(Strict):
    """Which signals are watched; one that is left out, or has no threshold, is not."""

    agent_switching: CountSignal | None = None
    repeated_contact: ContactsSignal | None = None
    reopened: CountSignal | None = None
    repeat_ticket: CountSignal | None = None
    missed_promise: CountSignal | None = None
    silence: SilenceSignal | None = None
    severity: MatchSignal | None = None
    impact: MatchSignal | None = None
    customer_request: GraceSignal | None = None
    low_csat: ScoreSignal | None = None
    sentiment_drop: MoodSignal | None = None


def compile_signals(signals: Signals, calendars: Mapping[str, Calendar]) -> tuple[rules.SignalRule, ...]:
    """The rules of the signals that the document names. `calendars`: all of the document, by name."""
    entries = ((name, getattr(signals, name)) for name in type(signals).model_fields)
    return tuple(_rule(name, entry, calendars) for name, entry in entries if entry is not None)


def calendars_of(entry: Any) -> set[str | None]:
    """The calendars that a signal names, with those of its tiers."""
    return {getattr(part, "calendar", None) for part in (entry, *getattr(entry, "tiers", {}).values())}


def _rule(name: str, entry: Any, calendars: Mapping[str, Calendar]) -> rules.SignalRule:
    tiers: Mapping[str, Strict] = getattr(entry, "tiers", {})
    return rules.SignalRule(
        name=name,
        knobs=_knobs(entry, _said(entry), calendars),
        tiers={tier.casefold(): _knobs(entry, _said(entry) | _said(own), calendars) for tier, own in tiers.items()},
        escalate=entry.escalate,
        immediate=entry.immediate,
        cooldown=entry.cooldown or 0,
        dwell=entry.dwell or 0,
        only=entry.condition,
    )


def _said(part: Strict) -> dict[str, Any]:
    """What is written in a part of the document, as the values it was read to."""
    return {key: value for key in part.model_fields_set if (value := getattr(part, key)) is not None}


def _knobs(entry: Reaction, said: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> rules.Knobs:
    """The thresholds of one tier: what it says itself, else what the signal says."""
    calendar = calendars[said.get("calendar", CALENDAR)]
    if isinstance(entry, ContactsSignal):
        return rules.Contacts(said.get("more_than"), said.get("within"), said.get("after_answer", False))
    if isinstance(entry, CountSignal):
        return rules.Count(said.get("more_than"), said.get("within"))
    if isinstance(entry, SilenceSignal):
        return rules.Silence(said.get("longer_than"), calendar)
    if isinstance(entry, GraceSignal):
        return rules.Grace(said.get("grace", rules.GRACE_SECONDS), calendar, entry.match or rules.REQUESTED)
    if isinstance(entry, MatchSignal):
        return rules.Matching(entry.match)
    return rules.Score(said.get("below"), said.get("drop"))
