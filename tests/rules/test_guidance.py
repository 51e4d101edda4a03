"""Guidance: the nearest language wins, gaps are filled, placeholders are filled once."""

import pytest

from app.rules import metrics, signals
from app.rules.guidance import Guidance, GuidanceBook, filled, unknown_placeholders

BUILT_IN = Guidance(("Act.",), "Sorry about {ticket}.")
BOOK = GuidanceBook(
    language="de",
    texts={"silence": {"de": Guidance(("Schreib.",)), "de-at": Guidance((), "Servus."), "fr": Guidance(("Écris.",), "Bonjour.")}},
)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, Guidance(("Schreib.",), "Sorry about {ticket}.")),
        ("de_AT", Guidance(("Schreib.",), "Servus.")),
        ("fr-CA", Guidance(("Écris.",), "Bonjour.")),
        ("it", Guidance(("Schreib.",), "Sorry about {ticket}.")),
    ],
)
def test_the_nearest_language_wins_and_what_it_lacks_comes_from_the_next(language: str | None, expected: Guidance) -> None:
    assert expected == BOOK.find("silence", BUILT_IN, language)


def test_without_texts_the_built_in_ones_hold_and_switched_off_there_are_none() -> None:
    assert BUILT_IN == BOOK.find("reopened", BUILT_IN)
    assert Guidance() == GuidanceBook(show=False, texts=BOOK.texts).find("silence", BUILT_IN)


def test_a_metric_has_its_own_words_and_a_custom_one_common_ones() -> None:
    assert [metrics.load(name).GUIDANCE for name in metrics.names()] == [metrics.guidance(name) for name in metrics.names()]
    assert metrics.guidance("a custom one") not in [metrics.guidance(name) for name in metrics.names()]


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert "about {next_update} at noon" == filled("about {ticket} at {next_update}", {"ticket": "{next_update}", "next_update": "noon"})


@pytest.mark.parametrize("subject", [*signals.names(), *metrics.names(), "a custom one"])
def test_every_signal_and_metric_has_advice_and_a_sentence_that_can_be_filled(subject: str) -> None:
    found = signals.load(subject).GUIDANCE if subject in signals.names() else metrics.guidance(subject)

    assert found.advice
    assert found.customer
    assert all(line.endswith((".", "?")) for line in found.advice)
    assert [] == unknown_placeholders(found.customer)
    assert "{ticket}" in found.customer
