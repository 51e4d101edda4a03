"""The page about the document says what is so."""

import re

from app.config.fields import PRIORITIES
from app.config.promises import KNOBS
from app.config.schema import Document
from app.config.vocabulary import FACTS
from tests.config.support import EXAMPLE, ROOT, SIGNING_SECRET, checked

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_sections_of_the_page_make_one_right_document() -> None:
    sections = "".join(block for block in BLOCKS if not block.startswith("match:"))
    slack = "https://hooks.slack.com/services/T/B/X"
    environ = {"UPSTREAM_SECRET": SIGNING_SECRET, "SLACK_URL": slack, "SLACK_URL_OF_THE_HEAD": slack, "ZENDESK_SIGNING_SECRET": "s"}

    assert () == checked(sections, environ, EXAMPLE.parent).errors


def test_the_condition_of_the_page_is_one() -> None:
    (block,) = [block for block in BLOCKS if block.startswith("match:")]
    text = f"tiers:\n  - name: platinum\n    {block.replace(chr(10), chr(10) + '    ').strip()}\n  - name: b\n"

    assert checked(text).errors == ()


def test_the_page_names_every_section_knob_fact_and_priority() -> None:
    missing = [
        word
        for word in (*Document.model_fields, *KNOBS, *FACTS, *PRIORITIES)
        if word not in PAGE and word not in ("deleted", "merged_into")
    ]

    assert [] == missing
