"""What the page about sources tells people to paste can be pasted, and the page names all there is."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from app.helpdesks import fetching, load
from app.helpdesks.fetching import Enrichment, Reconciliation

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_a_source_of_the_page_is_one(text: str) -> None:
    for name, said in YAML(typ="safe").load(text)["sources"].items():
        config = load(said["kind"]).Config.model_validate({**said, "name": name})

        assert ("api" in said) is (fetching.api_of(config) is not None)


def test_the_page_names_every_kind_that_can_be_asked_and_every_key() -> None:
    shown = {said["kind"] for text in BLOCKS for said in YAML(typ="safe").load(text)["sources"].values()}
    keys = [*Reconciliation.model_fields, *Enrichment.model_fields, "silent_after", "per_minute", "source_stale"]

    assert set(fetching.kinds()) == shown
    assert [key for key in keys if key not in PAGE] == []
