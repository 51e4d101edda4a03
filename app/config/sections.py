"""The sections of the document before anything in them is read: which names there are, and whether they can be names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.config.fields import Known
from app.config.findings import Flaw, shown
from app.config.nodes import Tree
from app.rules.metrics import names as built_in_metrics

MAPS: Final = ("calendars", "metrics", "escalations", "channels", "sources")
LISTS: Final = ("tiers", "policies")

SLUG: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Channels and sources: their names stand in addresses of the API."""
METRIC: Final = r"^[a-z][a-z0-9_]{0,63}$"
CALENDARS_MAX: Final = 500
"""Each is compiled, with its holidays; so many are more than anybody has, and few enough to be done in seconds."""
LENGTH_MAX: Final = 100  # characters of any other name

_FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "metrics": (METRIC, "lower-case letters, digits and _, at most 64"),
    "channels": (SLUG, "letters, digits, dots, - and _, at most 64"),
    "sources": (SLUG, "letters, digits, dots, - and _, at most 64"),
}


class Sections:
    """The maps and lists of a document; a section of the wrong kind is empty and told in `flaws`."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.flaws: list[Flaw] = []
        self.maps: Mapping[str, dict[str, Any]] = {name: self._section(name, dict) for name in MAPS}
        self.lists: Mapping[str, list[Any]] = {name: self._section(name, list) for name in LISTS}
        self.flaws += self._bad_names()
        if len(self.maps["calendars"]) > CALENDARS_MAX:
            place = tree.key_place(("calendars",))
            self.flaws.append(Flaw(place, "too-large", f"there are more than {CALENDARS_MAX} calendars"))
            self.maps = {**self.maps, "calendars": dict(list(self.maps["calendars"].items())[:CALENDARS_MAX])}

    @property
    def head(self) -> dict[str, Any]:
        """Everything that is no map or list of named things, and not empty."""
        return {key: value for key, value in self.tree.data.items() if value is not None and key not in (*MAPS, *LISTS)}

    def known(self) -> Known:
        """The names that other parts may refer to."""
        tiers = frozenset(str(raw["name"]) for raw in self.lists["tiers"] if isinstance(raw, dict) and "name" in raw)
        names = {
            "calendar": frozenset(self.maps["calendars"]) | {"always"},
            "channel": frozenset(self.maps["channels"]),
            "ladder": frozenset(self.maps["escalations"]),
            "metric": frozenset(self.maps["metrics"]) | set(built_in_metrics()),
        }
        return Known(names | ({"tier": tiers} if tiers else {}))

    def _section(self, name: str, kind: type[Any]) -> Any:
        value = self.tree.data.get(name)
        if value is None or isinstance(value, kind):
            return value or kind()
        form = "a map: `name: {...}`" if kind is dict else "a list: `- name: ...`"
        self.flaws.append(Flaw(self.tree.value_place((name,)), "wrong-type", f"{name} is {form}"))
        return kind()

    def _bad_names(self) -> Iterator[Flaw]:
        reserved = {"calendars": {"always"}, "metrics": set(built_in_metrics())}
        for section, entries in self.maps.items():
            form, said = _FORMS.get(section, ("", ""))
            for name in entries:
                place = self.tree.key_place((section, name))
                if name in reserved.get(section, ()):
                    yield Flaw(place, "reserved-name", f"{name} is built in; choose another name")
                elif form and not re.fullmatch(form, name):
                    yield Flaw(place, "bad-name", f"{shown(name)} cannot be a name here: {said}")
                elif not (name.strip() and name.isprintable() and len(name) <= LENGTH_MAX):
                    yield Flaw(place, "bad-name", f"a name is 1 to {LENGTH_MAX} characters that can be seen")
