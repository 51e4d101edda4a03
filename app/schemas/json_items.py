"""Reading a body of one, many or lines of JSON, so that one broken item does not take its neighbours along."""

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import orjson

from app.errors import Fault, InvalidRequest, PayloadTooLarge

MAX_ITEMS: Final = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a body: its JSON value, or what is wrong. `pointer` leads to it from the whole body; for lines it is `/N` from 0."""

    pointer: str
    value: Any = None
    fault: Fault | None = None


def read_json(raw: bytes) -> list[Item]:
    """The items of one object or an array of them. InvalidRequest when it is no JSON, PayloadTooLarge beyond 1000 items."""
    value = _loads(raw)
    if not isinstance(value, list):
        return [Item("", value)]
    _bounded(len(value))
    if not value:
        raise InvalidRequest("The array is empty: there is nothing to do.")
    return [Item(f"/{index}", item) for index, item in enumerate(value)]


def read_lines(raw: bytes) -> list[Item]:
    """The items of NDJSON: one value a line, empty lines are skipped. A broken line is one broken item."""
    lines = [line for line in raw.split(b"\n") if line.strip()]
    _bounded(len(lines))
    if not lines:
        raise InvalidRequest("The body is empty: there is nothing to do.")
    return [_line(index, line) for index, line in enumerate(lines)]


def _line(index: int, line: bytes) -> Item:
    try:
        return Item(f"/{index}", _loads(line))
    except InvalidRequest as error:
        return Item(f"/{index}", fault=Fault("", error.detail))


def _bounded(count: int) -> None:
    if count > MAX_ITEMS:
        raise PayloadTooLarge(f"{count} items in one request; send at most {MAX_ITEMS}.")


def _loads(raw: bytes) -> Any:
    """The JSON value. What the strict parser refuses for one bad string or number gets a second reading, so that it costs one item only."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as strict:
        try:
            return json.loads(raw.decode("utf-8"), parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise InvalidRequest(f"The body is not JSON: {strict.msg} at line {strict.lineno}, column {strict.colno}.") from strict


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
