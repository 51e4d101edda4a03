"""List cursors: opaque, signed, bound."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import CursorMismatch, InvalidCursor
from app.store.cursors import Cursor, Signer

AT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
CURSOR = Cursor(AT, AT, "clk_1")


@given(st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])) | st.just(AT))
def test_a_cursor_comes_back_as_it_was(value: int | str | datetime | None) -> None:
    signer = Signer(b"secret")
    cursor = Cursor(AT, value, "clk_1")

    assert cursor == signer.read(signer.sign(cursor, "clocks"), "clocks")


def test_a_cursor_of_another_question_is_refused() -> None:
    signer = Signer(b"secret")
    text = signer.sign(CURSOR, "state=running")

    with pytest.raises(CursorMismatch):
        signer.read(text, "state=paused")


def test_a_cursor_of_another_service_is_refused() -> None:
    text = Signer(b"theirs").sign(CURSOR, "clocks")

    with pytest.raises(InvalidCursor):
        Signer(b"ours").read(text, "clocks")


@pytest.mark.parametrize("place", range(0, 90, 7))
def test_a_cursor_with_one_character_changed_is_refused(place: int) -> None:
    text = Signer(b"secret").sign(CURSOR, "clocks")
    changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]

    with pytest.raises(InvalidCursor):
        Signer(b"secret").read(changed, "clocks")


@given(st.text())
def test_whatever_is_sent_as_a_cursor_is_refused_and_nothing_breaks(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Signer(b"secret").read(text, "clocks")
