"""The configuration document: read, check, replace."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from app.errors import (
    Conflict,
    Forbidden,
    InvalidConfiguration,
    InvalidRequest,
    PayloadTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    RequestTimeout,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.routers.deps import Admin, PartsDep, Viewer
from app.routers.lists import answer, documented
from app.routers.problems import is_json, problems
from app.schemas.config import CheckResult, ConfigDocument, ConfigStored, Finding, Revision
from app.services.configuration import names
from app.store.listings import REVISIONS

router = APIRouter(prefix="/v1", tags=["configuration"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))

_YAML: Final = frozenset({"application/yaml", "text/yaml", "application/x-yaml", "text/x-yaml", "text/plain"})
_SENT: Final = (PayloadTooLarge, RequestTimeout, UnsupportedMediaType)
_DOCUMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "description": "The whole document. JSON is YAML too.",
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "string"}, "example": "version: 1\n"}, "application/json": {"schema": {}}},
    }
}
_READ: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/yaml": {"schema": {"type": "string"}}}},
    304: {"description": "The one you have (`If-None-Match`) still holds."},
}


@router.get("/config", operation_id="get_config", response_model=ConfigDocument, responses=_READ)
async def get_config(
    request: Request,
    caller: Viewer,  # noqa: ARG001
    parts: PartsDep,
    response: Response,
    if_none_match: Annotated[str | None, Header(description="The ETag you have, in quotes.")] = None,
) -> Response | ConfigDocument:
    """The document in force; as plain YAML with `Accept: application/yaml`."""
    current = parts.live.current
    headers = {"etag": f'"{current.etag}"', "vary": "accept", "x-revision": str(current.revision)}
    if if_none_match is not None and names(if_none_match, current.etag):
        return Response(status_code=304, headers=headers)
    accepted = request.headers.get("accept", "")
    if any(media in accepted for media in _YAML):
        return Response(current.text, headers=headers, media_type="application/yaml")
    response.headers.update(headers)
    return ConfigDocument(revision=current.revision, etag=current.etag, text=current.text)


@router.put(
    "/config",
    operation_id="put_config",
    responses=problems(PreconditionRequired, PreconditionFailed, InvalidConfiguration, Conflict, *_SENT),
    openapi_extra=_DOCUMENT,
)
async def put_config(
    request: Request,
    response: Response,
    caller: Admin,
    parts: PartsDep,
    if_match: Annotated[str | None, Header(description="The ETag you have seen, in quotes; or `*`.")] = None,
    dry_run: Annotated[bool, Query(description="Only check, and say what would come.")] = False,
) -> ConfigStored:
    """Replace the document. It comes into force at once; one with errors changes nothing."""
    text = await _text(request)
    current = await parts.live.put(text, author=caller.name, if_match=if_match, dry_run=dry_run)
    response.headers["etag"] = f'"{current.etag}"'
    return ConfigStored(revision=current.revision, etag=current.etag, dry_run=dry_run)


@router.post("/config:check", operation_id="check_config", responses=problems(*_SENT), openapi_extra=_DOCUMENT)
async def check_config(request: Request, caller: Admin, parts: PartsDep) -> CheckResult:  # noqa: ARG001
    """Everything there is to say about a document. Nothing is stored."""
    checked = await parts.live.check(await _text(request))
    return CheckResult(valid=checked.loaded is not None, findings=[Finding.model_validate(asdict(finding)) for finding in checked.findings])


@router.get("/config/revisions", operation_id="list_revisions", **documented(REVISIONS, Revision))
async def list_revisions(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Every revision there was, the newest first."""
    return await answer(request, parts.reader, REVISIONS, Revision)


async def _text(request: Request) -> str:
    """The document of the body. UnsupportedMediaType, or InvalidRequest when it is not UTF-8."""
    content_type = request.headers.get("content-type")
    if not is_json(content_type) and (content_type or "").partition(";")[0].strip().lower() not in _YAML:
        raise UnsupportedMediaType("Send the document as application/yaml.")
    try:
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The document is not UTF-8: {error.reason} at byte {error.start}.") from error
