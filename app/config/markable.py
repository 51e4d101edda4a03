"""Whether the tickets that a ladder wants marked can be marked: a step's `write_back` needs a source that can write back."""

from collections.abc import Iterator
from typing import Final

from app.config.findings import Flaw
from app.config.ladders import StepEntry, WriteBackEntry
from app.config.parts import Parts
from app.helpdesks.writing import ACTIONS, Action, config_of

CODE: Final = "no-write-back"


def unmarkable(parts: Parts) -> Iterator[Flaw]:
    """One warning for each step that wants what no source of the document can do."""
    able = _able(parts)
    for name, ladder in parts.ladders.items():
        for index, step in enumerate(ladder.steps):
            lost = [action for action in _wanted(step) if action not in able]
            if lost:
                place = parts.tree.key_place(("escalations", name, "steps", index, "write_back"))
                yield Flaw(place, CODE, f"no source can do this to its tickets: {', '.join(lost)}; see write_back of sources")


def _able(parts: Parts) -> set[Action]:
    configs = [config_of(source.config) for source in parts.sources.values() if source.config is not None]
    return {action for config in configs if config is not None for action in config.actions}


def _wanted(step: StepEntry) -> list[Action]:
    entry: WriteBackEntry | None = step.write_back
    return [action for action in ACTIONS if entry is not None and getattr(entry, action)]
