"""Policies of the document: who is promised what, on whose clock."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from app.config.conditions import Match, Pause
from app.config.fields import CalendarName, LadderName, MetricName, PriorityWord, TargetText, WarningText, listed
from app.config.strict import Strict

NameText = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Knobs(Strict):
    """What a policy may say for all its targets, and each target for itself. What neither says has the default of the engine."""

    warn_at: Annotated[tuple[WarningText, ...], BeforeValidator(listed, json_schema_input_type=WarningText | list[WarningText])] = Field(
        default=(), description="`80%` of the target, `30m before` it is due."
    )
    pause_while: Pause = Field(
        default=None, description="The clock stands still while this holds; `never`: it never does. Default: of resolution, status pending."
    )
    reopen: Literal["resume", "restart", "final"] = Field(default="resume", description="What becomes of the clock when a ticket reopens.")
    reply_by: Annotated[
        tuple[Literal["agent", "bot"], ...],
        BeforeValidator(listed, json_schema_input_type=Literal["agent", "bot"] | list[Literal["agent", "bot"]]),
    ] = Field(default=("agent",), min_length=1, description="Whose public messages count as a reply.")
    on_solve: Literal["cancel", "fulfil"] = Field(default="cancel", description="What solving without a reply does to a reply promise.")
    anchor: Literal["created", "policy_applied"] = Field(default="created", description="Where the clock of a ticket starts.")
    retroactive_pause: bool = Field(default=True, description="Pauses from before the policy applied count.")
    on_change: Literal["retarget", "restart", "keep"] = Field(default="retarget", description="When tier, priority or policy change.")
    on_behalf: bool = Field(default=False, description="A ticket created by an agent owes a first response too.")
    suppress_if_breached_on_attach: bool = Field(
        default=False, description="A breach that is past when the clock first appears is recorded without a notice."
    )


KNOBS: Final = frozenset(Knobs.model_fields)


def _by_priority(value: Any) -> Any:
    return value if isinstance(value, dict) else {"default": value}


ByPriority = Annotated[
    dict[PriorityWord, TargetText],
    BeforeValidator(_by_priority, json_schema_input_type=TargetText | dict[str, TargetText]),
]


class Goal(Knobs):
    """What is promised for one metric, and its knobs."""

    within: ByPriority = Field(min_length=1, description="`4h`, `2bd`, or by priority: `{urgent: 15m, default: 1h}`.")
    calendar: CalendarName | None = Field(default=None, description="Default: the calendar of the policy.")


def _goal(value: Any) -> Any:
    """`1h` and `{urgent: 15m, default: 1h}` stand for `{within: ...}`."""
    is_full = isinstance(value, dict) and not (KNOBS | {"within", "calendar"}).isdisjoint(value)
    return value if is_full else {"within": value}


Target = Annotated[Goal, BeforeValidator(_goal, json_schema_input_type=TargetText | dict[str, TargetText] | Goal)]


class Targets(Strict):
    """The targets of a policy by themselves."""

    targets: dict[MetricName, Target] = Field(description="Metric -> what is promised; empty: nothing is.")


class PolicyEntry(Knobs, Targets):
    """One promise. The first policy that matches wins; the last may be without `match`: it holds for all the rest."""

    name: NameText
    match: Match = None
    calendar: CalendarName = Field(default="always", description="Whose hours count.")
    escalation: LadderName | None = Field(default=None, description="The ladder that a breach climbs.")
