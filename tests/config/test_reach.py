"""When one condition holds whenever another does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.reach import Reach
from app.rules.conditions import holds, parse_condition

COVERED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"tags": "x"}, {"tags": "x"}),
    ({"tags": "X"}, {"tags": "x"}),
    ({"tags": ["x", "y"]}, {"tags": "x"}),
    ({"tags": ["x", "y"]}, {"tags": ["y", "x"]}),
    ({"tags": "x*"}, {"tags": ["xy", "xz"]}),
    ({"tags": "x"}, {"tags": "x", "priority": "high"}),
    ({"tags": {"exists": True}}, {"tags": "x"}),
    ({"any": [{"tags": "x"}, {"priority": "high"}]}, {"priority": "high"}),
    ({"any": [{"tags": "x"}, {"priority": "high"}]}, {"any": [{"priority": "high"}, {"tags": "x"}]}),
    ({"not": {"tags": "x"}}, {"not": {"tags": ["x", "y"]}}),
    ({"priority": "high", "tags": "x"}, {"all": [{"tags": "x"}, {"priority": "high"}, {"group": "g"}]}),
    ({"size": 5}, {"size": "5"}),
]
NOT_COVERED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"tags": "x"}, {"tags": ["x", "y"]}),
    ({"tags": "x", "priority": "high"}, {"tags": "x"}),
    ({"tags": "xy"}, {"tags": "x*"}),
    ({"priority": {"gte": "high"}}, {"priority": "urgent"}),
    ({"not": {"tags": "x"}}, {"tags": "y"}),
    ({"tags": {"exists": True}}, {"tags": None}),
    ({"group": "x"}, {"tags": "x"}),
]


@pytest.mark.parametrize(("wider", "narrower"), COVERED)
def test_what_is_covered_is_seen(wider: dict[str, Any], narrower: dict[str, Any]) -> None:
    assert 0 == Reach().hider({0: parse_condition(wider)}, parse_condition(narrower))


@pytest.mark.parametrize(("wider", "narrower"), NOT_COVERED)
def test_what_is_not_covered_or_not_certain_is_left_alone(wider: dict[str, Any], narrower: dict[str, Any]) -> None:
    assert Reach().hider({0: parse_condition(wider)}, parse_condition(narrower)) is None


def test_what_always_holds_covers_everything_and_is_covered_by_nothing_else() -> None:
    assert 3 == Reach().hider({1: parse_condition({"tags": "x"}), 3: None}, None)
    assert Reach().hider({1: parse_condition({"tags": "x"})}, None) is None


_WORDS = st.sampled_from(["x", "y", "z*"])
_TESTS = st.dictionaries(
    st.sampled_from(["tags", "group"]),
    _WORDS | st.lists(_WORDS, min_size=1, max_size=2) | st.just({"exists": True}) | st.none() | st.just({"not": "x"}),
    min_size=1,
    max_size=2,
)
_CONDITIONS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    _TESTS,
    lambda inner: (
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=2))
        | st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=2))
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=4,
)
_FACTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.lists(st.sampled_from(["x", "y", "zz"]), max_size=2).map(tuple),
        "group": st.sampled_from(["x", "y", "zz"]) | st.none(),
    },
)


@given(_CONDITIONS, _CONDITIONS, st.lists(_FACTS, max_size=12))
def test_what_is_called_hidden_never_holds_alone(wider: dict[str, Any], narrower: dict[str, Any], tickets: list[dict[str, Any]]) -> None:
    above, below = parse_condition(wider), parse_condition(narrower)
    hidden = Reach().hider({0: above}, below) == 0

    assert not hidden or all(holds(above, facts) for facts in tickets if holds(below, facts))
