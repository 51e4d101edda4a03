"""Every answer that is not a success, as `application/problem+json`: our own errors, the framework's, and the ones nobody expected."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app import errors
from app.errors import Fault, SlaError
from app.schemas.text import clean

MEDIA_TYPE: Final = "application/problem+json"
REQUEST_ID: Final = "slawatch.request_id"
"""Key of the request id in the ASGI scope."""

_BY_STATUS: Final[dict[int, type[SlaError]]] = {
    400: errors.InvalidRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    408: errors.RequestTimeout,
    409: errors.Conflict,
    412: errors.PreconditionFailed,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.InvalidBody,
    428: errors.PreconditionRequired,
    503: errors.Unavailable,
}


class InternalError(SlaError):
    """Something went wrong on our side."""


class Refusal(HTTPException):
    """Carries one of our errors through places of the framework that let only its own pass."""

    def __init__(self, error: SlaError) -> None:
        super().__init__(error.status.value, error.detail)
        self.error = error


def install(app: FastAPI) -> None:
    """Have `app` answer with problems only."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, SlaError)
        return respond(request.scope, error)

    async def frameworks(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _from_http(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(request.scope, _from_validation(request, error))

    app.add_exception_handler(SlaError, ours)
    app.add_exception_handler(HTTPException, frameworks)
    app.add_exception_handler(RequestValidationError, invalid)


def respond(scope: Scope, error: SlaError) -> Response:
    """The answer to the request of `scope` that ended in `error`."""
    request_id = scope.get(REQUEST_ID, "")
    headers = _default_headers(error) | {name.lower(): value for name, value in error.headers.items()}
    body = body_of(type(error), error.detail, error.errors, request_id)
    return Response(orjson.dumps(body), error.status.value, headers, media_type=MEDIA_TYPE)


def body_of(kind: type[SlaError], detail: str, faults: Iterable[Fault], request_id: str, status: int | None = None) -> dict[str, Any]:
    """The JSON members of one problem."""
    return {
        "type": f"/problems/{kind.slug()}",
        "title": kind.title(),
        "status": status or kind.status.value,
        "detail": clean(detail),
        "code": kind.code(),
        "request_id": request_id,
        "errors": [{"pointer": clean(fault.pointer), "detail": clean(fault.detail)} for fault in faults],
    }


def problems(*kinds: type[SlaError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may end in these errors: one entry per status, one example per code."""
    grouped: dict[int, list[type[SlaError]]] = {}
    for kind in kinds:
        grouped.setdefault(kind.status.value, []).append(kind)
    return {status: _documented(members) for status, members in sorted(grouped.items())}


def all_kinds(root: type[SlaError] = SlaError) -> Iterator[type[SlaError]]:
    """Every kind of error there is, the root first."""
    yield root
    for kind in root.__subclasses__():
        yield from all_kinds(kind)


def _documented(kinds: list[type[SlaError]]) -> dict[str, Any]:
    return {
        "description": " Or: ".join(f"{kind.title()} (`{kind.code()}`)." for kind in kinds),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {
                    kind.code(): {"value": body_of(kind, kind.title() + ".", (), "req_01K9ZB3V6H2M4N8PQRSTVWXYZA")} for kind in kinds
                },
            }
        },
    }


def _default_headers(error: SlaError) -> dict[str, str]:
    if isinstance(error, errors.Unauthorized):
        return {"www-authenticate": 'Bearer realm="slawatch"'}
    if isinstance(error, errors.InvalidSignature):
        return {"www-authenticate": 'Signature realm="slawatch"'}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"retry-after": "1"}
    return {}


def _from_http(request: Request, error: HTTPException) -> Response:
    """A problem for an error of the framework; a status without a kind of ours is an internal error if it is one of the server."""
    if isinstance(error, Refusal):
        return respond(request.scope, error.error)
    kind = _BY_STATUS.get(error.status_code, InternalError if error.status_code >= 500 else errors.InvalidRequest)
    headers = dict(error.headers or {})
    if kind is errors.MethodNotAllowed:
        headers["allow"] = ", ".join(_allowed(request))
    return respond(request.scope, kind(_detail(request, kind), headers=headers))


def _detail(request: Request, kind: type[SlaError]) -> str:
    path = clean(request.scope.get("path", ""))[:200]
    if kind is errors.NotFound:
        return f"There is nothing at {path}; GET /openapi.json lists what there is."
    if kind is errors.MethodNotAllowed:
        return f"{request.method} is not allowed at {path}."
    return kind.title() + "."


def _allowed(request: Request) -> list[str]:
    """All methods of the address, over all routes that match it."""
    path = request.scope.get("path", "")
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        regex = getattr(route, "path_regex", None)
        if regex is not None and regex.match(path):
            methods |= set(route.methods or ())
    return sorted(methods)


def _from_validation(request: Request, error: RequestValidationError) -> SlaError:
    """What pydantic found wrong in a declared parameter (400) or body (422; 415 when it is not JSON at all; 400 when it is broken JSON)."""
    found = error.errors()
    body = [fault for fault in found if fault["loc"][:1] == ("body",)]
    if not body:
        faults = [Fault(_pointer(fault["loc"]), fault["msg"]) for fault in found]
        return errors.InvalidRequest("A parameter of the request is not valid.", errors=faults)
    if not is_json(request.headers.get("content-type")):
        return errors.UnsupportedMediaType("Send the body as application/json.")
    if body[0]["type"] == "json_invalid":
        return errors.InvalidRequest(f"The body is not JSON: {body[0]['ctx']['error']} at position {body[0]['loc'][-1]}.")
    return errors.InvalidBody("The body does not have the expected form.", errors=[Fault(_pointer(f["loc"][1:]), f["msg"]) for f in body])


def is_json(content_type: str | None) -> bool:
    """True for `application/json` and `*/*+json`, with any parameters, and for a missing type."""
    if content_type is None:
        return True
    essence = content_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _pointer(location: Iterable[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
