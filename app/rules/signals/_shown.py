"""Signals as JSON values, for people who ask why: each that is watched, with its threshold, what was raised, and what shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from app.rules.signals._past import Past
from app.rules.signals._rule import SignalRule
from app.rules.signals._watch import Raised, watch


def as_json(rules: Iterable[SignalRule], past: Past | None, at: datetime) -> list[dict[str, Any]]:
    """Every signal of the document at the instant `at`; instants RFC 3339 UTC with microseconds. `past` None: nothing is known."""
    return list(_lines(rules, past, at)) if past is not None else []


def _lines(rules: Iterable[SignalRule], past: Past, at: datetime) -> Iterator[dict[str, Any]]:
    for rule in rules:
        found, knobs = watch([rule], past, at), rule.knobs_for(past.tiers[-1])
        yield {
            "signal": rule.name,
            "threshold": knobs.words if knobs.is_set else None,
            "tier": past.tiers[-1],
            "escalate": rule.escalate,
            "raised": [_raised(raised, at) for raised in found.raised],
            "next_at": _instant(found.next_at),
        }


def _raised(raised: Raised, at: datetime) -> dict[str, Any]:
    return {
        "raised_at": _instant(raised.raised_at),
        "ended_at": _instant(raised.ended_at),
        "stands": raised.stands_at(at),
        "tier": raised.tier,
        "threshold": raised.threshold,
        "evidence": list(raised.evidence.sentences),
        "keys": list(raised.evidence.keys),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
