"""What the document says of signals: thresholds by tier, guards, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from app.rules.calendar import ALWAYS, Calendar
from app.rules.conditions import Condition, parse_condition
from app.rules.policy import BusinessDays, Target

GRACE_SECONDS: Final = 900
"""How long a customer's wish for a supervisor waits unless the document says otherwise, in open time."""
REQUESTED: Final = parse_condition({"any": [{"escalation_requested": True}, {"tags": ["escalation_requested", "supervisor_requested"]}]})
"""How a customer's wish for a supervisor shows unless the document says otherwise: a fact, or a tag."""

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def span(seconds: int) -> str:
    """`7d`, `1h30m`, `0s`: exact, the largest units first."""
    text = ""
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


class Knobs(Protocol):
    """The thresholds of one signal for one tier."""

    @property
    def is_set(self) -> bool:
        """Whether the signal is watched with these."""
        ...

    @property
    def words(self) -> str:
        """`more than 3 within 7d`."""
        ...


@dataclass(frozen=True)
class Count:
    """Too often: more than `more_than` times within `within` real seconds (None: ever). `more_than` None: not watched."""

    more_than: int | None = None
    within: int | None = None

    @property
    def is_set(self) -> bool:
        return self.more_than is not None

    @property
    def words(self) -> str:
        return f"more than {self.more_than}" + (f" within {span(self.within)}" if self.within is not None else "")


@dataclass(frozen=True)
class Contacts(Count):
    """The same for messages of the customer. `after_answer`: every message after the first answer counts; else those since the last one."""

    after_answer: bool = False

    @property
    def words(self) -> str:
        what = "after an answer" if self.after_answer else "without an answer"
        return f"more than {self.more_than} {what}" + (f" within {span(self.within)}" if self.within is not None else "")


@dataclass(frozen=True)
class Silence:
    """Too long: open time of a calendar, or its business days. `longer_than` None: not watched."""

    longer_than: Target | None = None
    calendar: Calendar = ALWAYS

    @property
    def is_set(self) -> bool:
        return self.longer_than is not None

    @property
    def words(self) -> str:
        target = self.longer_than
        if target is None:
            return ""
        close = "@close" if isinstance(target, BusinessDays) and target.at_close else ""
        length = f"{target.days}bd{close}" if isinstance(target, BusinessDays) else span(target.seconds)
        return f"longer than {length} (calendar {self.calendar.name})"


@dataclass(frozen=True)
class Matching:
    """Facts that are alarming in themselves. `match` None: not watched."""

    match: Condition | None = None

    @property
    def is_set(self) -> bool:
        return self.match is not None

    @property
    def words(self) -> str:
        return "the condition of the document holds"


@dataclass(frozen=True)
class Score:
    """A score below `below`, or `drop` or more under the best one so far; None: that is not watched."""

    below: float | None = None
    drop: float | None = None

    @property
    def is_set(self) -> bool:
        return self.below is not None or self.drop is not None

    @property
    def words(self) -> str:
        parts = [f"below {self.below:g}" if self.below is not None else "", f"a drop of {self.drop:g}" if self.drop is not None else ""]
        return " or ".join(part for part in parts if part)


@dataclass(frozen=True)
class Grace:
    """A wish that waits `seconds` (>= 0) of a calendar's open time."""

    seconds: int = GRACE_SECONDS
    calendar: Calendar = ALWAYS
    match: Condition = REQUESTED

    @property
    def is_set(self) -> bool:
        return True

    @property
    def words(self) -> str:
        return f"asked for, {span(self.seconds)} ago (calendar {self.calendar.name})"


@dataclass(frozen=True)
class SignalRule:
    """One signal of the document."""

    name: str
    knobs: Knobs
    """For every tier without knobs of its own."""
    tiers: Mapping[str, Knobs] = field(default_factory=dict)
    """By the tier's name in lower case."""
    escalate: str | None = None
    """The ladder that it starts; None: it is only told."""
    immediate: bool = False
    """What is told because of it ignores quiet hours and grouping."""
    cooldown: int = 0
    """Real seconds after it was raised in which it is not raised again on the same ticket."""
    dwell: int = 0
    """Real seconds it has to last before it is raised."""
    only: Condition | None = None
    """It is raised only while this holds of the ticket; None: always."""

    def knobs_for(self, tier: str | None) -> Knobs:
        """The thresholds of a tier."""
        return self.tiers.get(tier.casefold(), self.knobs) if tier is not None else self.knobs
