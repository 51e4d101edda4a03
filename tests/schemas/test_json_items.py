"""Bodies of one, many or lines of JSON."""

import pytest

from app.errors import InvalidRequest, PayloadTooLarge
from app.schemas.json_items import read_json, read_lines


def test_one_object_is_one_item_and_an_array_its_elements() -> None:
    assert [("", {"a": 1})] == [(item.pointer, item.value) for item in read_json(b'{"a": 1}')]
    assert [("/0", 1), ("/1", None)] == [(item.pointer, item.value) for item in read_json(b"[1, null]")]


def test_lines_are_items_and_a_broken_line_is_one_broken_item() -> None:
    items = read_lines(b'{"a": 1}\r\n\n{"a"\n[2]\n')

    assert [("/0", {"a": 1}), ("/1", None), ("/2", [2])] == [(item.pointer, item.value) for item in items]
    assert ["/1"] == [item.pointer for item in items if item.fault]


@pytest.mark.parametrize("poison", [b'"\\ud800"', b"1e999", b"123456789012345678901234567890"])
def test_one_strange_value_does_not_break_its_neighbours(poison: bytes) -> None:
    items = read_json(b'[{"a": 1}, {"a": ' + poison + b"}]")

    assert {"a": 1} == items[0].value
    assert 2 == len(items)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nope", b"\xff", b"NaN", b"[1e5", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"[]", b'{"a": 1} {"b": 2}']
)
def test_what_is_no_json_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_json(raw)


def test_no_line_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        read_lines(b"\n \n")


def test_more_than_a_thousand_items_are_too_many() -> None:
    assert 1000 == len(read_lines(b"1\n" * 1000))
    with pytest.raises(PayloadTooLarge):
        read_lines(b"1\n" * 1001)
    with pytest.raises(PayloadTooLarge):
        read_json(b"[" + b"1," * 1000 + b"1]")
