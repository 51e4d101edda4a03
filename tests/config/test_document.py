"""Text to tree: values by YAML 1.2, and every place."""

import pytest

from app.config.document import parse
from app.config.nodes import Tree


def tree_of(text: str) -> Tree:
    tree, flaws = parse(text)
    assert tree is not None
    assert not flaws
    return tree


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("NO", "NO"), ("y", "y"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("22:30", "22:30"), ("09:00-17:00", "09:00-17:00"), ("1:30", "1:30"), ("2026-12-24", "2026-12-24"), ("12-31", "12-31"),
        ("2026-12-24T09:00:00Z", "2026-12-24T09:00:00Z"),
        ("42", 42), ("-7", -7), ("0", 0), ("0x1F", 31), ("0o17", 15), ("1_000", "1_000"), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("1e400", "1e400"), ("80%", "80%"), ("'42'", "42"), ('"no"', "no"), ("!!str 42", "42"), ("! 42", "42"), ("9" * 400, "9" * 400),
    ],
)  # fmt: skip
def test_a_scalar_is_what_yaml_1_2_says(written: str, value: object) -> None:
    assert {"a": value} == tree_of(f"a: {written}\n").data


def test_keys_are_always_texts() -> None:
    assert {"no": 1, "5": 2, "12-31": 3, "null": 4, "true": 5} == tree_of("no: 1\n5: 2\n12-31: 3\nnull: 4\ntrue: 5\n").data


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "~", "null\n...\n"])
def test_a_document_without_anything_is_an_empty_map(text: str) -> None:
    assert {} == tree_of(text).data


def test_every_key_and_value_has_its_place() -> None:
    tree = tree_of("calendars:\n  office:\n    hours: {mon: [9:00-12:00, '13:00-17:00']}\ntiers:\n  - name: gold\n    match: {tags: x}\n")

    assert [(2, 3), (3, 5), (3, 31), (5, 5), (6, 13)] == [
        tree.key_place(("calendars", "office")),
        tree.value_place(("calendars", "office")),
        tree.value_place(("calendars", "office", "hours", "mon", 1)),
        tree.key_place(("tiers", 0)),
        tree.key_place(("tiers", 0, "match", "tags")),
    ]


def test_a_path_that_leads_nowhere_ends_at_the_nearest_thing_that_was_written() -> None:
    tree = tree_of("policies:\n  - targets: {resolution: 1h}\n")

    assert (2, 27) == tree.value_place(("policies", 0, "targets", "a label", "resolution", "within", "default"))


def test_a_value_left_empty_is_where_its_key_is() -> None:
    assert (2, 3) == tree_of("a:\n  b:\nc: 1\n").value_place(("a", "b"))


def test_columns_count_characters() -> None:
    assert (1, 7) == tree_of("'ü😀': x\n").value_place(("ü😀",))


def test_windows_line_ends_and_a_byte_order_mark_are_no_trouble() -> None:
    tree = tree_of("\ufeffa: 1\r\nb: 2\r\n")

    assert ({"a": 1, "b": 2}, (2, 4)) == (tree.data, tree.value_place(("b",)))


def test_json_is_read_also_indented_with_tabs() -> None:
    tree = tree_of('{\n\t"name": "\\ud83d\\ude00",\n\t"list": [1, true, null]\n}')

    assert ({"name": "😀", "list": [1, True, None]}, (3, 10)) == (tree.data, tree.value_place(("list",)))


def test_an_alias_stands_for_its_anchor() -> None:
    assert {"a": {"x": [1]}, "b": {"x": [1]}} == tree_of("a: &one {x: [1]}\nb: *one\n").data


def test_merged_keys_yield_to_explicit_ones() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  x: 0\n  <<: [*a, *b]\nd: {<<: *a, y: 5}\n"

    assert {"c": {"x": 0, "y": 2, "z": 4}, "d": {"x": 1, "y": 5}} == {key: tree_of(text).data[key] for key in "cd"}


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    assert {"<<": 1} == tree_of("'<<': 1\n").data


def test_form_errors_do_not_hide_each_other() -> None:
    tree, flaws = parse("a: 1\na: 2\nb: 0123\nc: *none\n")

    assert tree is not None
    assert [(2, "duplicate-key"), (3, "yaml-trap"), (4, "yaml-trap")] == [(flaw.place.line, flaw.code) for flaw in flaws]


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c",
        "a: 'x",
        "a: @x",
        "a: `x",
        "a: %x",
        "%YAML 9\n---\na: 1",
        'a: "\\UFFFFFFFF"',
        "a: \ud800",
        "a: \x00",
        "- a\nb: c",
        "!<%> x",
    ],
)
def test_what_is_no_yaml_is_an_error_with_a_place(text: str) -> None:
    tree, flaws = parse(text)

    assert tree is None
    assert ["bad-yaml"] == [flaw.code for flaw in flaws]
