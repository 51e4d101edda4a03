"""What this release reads and checks, but does not act on yet. Nobody should count on a page that is never sent.

Each line here goes away with the release that does the thing.
"""

from collections.abc import Iterator

from app.config.findings import Flaw
from app.config.ladders import LadderEntry, percent
from app.config.nodes import Path
from app.config.parts import Parts

_TAIL = "is checked, but not acted on in this release"


def pending(parts: Parts) -> Iterator[Flaw]:
    """One warning for each part that has no effect yet."""
    for path in _paths(parts):
        yield Flaw(parts.tree.key_place(path), "not-run-yet", f"{'this step' if isinstance(path[-1], int) else path[-1]} {_TAIL}")


def _paths(parts: Parts) -> Iterator[Path]:
    if parts.head.signals.model_fields_set:
        yield ("signals",)
    for name, ladder in parts.ladders.items():
        yield from _ladder(("escalations", name), ladder)
    for name, channel in parts.channels.items():
        yield from (("channels", name, key) for key in sorted(channel.manners.model_fields_set))
    for name, source in parts.sources.items():
        keys = source.config.model_fields_set if source.config is not None else frozenset()
        yield from (("sources", name, key) for key in ("silent_after", "write_back") if key in keys)


def _ladder(path: Path, ladder: LadderEntry) -> Iterator[Path]:
    for index, step in enumerate(ladder.steps):
        here: Path = (*path, "steps", index)
        if percent(step) != 100:
            yield here
        else:
            yield from ((*here, key) for key in ("write_back", "repeat") if key in step.model_fields_set)
    yield from ((*path, key) for key in ("acknowledge_for", "last_resort") if key in ladder.model_fields_set)
