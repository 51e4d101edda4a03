"""Words of helpdesks and what is said of words nobody knows."""

import pytest

from app.helpdesks._words import STATUS_WORDS, Words, nearest, priority_word, shown, status_word


def test_case_and_separators_do_not_matter() -> None:
    words = Words.build("status_map", STATUS_WORDS)

    assert [words.get(word) for word in ("On-Hold", "ON_HOLD", " on  hold", "Closed", "-")] == [
        "on_hold",
        "on_hold",
        "on_hold",
        "closed",
        None,
    ]


def test_a_later_layer_beats_an_earlier_one() -> None:
    words = Words.build("status_map", STATUS_WORDS, {"pending": "open"}, {"Pending": "new"})

    assert words.get("PENDING") == "new"


def test_an_unknown_word_is_named_with_its_map_and_the_nearest_known_word() -> None:
    words = Words.build("status_map", STATUS_WORDS)

    assert words.unknown("Pendding") == "the word 'Pendding' is not in `status_map`; the nearest known word is 'pending'"


def test_a_long_word_is_not_repeated_whole() -> None:
    assert len(shown("x" * 1000)) < 70


@pytest.mark.parametrize(
    ("written", "status"),
    [("On hold", "on_hold"), ("solved", "solved"), ("Deleted", "deleted"), ("waiting_for_approval", "waiting_for_approval")],
)
def test_a_status_of_the_document_is_canonical_or_ones_own(written: str, status: str) -> None:
    assert status_word(written) == status


@pytest.mark.parametrize(
    ("written", "meant"),
    [("resolved", "solved"), ("hold", "on_hold"), ("Closd", "closed"), ("opened", "open"), ("spam", "deleted"), ("", "open")],
)
def test_a_status_that_is_nearly_one_of_ours_is_refused(written: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        status_word(written)


@pytest.mark.parametrize(("written", "meant"), [("critical", "urgent"), ("medium", "normal"), ("hgih", "high")])
def test_a_priority_that_is_none_of_ours_is_refused(written: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        priority_word(written)


def test_nothing_is_near_when_nothing_is_known() -> None:
    assert nearest("open", []) is None
