"""Escalation ladders of the document."""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, model_validator

from app.config.conditions import Match
from app.config.fields import DURATION_TEXT, ChannelName, Channels, Faults, OpenSeconds, WallSeconds, Words, read_open_span, refuse
from app.config.findings import shown
from app.config.strict import Strict
from app.rules.escalation import ACKNOWLEDGE_SECONDS, AtBreach, AtPercent, StepType

_PERCENT = re.compile(r"\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*%\s*")


def _read_moment(value: Any) -> AtBreach | AtPercent:
    if value == "breach":
        return AtBreach()
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 0 < float(found[1]) <= 1000:
        raise refuse("bad-value", f"{shown(value)} is no moment of a step; write breach, or a part of the target such as 80%")
    return AtBreach() if float(found[1]) == 100 else AtPercent(float(found[1]))


def _read_seconds(value: Any, info: ValidationInfo) -> int:
    """A plain day is 24 h for a step in real time (`wall`), and means nothing for one in open time."""
    return read_open_span(value, days_allowed=info.data.get("wall", True))


_MOMENT_TEXT = Annotated[str, Field(pattern=r"^breach$|%\s*$", examples=["breach", "80%"])]
Moment = Annotated[AtBreach | AtPercent, PlainValidator(_read_moment, json_schema_input_type=_MOMENT_TEXT)]
StepSeconds = Annotated[int, PlainValidator(_read_seconds, json_schema_input_type=DURATION_TEXT)]


class RepeatEntry(Strict):
    """Say it again."""

    every: OpenSeconds
    times: Annotated[int, Field(ge=1, le=100)]


class WriteBackEntry(Strict):
    """How a step marks the ticket in its helpdesk."""

    tags: Words = ()
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    note: str | None = Field(default=None, description="The text of a private note; `breach` stands for the built-in one.")
    group: str | None = None
    assignee: str | None = None


class StepEntry(Strict):
    """One rung: when (exactly one of `at`, `after`, `unacknowledged_for`), and who hears of it."""

    wall: bool = Field(default=False, description="Durations are real time; else open time of the clock's calendar.")
    at: Moment | None = Field(default=None, description="`breach`, or a part of the target such as `80%`.")
    after: StepSeconds | None = Field(default=None, description="So long after the step before (of the first step: after the breach).")
    unacknowledged_for: StepSeconds | None = Field(default=None, description="When nobody acknowledged for so long.")
    type: StepType = "automatic"
    notify: Channels = ()
    write_back: WriteBackEntry | None = None
    repeat: RepeatEntry | None = None
    condition: Match = Field(default=None, alias="if", description="The step is passed over unless this holds when it is due.")
    immediate: bool = Field(default=False, description="Ignores quiet hours and grouping.")

    @model_validator(mode="after")
    def _has_one_moment(self) -> Self:
        given = [name for name in ("at", "after", "unacknowledged_for") if getattr(self, name) is not None]
        if not given:
            raise refuse("missing-key", "a step says when: at, after or unacknowledged_for")
        if len(given) > 1:
            raise refuse("bad-value", f"a step says when in one way only, not by {' and '.join(given)}")
        return self


def percent(step: StepEntry) -> float | None:
    """The part of the target at which the step is due (the breach is 100); None for a step that follows another."""
    if step.at is None:
        return None
    return step.at.percent if isinstance(step.at, AtPercent) else 100.0


def _in_order(steps: tuple[StepEntry, ...]) -> tuple[StepEntry, ...]:
    faults = Faults()
    for index, (before, step) in enumerate(pairwise(steps), start=1):
        earlier, later = percent(before), percent(step)
        if later is not None and earlier is None:
            faults.add("ladder-order", "a step with at stands before those that follow another (after, unacknowledged_for)", index)
        elif later is not None and earlier is not None and later < earlier:
            faults.add("ladder-order", "this step is due before the one above it; steps stand in the order of time", index)
    faults.check()
    return steps


class LadderEntry(Strict):
    """Who hears it next, until somebody acts."""

    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1, max_length=100), AfterValidator(_in_order)]
    acknowledge_for: WallSeconds = Field(default=ACKNOWLEDGE_SECONDS, description="How long an acknowledgement holds. Default: 30m.")
    last_resort: ChannelName | None = Field(default=None, description="Hears it when a step reached nobody.")
