"""The pages about channels: each kind has one, and what it tells people to paste is right."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.channels import kinds
from app.config.document import parse
from app.config.jsonschema import json_schema
from tests.config.support import SIGNING_SECRET, checked

DOCS = Path(__file__).resolve().parents[2] / "docs" / "channels"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
VALIDATOR = Draft202012Validator(json_schema())


def snippets() -> list[Any]:
    found = [(kind, text) for kind, page in PAGES.items() for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    return [pytest.param(kind, text, id=f"{kind}-{number}") for number, (kind, text) in enumerate(found)]


def secrets(text: str) -> dict[str, str]:
    """Something fitting for every placeholder."""
    values = {"URL": "https://hooks.example.com/services/T0/B0", "SECRET": SIGNING_SECRET}
    return {name: values.get(name.rpartition("_")[2], "x" * 32) for name in re.findall(r"\$\{env:([A-Z_]+)\}", text)}


def test_every_kind_has_its_page() -> None:
    assert sorted(PAGES) == list(kinds())


@pytest.mark.parametrize(("kind", "text"), snippets())
def test_a_document_of_the_page_has_no_finding(kind: str, text: str) -> None:
    result = checked(text, secrets(text))

    assert result.findings == ()
    assert result.loaded is not None
    assert kind in {channel.kind for channel in result.loaded.channels.values()}


@pytest.mark.parametrize(("kind", "text"), snippets())
def test_an_editor_marks_nothing_in_it(kind: str, text: str) -> None:
    tree, _ = parse(text)

    assert tree is not None
    assert [error.message for error in VALIDATOR.iter_errors(tree.data)] == []


@pytest.mark.parametrize("kind", kinds())
def test_the_page_has_a_document_and_names_the_limits(kind: str) -> None:
    page = PAGES[kind]

    assert f"kind: {kind}\n" in page
    assert "\n## Limits\n" in page
