"""The collector looks briefly and often, and nothing that needs it stays for long."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from app.cli import _collector


class Knot:
    """Holds itself: only the collector lets it go."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.collect()


def knots(count: int) -> "weakref.ref[Knot]":
    """That many nobody holds; one of them to look for."""
    last = [Knot() for _ in range(count)][-1]
    return weakref.ref(last)


async def test_what_nobody_holds_any_more_goes_at_the_next_look() -> None:
    _collector.begin()
    one = knots(_collector.YOUNG)
    assert one() is not None
    await asyncio.sleep(3 * _collector.EVERY)

    assert one() is None


async def test_few_new_objects_are_not_worth_a_look_and_nothing_breaks_into_a_batch() -> None:
    _collector.begin()
    few = knots(_collector.YOUNG // 8)
    await asyncio.sleep(3 * _collector.EVERY)
    assert few() is not None
    many = knots(_collector.YOUNG * 4)

    assert many() is not None


@pytest.mark.parametrize(
    ("counts", "generation"),
    [
        ((_collector.YOUNG, 0, 0), None),
        ((_collector.YOUNG + 1, 0, 0), 0),
        ((_collector.YOUNG + 1, _collector.LOOKS + 1, 0), 1),
        ((_collector.YOUNG + 1, _collector.LOOKS + 1, _collector.LONG_LOOKS + 1), 2),
    ],
)
def test_the_more_brief_looks_there_were_the_further_the_next_one_goes(
    monkeypatch: pytest.MonkeyPatch, counts: tuple[int, int, int], generation: int | None
) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(gc, "get_count", lambda: counts)
    monkeypatch.setattr(gc, "collect", looked.append)
    _collector.look()

    assert looked == ([] if generation is None else [generation])


async def test_what_survived_a_brief_look_goes_at_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_collector, "LOOKS", 2)
    _collector.begin()
    held = [Knot() for _ in range(_collector.YOUNG * 2)]
    one = weakref.ref(held[0])
    _collector.look()
    held.clear()
    for _ in range(6):
        knots(_collector.YOUNG)
        _collector.look()

    assert one() is None
