"""API keys and the audit log."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import (
    Forbidden,
    InvalidBody,
    InvalidRequest,
    KeyNotFound,
    PayloadTooLarge,
    RequestTimeout,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.routers.deps import Admin, PartsDep
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.keys import AuditEntry, Key, KeyRequest, NewKey
from app.services import keys
from app.store.keys import KeyRow
from app.store.listings import AUDIT, KEYS

router = APIRouter(prefix="/v1", tags=["access"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("/keys", operation_id="list_keys", **documented(KEYS, Key))
async def list_keys(request: Request, caller: Admin, parts: PartsDep) -> Response:  # noqa: ARG001
    """All API keys, the newest first."""
    return await answer(request, parts.reader, KEYS, Key)


@router.post(
    "/keys",
    status_code=201,
    operation_id="create_key",
    responses=problems(InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType),
)
async def create_key(wanted: KeyRequest, caller: Admin, parts: PartsDep) -> NewKey:
    """Make a key. Its text is in this answer and nowhere else."""
    row, text = await keys.create(parts.db, parts.now, name=wanted.name, scope=wanted.scope, expires_at=wanted.expires_at, by=caller.name)
    return NewKey.model_validate(plain(_public(row)) | {"key": text})


@router.post("/keys/{key_id}:revoke", operation_id="revoke_key", responses=problems(KeyNotFound))
async def revoke_key(key_id: str, caller: Admin, parts: PartsDep) -> Key:
    """End a key for good. It stops within seconds on every replica."""
    row = await keys.revoke(parts.db, parts.now, key_id, by=caller.name)
    parts.keys.forget()
    return Key.model_validate(plain(_public(row)))


@router.get("/audit", operation_id="list_audit", **documented(AUDIT, AuditEntry))
async def list_audit(request: Request, caller: Admin, parts: PartsDep) -> Response:  # noqa: ARG001
    """Who did what, the latest first."""
    return await answer(request, parts.reader, AUDIT, AuditEntry)


def _public(row: KeyRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in Key.model_fields}
