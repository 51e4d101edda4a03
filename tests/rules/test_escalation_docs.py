"""The page about escalation says what is so."""

import re
from pathlib import Path
from typing import get_args

from app.rules.escalation_run import State

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "escalation.md").read_text(encoding="utf-8")
STORIES = Path(__file__).resolve().parents[1] / "scenarios"


def test_the_page_names_every_state() -> None:
    table = PAGE.partition("## States")[2].partition("\n## ")[0]

    assert set(get_args(State)) == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_the_worked_morning_of_the_page_is_a_story_that_is_played() -> None:
    ladder = re.findall(r"^ +- (\{(?:at|after): .*\})$", PAGE, re.MULTILINE)
    played = (STORIES / "morning_of_the_docs.yaml").read_text(encoding="utf-8")

    assert 3 == len(ladder)
    assert all(step in played for step in ladder)
