"""What the pure core refuses. Each refusal is a sentence about the domain; `code` is its stable name for machines."""

from typing import ClassVar


class RuleError(ValueError):
    """The rules cannot work with this."""

    code: ClassVar[str] = "rule_error"


class NoWorkingTime(RuleError):
    """The calendar has not enough open time before the horizon (five years)."""

    code = "no_working_time"


class InvalidTarget(RuleError):
    """A target, or a number of days, that promises nothing: zero, negative or no number."""

    code = "invalid_target"


class InvalidHours(RuleError):
    """Opening hours, or a time zone, that cannot be."""

    code = "invalid_hours"


class InvalidDuration(RuleError):
    """A text that is no duration in the language of the document."""

    code = "invalid_duration"


class InvalidCondition(RuleError):
    """A condition that cannot be understood. `path` leads to the bad place, from the condition's own root: keys and list indexes."""

    code = "invalid_condition"

    def __init__(self, detail: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(detail)
        self.path = path
