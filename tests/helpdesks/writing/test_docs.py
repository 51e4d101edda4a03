"""The pages say how to write back to each helpdesk, and what they say is so."""

import re

import pytest
from ruamel.yaml import YAML

from app.config.findings import CODES
from app.helpdesks import load as load_helpdesk
from app.helpdesks.writing import ACTIONS, SHARE, config_of, kinds, load
from tests.config.support import ROOT, checked

PAGE = (ROOT / "docs" / "write-back.md").read_text(encoding="utf-8")
ZENDESK = (
    "sources:\n  z: {kind: zendesk, secret: '${env:S}', write_back: {subdomain: a, email: b@example.com, token: '${env:S}'}}\n"
    "policies: [{name: p, targets: {resolution: 1h}, escalation: wake-somebody}]\n"
    "channels: {pager: {kind: webhook, url: 'https://pager.example.com/', secret: '${env:W}'}}\n"
)
ENVIRONMENT = {"S": "s3cret", "W": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def section(kind: str) -> str:
    """What the page of a helpdesk says of writing back."""
    page = (ROOT / "docs" / "helpdesks" / f"{kind}.md").read_text(encoding="utf-8")
    [found] = re.findall(r"^## Write-back\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("kind", kinds())
def test_each_page_has_a_source_to_paste_that_writes_back_and_knows_our_user(kind: str) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", section(kind), re.DOTALL)
    [(name, said)] = YAML(typ="safe").load(block)["sources"].items()
    source = load_helpdesk(kind).Config.model_validate({**said, "name": name})

    assert config_of(source) is not None
    assert list(source.own_ids())


@pytest.mark.parametrize("kind", kinds())
def test_each_page_says_what_cannot_be_done(kind: str) -> None:
    text, config = section(kind), load(kind).Config

    assert ("priority" in config.can) is not bool(re.search(r"[Nn]o priorities|[Pp]riorities cannot", text))


@pytest.mark.parametrize("kind", sorted(set(kinds()) - {"intercom", "help-scout"}))
def test_the_requests_a_minute_of_the_pages_are_those_that_are_made(kind: str) -> None:
    budget = load(kind).Config.published_per_minute * SHARE

    assert re.search(rf"slawatch (makes|uses) {round(budget)}\b", section(kind).replace(" requests", ""))


def test_the_ladder_of_the_page_is_right_and_all_of_it_can_be_done_by_zendesk() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert () == checked(block + ZENDESK, ENVIRONMENT).findings


def test_the_page_names_every_part_and_the_warning() -> None:
    assert [] == [action for action in ACTIONS if f"`{action}`" not in PAGE]
    assert "no-write-back" in CODES
    assert "no-write-back" in PAGE
