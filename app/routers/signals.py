"""Signals: behaviour that is alarming in itself."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import Forbidden, InvalidRequest, Unauthorized, Unavailable
from app.routers.deps import PartsDep, Viewer
from app.routers.lists import answer, documented
from app.routers.problems import problems
from app.schemas.signals import Signal
from app.store.listings import SIGNALS

router = APIRouter(prefix="/v1/signals", tags=["signals"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_signals", **documented(SIGNALS, Signal))
async def list_signals(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Signals that tickets have raised, the latest first; `?stands=true` are those whose behaviour lasts."""
    return await answer(request, parts.reader, SIGNALS, Signal)
