"""Every part of the document read by itself, so that one mistake hides no other."""

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import BaseModel

from app.channels import ChannelConfig
from app.config.adapters import Adapted, read_channel, read_source, told
from app.config.calendars import make_calendar
from app.config.fields import Known
from app.config.findings import Flaw
from app.config.ladders import LadderEntry
from app.config.nodes import Path, Tree
from app.config.promises import PolicyEntry, Targets
from app.config.reading import read
from app.config.schema import CalendarEntry, Document, MetricEntry, TierEntry
from app.config.secrets import Resolver
from app.config.sections import Sections
from app.helpdesks import SourceConfig
from app.rules.calendar import ALWAYS, Calendar

M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class Parts:
    """What could be read. An entry with an error is not there; entries of lists are known by their place in the document."""

    sections: Sections
    flaws: list[Flaw]
    head: Document = field(default_factory=Document)
    """The document without the sections below."""
    calendars: dict[str, CalendarEntry] = field(default_factory=dict)
    made: dict[str, Calendar] = field(default_factory=lambda: {"always": ALWAYS})
    tiers: dict[int, TierEntry] = field(default_factory=dict)
    metrics: dict[str, MetricEntry] = field(default_factory=dict)
    heads: dict[int, PolicyEntry] = field(default_factory=dict)
    """Policies without their targets."""
    policies: dict[int, PolicyEntry] = field(default_factory=dict)
    ladders: dict[str, LadderEntry] = field(default_factory=dict)
    channels: dict[str, Adapted[ChannelConfig]] = field(default_factory=dict)
    sources: dict[str, Adapted[SourceConfig]] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        return self.sections.tree

    def document(self) -> Document:
        """The whole document; complete when there are no errors."""
        return self.head.model_copy(
            update={
                "calendars": self.calendars,
                "tiers": tuple(self.tiers.values()),
                "metrics": self.metrics,
                "policies": None if self.tree.data.get("policies") is None else tuple(self.policies.values()),
                "escalations": self.ladders,
                "channels": self.sections.maps["channels"],
                "sources": self.sections.maps["sources"],
            }
        )


def read_parts(tree: Tree, resolver: Resolver, today: date, base: FilePath) -> Parts:
    """All parts of the document, and everything that is wrong with any of them by itself."""
    sections = Sections(tree)
    reader = _Reader(sections.known(), Parts(sections, [*sections.flaws]))
    reader.read_head(resolver)
    reader.read_maps(resolver)
    reader.read_lists()
    reader.make_calendars(today, base)
    return reader.parts


class _Reader:
    """Fills the parts."""

    def __init__(self, known: Known, parts: Parts) -> None:
        self._known = known
        self.parts = parts

    def read_head(self, resolver: Resolver) -> None:
        parts, raw = self.parts, self.parts.sections.head
        resolved = resolver.resolve(raw.get("delivery"), ("delivery",))
        if "delivery" in raw:
            raw["delivery"] = resolved.value
        found = read(Document, raw, parts.tree, (), self._known)
        missing = [Flaw(parts.tree.value_place(trouble.path), trouble.code, trouble.message) for trouble in resolved.troubles]
        parts.flaws += [*missing, *told(found.flaws, missing, resolved.secrets)]
        parts.head = found.value or parts.head

    def read_maps(self, resolver: Resolver) -> None:
        parts, maps = self.parts, self.parts.sections.maps
        parts.calendars = self._entries("calendars", CalendarEntry)
        parts.metrics = self._entries("metrics", MetricEntry)
        parts.ladders = self._entries("escalations", LadderEntry)
        parts.channels = {name: read_channel(parts.tree, name, resolver, self._known) for name in maps["channels"]}
        parts.sources = {name: read_source(parts.tree, name, resolver) for name in maps["sources"]}
        parts.flaws += [flaw for channel in parts.channels.values() for flaw in channel.flaws]
        parts.flaws += [flaw for source in parts.sources.values() for flaw in source.flaws]

    def read_lists(self) -> None:
        lists = self.parts.sections.lists
        for index, raw in enumerate(lists["tiers"]):
            if (tier := self._one(TierEntry, raw, ("tiers", index))) is not None:
                self.parts.tiers[index] = tier
        for index, raw in enumerate(lists["policies"]):
            self._read_policy(index, raw)

    def make_calendars(self, today: date, base: FilePath) -> None:
        for name, entry in self.parts.calendars.items():
            calendar, troubles = make_calendar(name, entry, today, base)
            for trouble in troubles:
                place = self.parts.tree.value_place(("calendars", name, *trouble.path))
                self.parts.flaws.append(Flaw(place, trouble.code, trouble.message))
            if calendar is not None:
                self.parts.made[name] = calendar

    def _read_policy(self, index: int, raw: Any) -> None:
        """The head and each target by itself: a target's days mean something by its calendar, which may be the policy's."""
        path: Path = ("policies", index)
        written = raw.get("targets") if isinstance(raw, dict) else None
        targets = written if isinstance(written, dict) else {}
        calendar = raw.get("calendar", "always") if isinstance(raw, dict) else "always"
        bare = {**raw, "targets": {}} if isinstance(written, dict) else raw
        head = self._one(PolicyEntry, bare, path, self._days(calendar))
        read_all = [self._goals(path, metric, goal, calendar) for metric, goal in targets.items()]
        if head is not None:
            self.parts.heads[index] = head
            if None not in read_all:
                goals = {metric: goal for one in read_all if one is not None for metric, goal in one.targets.items()}
                self.parts.policies[index] = head.model_copy(update={"targets": goals})

    def _goals(self, path: Path, metric: str, goal: Any, calendar: Any) -> Targets | None:
        own = goal.get("calendar") if isinstance(goal, dict) else None
        return self._one(Targets, {"targets": {metric: goal}}, path, self._days(own or calendar))

    def _days(self, calendar: Any) -> Known:
        """A plain day is 24 h where the calendar is `always`; of a calendar that nobody knows it cannot be said."""
        known = isinstance(calendar, str) and calendar in self._known.names["calendar"]
        return replace(self._known, days_allowed=calendar == "always" or not known)

    def _one(self, model: type[M], raw: Any, path: Path, known: Known | None = None) -> M | None:
        found = read(model, raw, self.parts.tree, path, known or self._known)
        self.parts.flaws += found.flaws
        return found.value

    def _entries(self, section: str, model: type[M]) -> dict[str, M]:
        entries = self.parts.sections.maps[section]
        found = {name: self._one(model, raw, (section, name)) for name, raw in entries.items()}
        return {name: value for name, value in found.items() if value is not None}
