"""The small languages of the document as types: names, durations, targets, warnings. (Dates and hours: `times`; conditions: `conditions`.)

Each turns what is written into the value the engine works with, and refuses the rest with the code that `check` reports. References by
name are judged against `Known`, the validation context, so that all wrong names are found in one pass; without a context they pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, StringConstraints, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.config.findings import shown
from app.config.words import hint, nearest
from app.rules.durations import parse_duration, parse_target, parse_warning
from app.rules.events import Priority
from app.rules.policy import BeforeDueWarning, PercentWarning, Target
from app.rules.policy import Warning as SlaWarning
from app.rules.problems import InvalidDuration, InvalidTarget, RuleError

PRIORITIES: Final = tuple(word.value for word in Priority)
NEAR: Final = 0.8  # how like a word has to be to a canonical one to be taken for a slip

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the document defines. `days_allowed`: a plain day is 24 h here, because the clock runs around it."""

    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Kind of name (`calendar`, `channel`, `ladder`, `metric`, `tier`) -> the names there are; a kind that is missing is not checked."""
    days_allowed: bool = True


def refuse(code: str, message: str) -> PydanticCustomError:
    """An error with a code of ours."""
    return PydanticCustomError(code, "{message}", {"message": message})


class Faults:
    """Several errors of one value, each at its own place below it."""

    def __init__(self) -> None:
        self._found: list[InitErrorDetails] = []

    def add(self, code: str, message: str, *path: str | int) -> None:
        self._found.append({"type": refuse(code, message), "loc": path, "input": None})

    def check(self) -> None:
        """Raises all of them, if there are any."""
        if self._found:
            raise ValidationError.from_exception_data("value", self._found)


def known(kind: str) -> AfterValidator:
    """A reference to something of this kind that the document has to define."""

    def check(name: str, info: ValidationInfo) -> str:
        names = info.context.names.get(kind) if isinstance(info.context, Known) else None
        if names is None or name in names:
            return name
        raise refuse("unknown-name", f"there is no {kind} {shown(name)}{hint(name, names)}")

    return AfterValidator(check)


def listed(value: Any) -> Any:
    """One thing stands for a list of one."""
    return value if isinstance(value, list) else [value]


def _days_allowed(info: ValidationInfo) -> bool:
    return not isinstance(info.context, Known) or info.context.days_allowed


def _read(read: Callable[..., T], value: Any, *, days_allowed: bool, invalid: str = "bad-duration") -> T:
    """`read(value)`, its refusals with our codes. A plain day where none is allowed is told apart from nonsense."""
    try:
        return read(value, days_allowed=days_allowed)
    except InvalidTarget as error:
        raise refuse("bad-target" if invalid == "bad-duration" else invalid, str(error)) from None
    except InvalidDuration as error:
        code = "ambiguous-days" if not days_allowed and _is_readable(read, value) else invalid
        raise refuse(code, str(error)) from None


def _is_readable(read: Callable[..., object], value: Any) -> bool:
    try:
        read(value, days_allowed=True)
    except RuleError:
        return False
    return True


def read_target(value: Any, *, days_allowed: bool) -> Target:
    """A target; a plain day only where it is allowed."""
    return _read(parse_target, value, days_allowed=days_allowed)


def _read_target(value: Any, info: ValidationInfo) -> Target:
    return read_target(value, days_allowed=_days_allowed(info))


def _read_warning(value: Any, info: ValidationInfo) -> SlaWarning:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refuse("bad-warning", f"a warning needs its unit: {value}% of the target, or {value}m before")
    warning: PercentWarning | BeforeDueWarning = _read(parse_warning, value, days_allowed=_days_allowed(info), invalid="bad-warning")
    return warning


def _positive(seconds: int) -> int:
    if seconds <= 0:
        raise refuse("bad-duration", "this has to be more than zero")
    return seconds


def _read_span(value: Any) -> int:
    return _positive(_read(parse_duration, value, days_allowed=True))


def read_open_span(value: Any, *, days_allowed: bool = False) -> int:
    """Seconds (> 0) of open time; a plain day only where it is allowed."""
    return _positive(_read(parse_duration, value, days_allowed=days_allowed))


def _read_open_span(value: Any) -> int:
    return read_open_span(value)


DURATION_TEXT = Annotated[str, Field(examples=["90s", "15m", "4h", "1h30m", "PT4H"], pattern=r"^[0-9P]")]
TARGET_TEXT = Annotated[str, Field(examples=["15m", "4h", "1h30m", "2bd", "2bd@close"], pattern=r"^\s*[0-9P]")]

TargetText = Annotated[Target, PlainValidator(_read_target, json_schema_input_type=TARGET_TEXT)]
"""`4h`, `2bd`, `2bd@close`; a plain day only where the calendar is `always`."""
WarningText = Annotated[
    SlaWarning,
    PlainValidator(_read_warning, json_schema_input_type=Annotated[str, Field(examples=["80%", "30m before"], pattern=r"(%|before)\s*$")]),
]
WallSeconds = Annotated[int, PlainValidator(_read_span, json_schema_input_type=DURATION_TEXT)]
"""Real time; a day is 24 h. More than zero."""
OpenSeconds = Annotated[int, PlainValidator(_read_open_span, json_schema_input_type=DURATION_TEXT)]
"""Open time of some calendar, so without plain days. More than zero."""


def _read_priority(word: str) -> str:
    """A priority: a canonical one in any case, `default`, or a word of the helpdesk's own that looks like neither."""
    fold = word.strip().casefold()
    words = (*PRIORITIES, "default")
    if fold not in words and nearest(fold, words, NEAR) is not None:
        raise refuse("unknown-name", f"there is no priority {shown(word)}{hint(fold, words)}")
    return fold if fold in words else word


PriorityWord = Annotated[str, AfterValidator(_read_priority)]


CalendarName = Annotated[str, known("calendar")]
ChannelName = Annotated[str, known("channel")]
LadderName = Annotated[str, known("ladder")]
MetricName = Annotated[str, known("metric")]
TierName = Annotated[str, known("tier")]
Channels = Annotated[tuple[ChannelName, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])]
Words = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1)], ...], BeforeValidator(listed, json_schema_input_type=str | list[str])
]
