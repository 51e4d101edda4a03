"""The JSON Schema: what editors accept and refuse."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.config.document import parse
from app.config.jsonschema import json_schema
from app.config.starter import starter_text
from tests.config.support import EXAMPLE, ROOT
from tests.config.test_compile import DESIGN

VALIDATOR = Draft202012Validator(json_schema())


def faults(text: str) -> list[str]:
    tree, flaws = parse(text)
    assert tree is not None
    assert not flaws
    return ["/".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(tree.data)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())

    assert "https://json-schema.org/draft/2020-12/schema" == json_schema()["$schema"]


@pytest.mark.parametrize(
    "text", [EXAMPLE.read_text(encoding="utf-8"), starter_text(), DESIGN, ""], ids=["example", "starter", "design", "empty"]
)
def test_right_documents_are_accepted(text: str) -> None:
    assert [] == faults(text)


def test_short_forms_and_empty_sections_are_accepted() -> None:
    text = (
        "calendars:\n  c: {timezone: UTC, hours: {mon-fri: 9:00-17:00, sat: [], sun: closed}, holidays: [2026-12-24, 12-31]}\n"
        "policies:\n  - {name: p, warn_at: 80%, reply_by: agent, pause_while: never, targets: {resolution: {low: 2bd}, assignment: 1h}}\n"
        "channels:\n  c: {kind: webhook, url: https://example.com/, secret: '${env:KEY}'}\n"
        "delivery: {allow_networks: 10.0.0.0/8}\n"
        "sources:\ntiers:\nsignals:\nmetrics:\nescalations:\n"
    )

    assert [] == faults(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("polices: []", ""),
        ("version: 2", "version"),
        ("tiers: [{match: {tags: x}}]", "tiers/0"),
        ("tiers: [{name: a, match: {}}]", "tiers/0/match"),
        ("tiers: [{name: a, mach: {tags: x}}]", "tiers/0"),
        ("policies: [{name: p}]", "policies/0"),
        ("policies: [{name: p, targets: {}, reopen: never}]", "policies/0/reopen"),
        ("policies: [{name: p, targets: {resolution: {within: 1h, foo: 1}}}]", "policies/0/targets/resolution"),
        ("calendars: {c: {timezone: UTC, hours: {mon: 1350}}}", "calendars/c/hours/mon"),
        ("escalations: {l: {steps: [{at: noon}]}}", "escalations/l/steps/0/at"),
        ("signals: {shouting: {}}", "signals"),
        ("channels: {c: {kind: slak}}", "channels/c/kind"),
        ("channels: {c: {url: x}}", "channels/c"),
        ("channels: {c: {kind: slack, url: x, colour: red}}", "channels/c"),
        ("channels: {c: {kind: slack, url: x, name: c}}", "channels/c"),
        ("channels: {'a b': {kind: slack, url: x}}", "channels"),
        ("sources: {s: {kind: zendesk, secrets: x}}", "sources/s"),
        ("delivery: {allow: []}", "delivery"),
    ],
)
def test_wrong_documents_are_refused_at_their_place(text: str, where: str) -> None:
    found = faults(text)

    assert where in found


def test_every_key_of_the_schema_is_forbidden_to_have_strangers() -> None:
    def open_maps(schema: Any, path: str = "") -> list[str]:
        if not isinstance(schema, dict):
            return [found for item in schema for found in open_maps(item, path)] if isinstance(schema, list) else []
        is_open = "properties" in schema and "allOf" not in schema and "if" not in path and schema.get("additionalProperties") is not False
        return [path] * is_open + [found for key, item in schema.items() for found in open_maps(item, f"{path}/{key}")]

    assert [] == open_maps(json_schema())


def test_the_documents_that_come_with_us_name_the_schema_for_editors() -> None:
    line = "# yaml-language-server: $schema=./slawatch.schema.json"

    assert [line, line] == [text.splitlines()[0] for text in (starter_text(), EXAMPLE.read_text(encoding="utf-8"))]
    assert (ROOT / "examples").is_dir()
