"""Which entries of an ordered list can never be chosen, because one above holds whenever they do."""

from collections.abc import Mapping
from typing import Final, cast

from app.rules.condition_tests import FactTest
from app.rules.conditions import All, Any_, Condition, Not
from app.rules.events import FactValue

STEPS_MAX: Final = 200_000  # comparisons for one list; beyond them nothing more is said

_EQUALITIES: Final = ("eq", "in")


class Reach:
    """Finds what stands above an entry and hides it.

    Not every hidden entry is found (it is a question of logic without end), but every one that is found is hidden indeed.
    """

    def __init__(self) -> None:
        self._left = STEPS_MAX

    def hider(self, above: Mapping[int, Condition | None], match: Condition | None) -> int | None:
        """The first entry of `above` that holds whenever `match` does (None: a match that always holds); None when there is none."""
        for place, wider in above.items():
            if wider is None or (match is not None and self.covers(wider, match)):
                return place
            if self._left < 0:
                return None
        return None

    def covers(self, wider: Condition, narrower: Condition) -> bool:
        """True only if every ticket that passes `narrower` passes `wider`."""
        self._left -= 1
        if self._left < 0:
            return False
        if wider == narrower:
            return True
        if isinstance(wider, All):
            return all(self.covers(part, narrower) for part in wider.parts)
        if isinstance(narrower, Any_):
            return all(self.covers(wider, part) for part in narrower.parts)
        if isinstance(wider, Not) and isinstance(narrower, Not):
            return self.covers(narrower.part, wider.part)
        if isinstance(narrower, All) and any(self.covers(wider, part) for part in narrower.parts):
            return True
        if isinstance(wider, Any_):
            return any(self.covers(part, narrower) for part in wider.parts)
        return isinstance(wider, FactTest) and isinstance(narrower, FactTest) and _test_covers(wider, narrower)


def _test_covers(wider: FactTest, narrower: FactTest) -> bool:
    if wider.fact != narrower.fact or narrower.op not in _EQUALITIES:
        return False
    values = narrower.value if isinstance(narrower.value, tuple) else (narrower.value,)
    if wider.op == "exists":
        return wider.value is True and None not in values
    return wider.op in (*_EQUALITIES, "glob") and all(wider.holds({wider.fact: cast(FactValue, value)}) for value in values)
