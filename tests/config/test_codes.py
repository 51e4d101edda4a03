"""Every code of `check`: what causes it, where it points, and that it is explained."""

import re

import pytest

from app.config.findings import CODES
from tests.config.cases import CASES, ENVIRONMENT, Case
from tests.config.support import ROOT, checked, said


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_bad_document_is_told_what_and_where(case: Case) -> None:
    assert case.expected == said(case.text, ENVIRONMENT)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_only_an_error_keeps_a_document_from_use(case: Case) -> None:
    result = checked(case.text, ENVIRONMENT)

    assert (result.loaded is None) == bool(result.errors)


def test_every_code_has_a_case_and_every_case_a_code() -> None:
    used = {found.split()[1] for case in CASES for found in case.expected}

    assert set(CODES) == used


def test_every_code_is_explained_with_its_severity_cause_and_cure() -> None:
    page = (ROOT / "docs" / "config-codes.md").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| [^|]{15,} \| [^|]{15,} \|$", page, re.MULTILINE))

    assert dict(CODES) == explained
