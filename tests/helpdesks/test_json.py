"""JSON from outside: what is read, and which place is named when it is not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Unreadable
from app.helpdesks._json import MISSING, Node, read, web_address


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"\xef\xbb\xbf{}", {}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"id": 39313930383633353634323835}', {"id": "39313930383633353634323835"}),
        (b'{"id": 9223372036854775807}', {"id": 9223372036854775807}),
        (b'{"id": -9223372036854775809}', {"id": "-9223372036854775809"}),
        (b'{"x": 1.5e3}', {"x": 1500.0}),
        ('{"a": "ä\\ud83d\\ude00"}'.encode(), {"a": "ä😀"}),
        (b"[" * 64 + b"]" * 64, None),
    ],
)
def test_a_body_is_read(body: bytes, value: Any) -> None:
    node = read(body)

    assert value is None or node.value == value


@pytest.mark.parametrize(
    ("body", "says", "pointer"),
    [
        (b'{"a": "x\\u0000"}', "/a is a text that contains a NUL", "/a"),
        (b'{"a": ["", {"b/c": "\\ud800"}]}', "half a surrogate pair", "/a/1/b~1c"),
        (b'{"a": {"\\udc00": 1}}', "/a has a key that contains half a surrogate pair", "/a"),
    ],
)
def test_a_text_no_database_keeps_is_refused_with_its_place(body: bytes, says: str, pointer: str) -> None:
    with pytest.raises(Unreadable, match=says) as refused:
        read(body)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\xff", r"not UTF-8 \(byte 0\)"),
        ("ä".encode("utf-16"), "not UTF-8"),
        (b'{"a": }', "not JSON: Expecting value at line 1, column 7"),
        (b"", "not JSON"),
        (b"[NaN]", "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"[1e400]", "number that is too large"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b"[" * 200_000, "nested deeper than 64"),
    ],
)
def test_what_is_no_plain_json_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as refused:
        read(body)

    assert [fault.pointer for fault in refused.value.errors] == [""]


def test_absent_is_not_null() -> None:
    node = Node({"there": None})

    assert (node.at("there").is_told, node.at("gone").is_told, node.at("there", "deeper").value) == (True, False, MISSING)


@pytest.mark.parametrize("told", ["open", " 7 ", "", "  ", "x" * 201, "x" * 600, 7, 7.0, True, None, [], ["a"], {}, {"b": 1}, MISSING])
def test_what_is_read_by_name_is_what_is_read_there(told: Any) -> None:
    def outcome(reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        except Unreadable as error:
            return (error.detail, error.errors)

    node = read(b'{"a": {}}').at("a") if told is MISSING else Node({"a": {"b": told}}).at("a")

    assert outcome(node.at("b").word) == outcome(lambda: node.word_at("b"))
    assert outcome(node.at("b").id) == outcome(lambda: node.id_at("b"))


@pytest.mark.parametrize("value", [None, 5, "text", [{"b": 1}], MISSING])
def test_by_name_there_is_nothing_below_nothing_and_an_error_below_anything_else(value: Any) -> None:
    node = Node(value)
    if value is None or value is MISSING:
        assert (None, None) == (node.word_at("b"), node.id_at("b"))
        return
    for reader in (node.word_at, node.id_at):
        with pytest.raises(Unreadable, match="is not an object"):
            reader("b")


def test_brackets_of_both_kinds_count_for_the_depth() -> None:
    depth = b'{"a":[' * 33

    with pytest.raises(Unreadable, match="nested deeper than 64"):
        read(depth + b"1" + b"]}" * 33)
    assert read(depth[6:] + b"1" + b"]}" * 32).at("a").is_told


def test_a_place_of_the_wrong_shape_names_itself() -> None:
    with pytest.raises(Unreadable, match=r"^/a/b is not an object") as refused:
        Node({"a": {"b": 5}}).at("a", "b", "c")

    assert refused.value.errors[0].pointer == "/a/b"


@pytest.mark.parametrize(("value", "text"), [(5, "5"), ("  5 ", "5"), (5.0, "5"), ("", None), (None, None), (0, "0")])
def test_an_id_is_a_text_whatever_it_is_on_the_wire(value: Any, text: str | None) -> None:
    assert Node(value).id() == text


@pytest.mark.parametrize("value", [True, [], {}, "x" * 201])
def test_what_cannot_be_an_id_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable):
        Node(value).id()


def test_long_texts_are_cut() -> None:
    assert Node("x" * 5000).word() == "x" * 500


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, ()), ("vip gold", ("vip", "gold")), ("a b, c", ("a b", "c")), (["a", None, 5, ""], ("a", "5"))],
)
def test_tags_come_in_many_shapes(value: Any, words: tuple[str, ...]) -> None:
    assert Node(value).words() == words


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://desk.example/t/1", "https://desk.example/t/1"),
        ("acme.zendesk.com/agent/tickets/1", "https://acme.zendesk.com/agent/tickets/1"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://a b", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(text: str | None, address: str | None) -> None:
    assert web_address(text) == address


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_the_fast_reader_says_what_the_careful_one_says(value: object, escaped: bool) -> None:
    body = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")

    def outcome(raw: bytes) -> object:
        try:
            return read(raw).value
        except Unreadable as error:
            return error.detail

    assert outcome(body) == outcome(b"\xef\xbb\xbf" + body)  # a byte order mark is only read carefully
