"""Signals of the document: behaviour of a ticket, not time, that may open an escalation. Checked here; acted on in a later release."""

from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo

from app.config.conditions import Match
from app.config.fields import TARGET_TEXT, CalendarName, LadderName, TierName, WallSeconds, read_target
from app.config.strict import Strict
from app.rules.policy import Target


def _read_silence(value: Any, info: ValidationInfo) -> Target:
    return read_target(value, days_allowed=info.data.get("calendar", "always") == "always")


class Reaction(Strict):
    """What follows when a signal is raised."""

    escalate: LadderName | None = None
    immediate: bool = Field(default=False, description="Ignores quiet hours and grouping.")
    cooldown: WallSeconds | None = Field(default=None, description="Not raised again on the same ticket for so long.")


class Count(Strict):
    """Something that happened too often."""

    more_than: int | None = Field(default=None, ge=0)
    within: WallSeconds | None = Field(default=None, description="Only what happened in this span counts. Default: everything.")


class CountSignal(Count, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    tiers: dict[TierName, Count] = Field(default_factory=dict)


class Silence(Strict):
    """No public message of an agent for too long."""

    calendar: CalendarName = "always"
    longer_than: Annotated[Target, PlainValidator(_read_silence, json_schema_input_type=TARGET_TEXT)] | None = None


class SilenceSignal(Silence, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

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


class Grace(Strict):
    """The customer asked for a supervisor."""

    grace: WallSeconds | None = Field(default=None, description="Time to answer before it escalates.")


class GraceSignal(Grace, Reaction):
    """The same, with what follows; thresholds may differ by tier."""

    tiers: dict[TierName, Grace] = Field(default_factory=dict)


class Signals(Strict):
    """Which signals are watched; one that is left out, or empty, is not."""

    agent_switching: CountSignal | None = None
    repeated_contact: CountSignal | None = None
    reopened: CountSignal | None = None
    repeat_ticket: CountSignal | None = None
    missed_promise: CountSignal | None = None
    silence: SilenceSignal | None = None
    severity: MatchSignal | None = None
    impact: MatchSignal | None = None
    customer_request: GraceSignal | None = None
    low_csat: ScoreSignal | None = None
    sentiment_drop: ScoreSignal | None = None
