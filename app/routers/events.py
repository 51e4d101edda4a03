"""Canonical events on the wire: reading the body, and the answer that says what became of each item."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from starlette.responses import Response

from app.errors import Fault, InvalidBody, UnsupportedMediaType
from app.routers.problems import is_json
from app.schemas.json_items import Item, read_json, read_lines
from app.services.canonical import Result

_LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines"})
_STATUS: Final = {"applied": 202, "duplicate": 202, "quarantined": 202, "refused": 422, "unavailable": 503}


def read_items(content_type: str | None, raw: bytes) -> list[Item]:
    """The items of a body. UnsupportedMediaType for anything but JSON and NDJSON."""
    if content_type is not None and content_type.partition(";")[0].strip().lower() in _LINES:
        return read_lines(raw)
    if is_json(content_type):
        return read_json(raw)
    raise UnsupportedMediaType("Send the events as application/json or application/x-ndjson (curl: -H 'content-type: application/json').")


def answer(results: Sequence[Result]) -> Response:
    """202 when all were stored, 207 when some were, InvalidBody when none could be read."""
    statuses = {_STATUS[result.outcome] for result in results}
    if statuses == {422}:
        faults = [Fault(f"{result.pointer}{fault.pointer}", fault.detail) for result in results for fault in result.faults]
        raise InvalidBody("The event is not valid." if len(results) == 1 else "None of the events is valid.", errors=faults[:200])
    refused = sum(_STATUS[result.outcome] != 202 for result in results)
    body = {"accepted": len(results) - refused, "refused": refused, "items": [_item(index, result) for index, result in enumerate(results)]}
    return Response(orjson.dumps(body), 202 if statuses == {202} else 207, media_type="application/json")


def _item(index: int, result: Result) -> dict[str, Any]:
    ticket = result.ticket
    return {
        "index": index,
        "status": _STATUS[result.outcome],
        "outcome": result.outcome,
        "receipt": result.receipt,
        "ticket": None if ticket is None else {"id": ticket.id, "source": ticket.source, "external_id": ticket.external_id},
        "key": result.key,
        "warnings": list(result.warnings),
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in result.faults],
    }
