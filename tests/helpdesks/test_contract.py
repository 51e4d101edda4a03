"""What every helpdesk module must do, whatever its kind."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.errors import Unreadable
from app.helpdesks import Reading, kinds, load
from tests.helpdesks.deliveries import LEAST, RECEIVED_AT, golden, golden_files, request, source

every_kind = pytest.mark.parametrize("kind", kinds())
quick = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TEXTS = st.text(max_size=12) | st.sampled_from(["", "0", "-1", "open", "2026-11-21T09:00:00Z", "NaN", "9" * 30, "é\u202e", "true"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12)

GARBAGE = [
    b"", b" ", b"\xff\xfe{\x00}\x00", b"{", b"[1,", b"nul", b"NaN", b'{"a": Infinity}', b'{"a": 1e999}', b"1" * 5000,
    b"[" * 100_000,
    b'{"a":' * 500 + b"1" + b"}" * 500, b"<xml/>", b'{"a": "\\u0000"}', b'{"\\ud800": 1}', b'{"a": "\\udfff"}', b'"text"',
    b"5",
    b"null", b"[]", b"{}", b'{"ticket": null}', b'{"ticket": []}', b'{"ticket": {"id": {}}}',
    b'{"type": "zen:event-type:ticket.created"}',
]  # fmt: skip


@every_kind
def test_a_kind_has_a_config_that_knows_its_name(kind: str) -> None:
    assert source(kind).kind == kind


def test_a_kind_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load("remedy")


def test_helpers_are_no_kinds() -> None:
    assert set(kinds()) >= {"generic", "zammad", "zendesk"}
    assert not [kind for kind in kinds() if kind.startswith(("_", "-"))]


@every_kind
def test_the_document_has_to_say_how_requests_are_verified(kind: str) -> None:
    said = {key: value for key, value in LEAST[kind].items() if key not in ("secret", "verify")}

    with pytest.raises(ValidationError, match=r"verify|secret"):
        load(kind).Config.model_validate(said)


@every_kind
def test_an_open_door_has_to_be_written(kind: str) -> None:
    said = {key: value for key, value in LEAST[kind].items() if key != "secret"}
    config = load(kind).Config.model_validate({**said, "verify": "none"})

    load(kind).verify(request(b"anything"), config, RECEIVED_AT)


@every_kind
@pytest.mark.parametrize("secret", ["", []])
def test_an_empty_secret_is_refused(kind: str, secret: Any) -> None:
    with pytest.raises(ValidationError):
        source(kind, verify={"bearer": secret})


@every_kind
def test_the_schema_of_the_document_can_be_printed(kind: str) -> None:
    schema = load(kind).Config.model_json_schema()

    assert schema["properties"]["kind"]["const"] == kind
    assert schema["additionalProperties"] is False


@every_kind
def test_a_word_that_only_looks_like_a_status_is_refused_with_the_right_one(kind: str) -> None:
    with pytest.raises(ValidationError, match="did you mean 'solved'"):
        source(kind, status_map={"Done": "resolved"})


@every_kind
def test_statuses_may_be_written_loosely_and_may_be_words_of_their_own(kind: str) -> None:
    config = source(kind, status_map={"A": "On Hold", "B": "waiting_for_approval", 3: "deleted"})

    assert config.status_map == {"A": "on_hold", "B": "waiting_for_approval", "3": "deleted"}


@every_kind
def test_a_priority_nobody_knows_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="did you mean 'urgent'"):
        source(kind, priority_map={"P1": "critical"})


@every_kind
@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_unreadable_or_ignored_and_nothing_else(kind: str, body: bytes) -> None:
    assert outcome(kind, body) in ("unreadable", "ignored", "applied")


@every_kind
@quick
@given(body=JSON | st.dictionaries(st.sampled_from(["ticket", "ticket_id", "type", "detail", "event", "article", "status"]), JSON))
def test_any_json_is_read_or_unreadable(kind: str, body: Any) -> None:
    assert outcome(kind, json.dumps(body).encode()) in ("unreadable", "ignored", "applied")


@every_kind
@quick
@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_or_unreadable(kind: str, body: bytes) -> None:
    assert outcome(kind, body) in ("unreadable", "ignored", "applied")


MUTABLE = [file for kind in kinds() for file in golden_files(kind)]


@settings(quick, max_examples=400)
@given(file=st.sampled_from(MUTABLE), data=st.data())
def test_any_mutation_of_a_delivery_is_read_or_unreadable(file: Path, data: st.DataObject) -> None:
    case = golden(file)
    body = copy.deepcopy(case["body"])
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutated(body, data)

    assert outcome(file.parent.name, json.dumps(body).encode(), case) in ("unreadable", "ignored", "applied")


def mutated(body: Any, data: st.DataObject) -> Any:
    """The body with one place replaced or taken away."""
    places = list(inner_places(body))
    if not places:
        return data.draw(JSON)
    holder, key = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()) and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = data.draw(JSON)
    return body


def inner_places(value: Any) -> Any:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from inner_places(value[key])


def outcome(kind: str, body: bytes, case: dict[str, Any] | None = None) -> str:
    """What became of a body; any exception but Unreadable fails the test, as does an event that cannot be kept."""
    case = case or {"config": {}, "headers": {}}
    try:
        reading = load(kind).parse(request(body, case["headers"]), source(kind, **case["config"]), RECEIVED_AT)
    except Unreadable as unreadable:
        check_that_it_can_be_told(unreadable)
        return "unreadable"
    check_that_it_can_be_kept(reading)
    return reading.outcome


def check_that_it_can_be_told(unreadable: Unreadable) -> None:
    faults = unreadable.errors
    assert all(fault.pointer == "" or fault.pointer.startswith("/") for fault in faults)
    assert unreadable.detail.encode()
    assert all((fault.pointer + fault.detail).encode() for fault in faults)


def check_that_it_can_be_kept(reading: Reading) -> None:
    assert (reading.outcome == "applied") == bool(reading.events)
    assert reading.outcome == "applied" or reading.reason
    for event in reading.events:
        assert 0 < len(event.ticket) <= 200
        assert 0 < len(event.key) <= 220
        assert event.at.utcoffset() is not None
        assert 1990 <= event.at.year < 2200
        assert all(v is None or isinstance(v, bool | int | float | str | tuple) or hasattr(v, "utcoffset") for v in event.set.values())
        assert all(abs(v) < 2**64 for v in event.set.values() if isinstance(v, int))
        repr(event).encode()
