"""The stories in docs/engine.md are true."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from app.config.check import check
from app.rules.evaluate import Clock
from app.rules.policy import Book
from tests.rules.builders import Judged, at, judged, minutes, timeline

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"
STORIES = re.findall(r"^```story\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
_CLAIM = re.compile(r"(?P<when>\S+) (?P<metric>\w+): (?P<clocks>.*)")


def book(document: str) -> Book:
    """The document of a story; without `policies` it is what one policy says."""
    if "policies:" not in document:
        document = "policies:\n  - name: everyone\n" + "".join(f"    {line}\n" for line in document.splitlines())
    checked = check(document, file="story", environ={}, base=PAGE.parent, today=date(2026, 3, 2))

    assert checked.loaded is not None, checked.findings
    return checked.loaded.book(1)


def test_the_page_tells_stories() -> None:
    assert len(STORIES) > 15


@pytest.mark.parametrize("story", STORIES)
def test_the_story_is_true(story: str) -> None:
    document, events, claims = story.strip().split("\n\n")
    by, told = book(document), events.splitlines()
    for claim in claims.splitlines():
        found = _CLAIM.fullmatch(claim)
        assert found is not None, claim
        known = timeline(*(text for text in told if at(text.split()[0]) <= at(found["when"])))
        check_claim(judged(known, by, found["when"]), found["metric"], found["clocks"].split(" | "))


def check_claim(result: Judged, metric: str, expected: list[str]) -> None:
    clocks = result.of(metric)

    assert len(clocks) == len(expected)
    for clock, claim in zip(clocks, expected, strict=True):
        health, *details = claim.split(", ")
        assert clock.health == health
        assert [said(clock, detail) for detail in details] == [wanted(detail) for detail in details]


def wanted(detail: str) -> Any:
    word, _, value = detail.partition(" ")
    return int(value.removesuffix("m")) if word == "used" else at(value) if value else word


def said(clock: Clock, detail: str) -> float | datetime | str | None:
    """What the engine says of one detail of a claim."""
    match detail.split(" ")[0]:
        case "from":
            return clock.cycle.anchor
        case "due":
            return clock.due_at
        case "broken":
            return clock.breached_at
        case "used":
            return minutes(clock)
        case _:
            return clock.cause
