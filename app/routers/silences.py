"""Silences: when nobody is to be told."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import (
    Forbidden,
    InvalidBody,
    InvalidRequest,
    PayloadTooLarge,
    RequestTimeout,
    SilenceNotFound,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.routers.deps import Operator, PartsDep, Viewer
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.silences import NewSilence, Silence
from app.services import silences
from app.services.silences import Wish
from app.store.listings import SILENCES

router = APIRouter(prefix="/v1/silences", tags=["silences"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_silences", **documented(SILENCES, Silence))
async def list_silences(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Silences, the latest first; `?active=true` are those that have begun and are not over."""
    return await answer(request, parts.reader, SILENCES, Silence)


@router.post(
    "",
    operation_id="create_silence",
    status_code=201,
    responses=problems(InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType),
)
async def create_silence(wanted: NewSilence, caller: Operator, parts: PartsDep) -> Silence:
    """Keep quiet about tickets that match, for at most 30 days. What is still broken in the end is told then."""
    said = wanted.model_dump(exclude={"by", "weekly"})
    weekly = wanted.weekly.model_dump() if wanted.weekly is not None else None
    wish = Wish(**said, by=wanted.by or caller.name, weekly=weekly)
    return await get_silence(await silences.create(parts.db, parts.live, parts.now, wish), caller, parts)


@router.get("/{silence_id:name}", operation_id="get_silence", responses=problems(SilenceNotFound))
async def get_silence(silence_id: str, caller: Viewer, parts: PartsDep) -> Silence:  # noqa: ARG001
    """One silence. What it suppressed: `GET /v1/deliveries?silence=`."""
    return Silence.model_validate(plain(await parts.reader.silence(silence_id)))


@router.delete("/{silence_id:name}", operation_id="end_silence", responses=problems(SilenceNotFound))
async def end_silence(silence_id: str, caller: Operator, parts: PartsDep) -> Silence:
    """End a silence now. It stays in the list; ending it twice is the same as once."""
    await silences.end(parts.db, parts.now, silence_id, by=caller.name)
    return await get_silence(silence_id, caller, parts)
