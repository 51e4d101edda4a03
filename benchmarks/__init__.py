"""Benchmarks: `python -m benchmarks NAME [--db sqlite|postgres] [--json] [--quick]`.

Each benchmark is one module here, found by its name, with `run(*, quick: bool) -> Report`, or `run(*, quick: bool, db: str)` where
a database is in it. `--quick` ends within a minute. Absolute figures drift with the machine, so a
goal is a ratio against an anchor measured in the same run, or a number with much room.
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `goal` is what it should be, as a sentence, and `met` whether it is; both None where nothing is demanded."""

    case: str
    value: float
    unit: str
    goal: str | None = None
    met: bool | None = None
    anchor: float | None = None
    """What the anchor came to in the same run, in the same unit; None where there is none."""
    ratio: float | None = None
    """The value by the anchor."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark measured, and `notes`: sentences about how, or about what could not be."""

    name: str
    rows: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def interleaved(rounds: int, **works: Callable[[], object]) -> dict[str, float]:
    """The median seconds of one call of each work, by its name; every round calls each once, with the garbage collector off."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, work in works.items():
                begin = perf_counter()
                work()
                seconds[name].append(perf_counter() - begin)
    finally:
        gc.enable()
    return {name: median(taken) for name, taken in seconds.items()}
