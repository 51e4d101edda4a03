"""The policies of a timeline case as documents of ours.

Where the words differ: `keep_in_loop` is our `update_cadence`, `time_to_own` our `assignment`; a terminal status is our `solved`; a policy
that replaces another matches a fact that the event of the change states; one that is added is a document of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.rules.calendar import Calendar
from app.rules.conditions import Condition, parse_condition
from app.rules.durations import parse_target
from app.rules.evaluate import Clock, evaluate
from app.rules.events import TicketEvent
from app.rules.policy import BeforeDueWarning, Book, Policy, Terms
from app.rules.timeline import Timeline
from tests.conformance.case_files import Case, calendar

METRICS = {
    "first_response": "first_response",
    "next_response": "next_response",
    "keep_in_loop": "update_cadence",
    "resolution": "resolution",
    "time_to_own": "assignment",
}
"""The metrics of a case, and what we call them."""
_INHERITED = ("calendar", "pause_statuses", "pause_statuses_per_target", "terminal_statuses")


class Statuses:
    """The status words of a case in ours. A word that would mean more to us than to the case gets another name."""

    def __init__(self, policies: Sequence[Case]) -> None:
        listed: list[str] = [word for policy in policies for word in policy.get("terminal_statuses") or ()]
        self._terminal = frozenset(listed or ("solved", "closed", "resolved"))

    @property
    def final(self) -> str:
        """A word of the case that is terminal."""
        return str(min(self._terminal))

    def ours(self, word: str) -> str:
        if word in self._terminal:
            return "solved"
        return f"{word} (not final)" if word in {"solved", "closed"} else word


class Document:
    """One document: a policy and those that replace it, each in force while the fact of this name has its number."""

    def __init__(self, case: Case, fact: str, policies: Sequence[Case], statuses: Statuses) -> None:
        self._statuses = statuses
        self._policies: list[Case] = []
        for policy in policies:
            inherited = {name: self._policies[-1][name] for name in _INHERITED if self._policies and name in self._policies[-1]}
            self._policies.append({"calendar": case["calendar"]} | inherited | dict(policy))
        self._book = Book(1, tuple(self._policy(fact, number, policy) for number, policy in enumerate(self._policies)))

    def clocks(self, events: Sequence[TicketEvent], at: datetime) -> tuple[Clock, ...]:
        return evaluate(Timeline().extend(events), self._book, at).clocks

    def levels(self, clocks: Sequence[Clock]) -> list[tuple[Case, datetime]]:
        """The levels of the open clocks with their instants, earliest first."""
        found: list[tuple[Case, datetime]] = []
        for clock in clocks:
            levels = {level["name"]: level for level in self._policies[int(clock.cycle.policy)].get("levels") or ()}
            if clock.cycle.is_open and clock.due_at is not None:
                found += [(levels[mark.name], mark.at) for mark in clock.milestones if mark.name in levels]
                after = [level for level in levels.values() if level["offset_minutes"] >= 0]
                hours = clock.cycle.terms.calendar
                found += [(level, hours.add_open_time(clock.due_at, level["offset_minutes"] * 60)) for level in after]
        return sorted(found, key=lambda entry: entry[1])

    def _policy(self, fact: str, number: int, policy: Case) -> Policy:
        if policy.get("options", {}).get("pause_shifts_deadline") is False:
            raise ValueError("not built: a pause that leaves the due instant where it was")
        hours = calendar(policy["calendar"])
        match = parse_condition({"all": [{fact: number}, *([plain(policy["when"])] if policy.get("when") else [])]})
        promised = [metric for metric, minutes in policy["targets"].items() if minutes is not None]
        return Policy(str(number), match, {METRICS[metric]: self._terms(policy, metric, hours) for metric in promised})

    def _terms(self, policy: Case, metric: str, hours: Calendar) -> Terms:
        before = [level for level in policy.get("levels") or () if level["offset_minutes"] < 0]
        return Terms(
            metric=METRICS[metric],
            calendar=hours,
            targets={"default": parse_target(f"{policy['targets'][metric] * 60:.0f}s")},
            warnings=tuple(BeforeDueWarning(level["name"], -level["offset_minutes"] * 60) for level in before),
            pause_while=self._pause(policy, metric),
        )

    def _pause(self, policy: Case, metric: str) -> Condition | None:
        words = policy.get("pause_statuses_per_target", {}).get(metric, policy.get("pause_statuses")) or ()
        ours = [self._statuses.ours(word) for word in words]
        return parse_condition({"status": ours}) if ours else None


def plain(when: Case) -> Mapping[str, Any]:
    """A condition of a case in our words: `{in: [...]}` is a list."""
    return {fact: value["in"] if isinstance(value, dict) and value.keys() == {"in"} else value for fact, value in when.items()}
