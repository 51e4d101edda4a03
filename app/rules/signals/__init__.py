"""Signals: behaviour of a ticket that is alarming in itself. One module each, found by its name.

A signal module says where in time the behaviour holds:

* `holds(past, knobs) -> Iterable[Holding]`: stretches `[start, end)`, in any order, with what shows it. A stretch that lies ahead is one
  that comes if nothing else happens: so the next instant at which a signal would be raised is known without asking again and again.
* `AFTER_SOLVE`: whether it is raised on solved tickets, too.
* `CURE`: the word for why an escalation that it opened is over when the behaviour is; None: only solving ends it.
* `GUIDANCE`: what helps, unless the document says otherwise.

What is the same for all (thresholds by tier, lasting long enough, cooldown, open tickets only) stands in `_watch` and `_spells`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol, cast

from app.rules.guidance import Guidance
from app.rules.signals._past import Broken, Past, Related, past_of
from app.rules.signals._rule import GRACE_SECONDS, REQUESTED, Contacts, Count, Grace, Knobs, Matching, Score, SignalRule, Silence
from app.rules.signals._shown import as_json
from app.rules.signals._spells import Evidence, Holding
from app.rules.signals._watch import Raised, Watch, watch

__all__ = [
    "GRACE_SECONDS",
    "REQUESTED",
    "Broken",
    "Contacts",
    "Count",
    "Evidence",
    "Grace",
    "Holding",
    "Knobs",
    "Matching",
    "Past",
    "Raised",
    "Related",
    "Score",
    "Signal",
    "SignalRule",
    "Silence",
    "Watch",
    "as_json",
    "load",
    "names",
    "past_of",
    "watch",
]


class Signal(Protocol):
    """The shape of a signal module."""

    @property
    def AFTER_SOLVE(self) -> bool: ...  # noqa: N802

    @property
    def CURE(self) -> str | None: ...  # noqa: N802

    @property
    def GUIDANCE(self) -> Guidance: ...  # noqa: N802

    def holds(self, past: Past, knobs: Any) -> Iterable[Holding]: ...


@cache
def names() -> tuple[str, ...]:
    """The signals there are, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


@cache
def load(name: str) -> Signal:
    """A signal. KeyError when there is none of this name."""
    if name not in names():
        raise KeyError(name)
    return cast(Signal, importlib.import_module(f"{__name__}.{name}"))
