"""Spells: what holds, put together, cut by the tiers that the ticket had, and counted within windows."""

from datetime import datetime

import pytest

from app.rules.policy import Book, Tier
from app.rules.signals import Count, Evidence, Holding, Knobs, SignalRule, past_of
from app.rules.signals._spells import Spell, spells, too_many
from tests.rules.builders import at, policy, timeline
from tests.rules.signals.watching import QUIET_BOOK

BASIC, GOLD = Count(1), Count(2)
GOLD_FROM_TEN = Book(1, (policy("p", resolution="1000h"),), tiers=(Tier("Gold", since=at("10:00"), until=at("11:00")),))


def holding(start: str, end: str | None, word: str = "it") -> Holding:
    return Holding(at(start), at(end) if end else None, Evidence((word,)))


def found(holdings: dict[Knobs, list[Holding]], by: Book = QUIET_BOOK) -> list[Spell]:
    """The spells of a ticket from 09:00 on, which is gold between ten and eleven where `by` says so."""
    past = past_of(timeline("09:00 created"), by, at("12:00"))
    assert past is not None
    return spells(past, SignalRule("reopened", BASIC, tiers={"gold": GOLD}), lambda knobs: holdings.get(knobs, []))


@pytest.mark.parametrize(
    ("holdings", "expected"),
    [
        pytest.param([("09:10", "09:20"), ("09:30", "09:40")], [("09:10", "09:20"), ("09:30", "09:40")], id="a gap parts them"),
        pytest.param([("09:30", "09:40"), ("09:10", "09:20")], [("09:10", "09:20"), ("09:30", "09:40")], id="told in any order"),
        pytest.param([("09:10", "09:20"), ("09:20", "09:40")], [("09:10", "09:40")], id="without a gap they are one"),
        pytest.param([("09:10", "09:40"), ("09:20", "09:30")], [("09:10", "09:40")], id="one within the other"),
        pytest.param([("09:10", "09:30"), ("09:20", "09:40")], [("09:10", "09:40")], id="one over the end of the other"),
        pytest.param([("09:10", None), ("09:20", "09:40")], [("09:10", None)], id="the first lasts"),
        pytest.param([("09:10", "09:30"), ("09:20", None)], [("09:10", None)], id="the second lasts"),
        pytest.param([("09:10", None), ("09:10", "09:30")], [("09:10", None)], id="of one start, one lasts"),
        pytest.param(
            [("09:10", "09:20"), ("09:30", "09:40"), ("09:35", "09:50"), ("09:50", "09:55")], [("09:10", "09:20"), ("09:30", "09:55")],
            id="three in a row after a gap",
        ),
        pytest.param([("08:00", "08:30")], [("08:00", "08:30")], id="from before the first that is known"),
        pytest.param([("09:10", "09:10")], [], id="of no length"),
    ],
)  # fmt: skip
def test_what_holds_without_a_gap_is_one_spell(holdings: list[tuple[str, str | None]], expected: list[tuple[str, str | None]]) -> None:
    made = found({BASIC: [holding(*each) for each in holdings]})

    assert [(at(start), at(end) if end else None) for start, end in expected] == [(spell.start, spell.end) for spell in made]


def test_each_tier_has_its_own_thresholds_and_what_holds_by_both_goes_on() -> None:
    lasting, short = holding("09:30", None), holding("10:30", "11:30")
    made = found({BASIC: [lasting], GOLD: [short]}, GOLD_FROM_TEN)

    assert [
        Spell(at("09:30"), at("10:00"), ((holding("09:30", "10:00"), BASIC),)),
        Spell(at("10:30"), None, ((holding("10:30", "11:00"), GOLD), (holding("11:00", None), BASIC))),
    ] == made


def test_what_lies_outside_the_time_of_its_tier_is_left_out() -> None:
    outside = [holding("09:10", "09:20"), holding("09:30", "10:00"), holding("11:00", "11:30")]

    assert [] == found({GOLD: outside}, GOLD_FROM_TEN)


def test_of_one_stretch_the_evidence_comes_in_order() -> None:
    twice = [holding("09:10", "09:20", "b"), holding("09:10", "09:20", "a"), holding("09:10", "09:15", "c")]
    [made] = found({BASIC: twice})

    assert ["c", "a", "b"] == [each.evidence.sentences[0] for each, _ in made.holdings]


def test_what_shows_it_is_what_began_last() -> None:
    [made] = found({BASIC: [holding("09:10", "09:30", "a"), holding("09:20", "09:40", "b")]})

    assert ["a", "a", "b", "b"] == [made.at(at(when))[0].evidence.sentences[0] for when in ("09:10", "09:19", "09:20", "09:39")]


def test_unset_thresholds_are_not_watched() -> None:
    past = past_of(timeline("09:00 created"), QUIET_BOOK, at("12:00"))
    assert past is not None

    assert [] == spells(past, SignalRule("reopened", Count()), lambda knobs: [] if knobs.is_set else [holding("09:10", None)])


TIMES = [at(when) for when in ("09:00", "09:10", "09:59:59", "10:00", "12:00")]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (
            Count(1, 3600),
            [("09:10", "10:00", "0-2"), ("09:59:59", "10:10", "0-3"), ("10:00", "10:59:59", "1-4")],
        ),
        (Count(2, 3600), [("09:59:59", "10:00", "0-3"), ("10:00", "10:10", "1-4")]),
        (Count(3, 3600), []),
        (Count(3, 3601), [("10:00", "10:00:01", "0-4")]),
        (Count(3), [("10:00", None, "0-4"), ("12:00", None, "0-5")]),
        (Count(5), []),
    ],
)
def test_too_many_are_more_than_allowed_within_the_window_that_ends_then(count: Count, expected: list[tuple[str, str | None, str]]) -> None:
    def evidence(first: int, after: int) -> Evidence:
        return Evidence((f"{first}-{after}",))

    made: list[tuple[datetime, datetime | None, str]] = [
        (each.start, each.end, each.evidence.sentences[0]) for each in too_many(TIMES, count, evidence)
    ]

    assert [(at(start), at(end) if end else None, word) for start, end, word in expected] == made
