"""Whose words of guidance are taken, in which language, and what they may name."""

import pytest

from app.rules.guidance import Guidance, GuidanceBook, filled, unknown_placeholders

BUILT_IN = Guidance(("call them",), "We are on it.")


def found(language: str | None, *, own: str = "en", **told: Guidance) -> Guidance:
    texts = {"resolution": {word.replace("_", "-"): guidance for word, guidance in told.items()}}
    return GuidanceBook(language=own, texts=texts).find("resolution", BUILT_IN, language)


def test_what_the_document_does_not_say_is_built_in() -> None:
    assert GuidanceBook().find("resolution", BUILT_IN) == BUILT_IN
    assert GuidanceBook(texts={"silence": {"en": Guidance(("wait",))}}).find("resolution", BUILT_IN) == BUILT_IN


@pytest.mark.parametrize(
    ("asked", "own", "advice"),
    [
        ("de-at", "fr", "servus"),
        ("DE_AT", "fr", "servus"),
        ("de-at-vienna", "fr", "servus"),
        ("de-ch", "fr", "hallo"),
        ("de", "fr", "hallo"),
        ("nl", "fr", "salut"),
        ("nl", "fr-ca", "salut"),
        (None, "fr", "salut"),
        ("", "fr", "salut"),
        ("nl", "es", "hello"),
        (None, "en", "hello"),
    ],
)
def test_the_language_asked_for_comes_first_then_the_documents_then_english(asked: str | None, own: str, advice: str) -> None:
    words = {"de_at": "servus", "de": "hallo", "fr": "salut", "en": "hello"}

    assert found(asked, own=own, **{word: Guidance((text,)) for word, text in words.items()}).advice == (advice,)


def test_what_an_entry_leaves_out_comes_from_the_next_one() -> None:
    assert found("de", de=Guidance(customer="Gleich."), en=Guidance(("look",))) == Guidance(("look",), "Gleich.")
    assert found("de", de=Guidance(("schau",))) == Guidance(("schau",), "We are on it.")


def test_nothing_to_say_is_nothing() -> None:
    assert GuidanceBook().find("resolution", Guidance()) == Guidance((), None)


def test_placeholders_nobody_fills_are_named_in_their_order() -> None:
    assert unknown_placeholders("{name}, {ticket} at {next_update}: {}, {when}") == ["name", "", "when"]


def test_a_name_that_nobody_knows_stays_as_it_is() -> None:
    assert filled("{ticket}, {name}", {"ticket": "17"}) == "17, {name}"
