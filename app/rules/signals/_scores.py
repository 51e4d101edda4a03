"""Scores that others give us: numbers, texts that are numbers, or words. We take them, we do not judge texts."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from app.rules.events import FactValue


def score(value: FactValue, words: Mapping[str, float]) -> float | None:
    """A score as a number; None: there is none, or it is in words that say nothing."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        known = words.get(value.strip().casefold())
        if known is not None:
            return known
    try:
        number = float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None
