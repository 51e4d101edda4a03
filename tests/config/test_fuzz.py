"""No text makes `check` raise, and what it says always fits the text."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config.findings import CODES
from app.config.schema import Document
from tests.config.cases import CASES
from tests.config.support import EXAMPLE, EXAMPLE_ENVIRONMENT, checked

TEXT = EXAMPLE.read_text(encoding="utf-8")
LINES = TEXT.splitlines(keepends=True)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

_WORDS = sorted(
    {word.strip(",:{}[]\"' ") for line in LINES for word in line.split()} | {"", "null", "~", "no", "0123", "1350", "2d", "${env:X}"}
)
_KEYS = st.sampled_from([*Document.model_fields, *_WORDS]) | st.text(max_size=8)
_LEAVES: st.SearchStrategy[Any] = st.sampled_from(_WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_TREES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)
_SECTIONS = st.dictionaries(st.sampled_from(list(Document.model_fields)), _TREES, max_size=5)


def _fits(text: str) -> None:
    """The document is checked; every finding has a known code and a place that is there."""
    result = checked(text, EXAMPLE_ENVIRONMENT, EXAMPLE.parent)
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    assert all(found.code in CODES for found in result.findings)
    assert all(1 <= found.line <= lines and found.column >= 1 for found in result.findings)
    assert all(found.message and found.message.isprintable() for found in result.findings)

    assert (result.loaded is None) == bool(result.errors)


@given(st.text(max_size=60) | st.text(alphabet="{}[]:,-?&*!|>'\"%@` \n\tab01~#.", max_size=60))
@QUICK
def test_any_text_is_judged(text: str) -> None:
    _fits(text)


@given(_SECTIONS)
@QUICK
def test_any_structure_is_judged(data: dict[str, Any]) -> None:
    _fits(json.dumps(data))


def _cut(text: str, at: int, length: int, put: str) -> str:
    at %= len(text)
    return text[:at] + put + text[at + length :]


def _swap(text: str, at: int, other: int) -> str:
    lines = text.splitlines(keepends=True)
    at, other = at % len(lines), other % len(lines)
    lines[at], lines[other] = lines[other], lines[at]
    return "".join(lines)


_CUTS = st.builds(
    lambda at, length, put: lambda text: _cut(text, at, length, put),
    st.integers(0, 10_000),
    st.integers(0, 20),
    st.sampled_from(_WORDS) | st.text(max_size=3) | st.sampled_from([": ", "- ", "{", "}", "[", "]", "\n", "  ", "'", "*", "&a "]),
)
_SWAPS = st.builds(lambda at, other: lambda text: _swap(text, at, other), st.integers(0, 200), st.integers(0, 200))


@given(st.lists(_CUTS | _SWAPS, min_size=1, max_size=4))
@QUICK
def test_a_good_document_with_slips_is_judged(slips: list[Callable[[str], str]]) -> None:
    text = TEXT
    for slip in slips:
        text = slip(text)
    _fits(text)


@given(st.sampled_from(CASES), st.integers(0, 300), st.integers(0, 5), st.sampled_from(_WORDS))
@QUICK
def test_a_bad_document_with_slips_is_judged(case: Any, at: int, length: int, put: str) -> None:
    _fits(_cut(case.text[:5000], at, length, put))
