"""Lists on the wire: JSON pages with cursor and Link, or the whole as CSV or NDJSON, streamed."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.errors import CursorMismatch, InvalidCursor, InvalidRequest, NotAcceptable, SlaError, UnknownParameter
from app.routers.problems import problems
from app.schemas.instants import rfc3339
from app.schemas.pages import Page
from app.services.reads import Listed, Reader
from app.store.filters import refused, single
from app.store.lists import DEFAULT_LIMIT, MAX_LIMIT, Listing, Row
from app.store.reads import Conditions

Form = Literal["json", "csv", "ndjson"]

_MEDIA: Final[Mapping[Form, str]] = {"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def answer(
    request: Request, reader: Reader, listing: Listing, model: type[BaseModel], *, also: Conditions = (), scope: str = ""
) -> Response:
    """The list that the query string asks for. `model` documents a row: its fields are the columns of the CSV, in that order.

    CSV and NDJSON are the whole result from the cursor on, unless a `limit` is given.
    """
    pairs = request.query_params.multi_items()
    form = _form(request, pairs)
    pairs = [(key, value) for key, value in pairs if key != "format"]
    ask = await reader.ask(listing, pairs, also=also, scope=scope)
    if form != "json" and not any(key == "limit" for key, _ in pairs):
        portions = reader.all(listing, ask)
        first = await anext(portions)
        return _streamed(form, listing, model, first, portions)
    page = await reader.page(listing, ask)
    headers = {"link": _link(request, page.next_cursor)} if page.next_cursor else {}
    return Response(b"".join(_rendered(form, model, page)), 200, headers | _named(form, listing), media_type=_media(form))


def documented(listing: Listing, model: type[BaseModel], *more: type[SlaError]) -> dict[str, Any]:
    """What an operation that answers with `answer` says of itself: parameters and responses, for `@router.get(..., **documented(...))`."""
    other = {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}}
    success = {
        "description": "One page; or the whole result as CSV or NDJSON.",
        "content": other,
        "headers": {"Link": {"description": 'The next page (`rel="next"`).', "schema": {"type": "string"}}},
    }
    wrong: tuple[type[SlaError], ...] = (InvalidRequest, UnknownParameter, InvalidCursor, CursorMismatch, NotAcceptable, *more)
    return {
        "response_model": Page[model],  # type: ignore[valid-type]
        "responses": {200: success, **problems(*wrong)},
        "openapi_extra": {"parameters": list(_parameters(listing))},
    }


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON values: instants as RFC 3339 in UTC."""
    return {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _form(request: Request, pairs: Sequence[tuple[str, str]]) -> Form:
    asked = [value for key, value in pairs if key == "format"]
    if asked:
        word = single("format", asked)
        known = next((form for form in _MEDIA if form == word), None)
        if known is None:
            raise refused("format", f"is one of {', '.join(_MEDIA)}")
        return known
    return _accepted(request.headers.get("accept"))


def _accepted(accept: str | None) -> Form:
    """The form the client likes best (RFC 9110, section 12.5.1); JSON among equals. NotAcceptable when it wants none of ours."""
    if not accept or not accept.strip():
        return "json"
    wishes = [_wish(part) for part in accept.split(",")]
    best = max(_MEDIA, key=lambda form: (_liking(wishes, _MEDIA[form]), form == "json"))
    if _liking(wishes, _MEDIA[best]) <= 0:
        raise NotAcceptable(f"This list comes as {', '.join(_MEDIA.values())}.")
    return best


def _wish(part: str) -> tuple[str, float]:
    media, _, parameters = part.partition(";")
    quality = next((value for name, _, value in (p.partition("=") for p in parameters.split(";")) if name.strip().lower() == "q"), "1")
    try:
        return media.strip().lower(), min(1.0, max(0.0, float(quality)))
    except ValueError:
        return media.strip().lower(), 1.0


def _liking(wishes: Iterable[tuple[str, float]], media: str) -> float:
    """The quality of the most specific wish that covers the media type; 0 without one."""
    ranges = ("*/*", f"{media.partition('/')[0]}/*", media)
    fitting = [(ranges.index(wished), quality) for wished, quality in wishes if wished in ranges]
    return max(fitting)[1] if fitting else 0.0


def _rendered(form: Form, model: type[BaseModel], page: Listed) -> Iterable[bytes]:
    rows = list(map(plain, page.rows))
    if form == "json":
        return [orjson.dumps({"items": rows, "next_cursor": page.next_cursor, "has_more": page.next_cursor is not None})]
    return [_header(form, model), _lines(form, model, rows)]


def _streamed(form: Form, listing: Listing, model: type[BaseModel], first: list[Row], more: AsyncIterator[list[Row]]) -> Response:
    async def body() -> AsyncIterator[bytes]:
        yield _header(form, model)
        yield _lines(form, model, map(plain, first))
        async for rows in more:
            yield _lines(form, model, map(plain, rows))

    return StreamingResponse(body(), 200, _named(form, listing), media_type=_media(form))


def _header(form: Form, model: type[BaseModel]) -> bytes:
    return _csv([list(model.model_fields)]) if form == "csv" else b""


def _lines(form: Form, model: type[BaseModel], rows: Iterable[Mapping[str, Any]]) -> bytes:
    if form == "ndjson":
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return _csv([[_cell(row[name]) for name in model.model_fields] for row in rows])


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    """RFC 4180: comma, CR LF, quotes where needed."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def _cell(value: Any) -> str:
    """Numbers as they are; text that a spreadsheet would take for a formula gets an apostrophe in front."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return orjson.dumps(value).decode()


def _media(form: Form) -> str:
    return f"{_MEDIA[form]}; charset=utf-8" if form == "csv" else _MEDIA[form]


def _named(form: Form, listing: Listing) -> dict[str, str]:
    return {"vary": "accept"} | ({"content-disposition": f'attachment; filename="{listing.name}.csv"'} if form == "csv" else {})


def _link(request: Request, cursor: str) -> str:
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key != "cursor"]
    return f'<{path.partition(b"?")[0].decode("ascii", "replace")}?{urlencode([*pairs, ("cursor", cursor)])}>; rel="next"'


def _parameters(listing: Listing) -> Iterable[dict[str, Any]]:
    for key, (schema, what) in listing.keys().items():
        yield _parameter(key, schema, what)
    sorts = [word for name in listing.sorts for word in (name, f"-{name}")]
    yield _parameter("sort", {"type": "string", "enum": sorts, "default": listing.default_sort}, "`-` = descending; no value comes last.")
    limits = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    yield _parameter("limit", limits, "Rows on a page. CSV and NDJSON are the whole result without it.")
    yield _parameter("cursor", {"type": "string"}, "`next_cursor` of the page before, with the same filters and sort.")
    yield _parameter("format", {"type": "string", "enum": list(_MEDIA)}, "Instead of the Accept header.")


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
