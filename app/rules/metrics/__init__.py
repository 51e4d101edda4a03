"""The built-in metrics: one module each, found by its name.

A metric module says when a promise is open and since when:

* `anchor(ticket, terms, opened) -> datetime | None`: where the clock of the open cycle starts, in UTC; None while nothing is promised.
  `opened` is the anchor of the cycle that is open so far, or was until the ticket went away (None: there is none). When the anchor
  moves, the open cycle stops and the next begins.
* `fulfilled(ticket, terms, anchor) -> bool`: asked at the instant a cycle stops: was the promise kept (if late or in time is
  arithmetic), or has it merely lapsed?
* `PAUSE`: the condition under which the clock stands still unless the document says otherwise; None: never.
* `WATCHES`: what else moves the anchor besides solving, reopening, deleting and merging the ticket: names of facts, and `FIRST_REPLY`,
  `REPLY`, `WAITING` of `app.rules.ticket`. While none of that changes, the anchor is not asked for again.
* `GUIDANCE`: what helps when the promise is at risk or broken, unless the document says otherwise.
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import datetime
from functools import cache
from typing import Protocol, cast

from app.rules.conditions import Condition
from app.rules.guidance import Guidance
from app.rules.policy import CustomMetric, Terms
from app.rules.ticket import TicketAt


class Metric(Protocol):
    """The shape of a metric module."""

    @property
    def PAUSE(self) -> Condition | None: ...  # noqa: N802

    @property
    def WATCHES(self) -> frozenset[str]: ...  # noqa: N802

    @property
    def GUIDANCE(self) -> Guidance: ...  # noqa: N802

    def anchor(self, ticket: TicketAt, terms: Terms, opened: datetime | None) -> datetime | None: ...

    def fulfilled(self, ticket: TicketAt, terms: Terms, anchor: datetime) -> bool: ...


@cache
def names() -> tuple[str, ...]:
    """The built-in metrics, sorted."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


@cache
def load(name: str) -> Metric:
    """A built-in metric. KeyError when there is none of this name."""
    if name not in names():
        raise KeyError(name)
    return cast(Metric, importlib.import_module(f"{__name__}.{name}"))


def default_pause(name: str) -> Condition | None:
    """When a metric's clock stands still unless the document says otherwise; custom metrics never do."""
    return load(name).PAUSE if name in names() else None


def guidance(name: str) -> Guidance:
    """What helps unless the document says otherwise; the same for all custom metrics, and for what is no metric."""
    from app.rules.metrics._custom import Custom

    return load(name).GUIDANCE if name in names() else Custom.GUIDANCE


def metric(name: str, custom: CustomMetric | None) -> Metric:
    """The metric of this name: the document's own beats the built-in."""
    if custom is None:
        return load(name)
    from app.rules.metrics._custom import Custom

    return Custom(custom)
