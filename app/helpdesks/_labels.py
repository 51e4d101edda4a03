"""Labels of issue trackers that say what the tracker has no field for: a priority, a status of one's own."""

import re
from collections.abc import Iterable
from typing import Final

from app.helpdesks import SourceConfig
from app.helpdesks._words import fold
from app.rules.events import Priority

PRIORITIES: Final = {
    "critical": "urgent", "blocker": "urgent", "highest": "urgent", "p0": "urgent", "p1": "urgent", "1": "urgent",
    "major": "high", "p2": "high", "2": "high",
    "medium": "normal", "moderate": "normal", "p3": "normal", "3": "normal",
    "minor": "low", "lowest": "low", "p4": "low", "4": "low",
}  # fmt: skip
"""What stands behind `priority/` in a label. There is no common habit: `priority_map` beats it."""

_NAMED: Final = re.compile(r"prio(?:rity)?\s*[:/_-]{1,2}\s*(.+)", re.IGNORECASE)
_RANK: Final = {priority.value: rank for rank, priority in enumerate(Priority)}


def priority(labels: Iterable[str], config: SourceConfig) -> str | None:
    """The canonical priority the labels tell, the highest where several do; None when none does.

    A label tells one when the source's `priority_map` names it whole, or when it reads `priority/WORD` (also `priority: WORD`,
    `priority::WORD`, `priority-WORD`, `prio/WORD`) and the word is known.
    """
    told = [meaning for label in labels if (meaning := _priority(label, config)) is not None]
    return max(told, key=lambda meaning: _RANK[meaning], default=None)


def _priority(label: str, config: SourceConfig) -> str | None:
    if fold(label) in {fold(word) for word in config.priority_map}:
        return config.priority_words.get(label)
    named = _NAMED.fullmatch(label.strip())
    return config.priority_words.get(named[1]) if named else None


def status(labels: Iterable[str], config: SourceConfig) -> str | None:
    """The first label that the source's `status_map` names; None when it names none."""
    ours = {fold(word) for word in config.status_map}
    return next((label for label in labels if fold(label) in ours), None)
