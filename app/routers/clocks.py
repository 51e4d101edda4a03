"""Clocks: what breaks next."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import ClockNotFound, Forbidden, InvalidRequest, Unauthorized, Unavailable
from app.routers.deps import PartsDep, Viewer
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.clocks import Clock
from app.store.listings import CLOCKS

router = APIRouter(prefix="/v1/clocks", tags=["clocks"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_clocks", **documented(CLOCKS, Clock))
async def list_clocks(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Clocks, the next due first; `?due_within=30m` is what breaks next."""
    return await answer(request, parts.reader, CLOCKS, Clock)


@router.get("/{clock_id:name}", operation_id="get_clock", responses=problems(ClockNotFound))
async def get_clock(clock_id: str, caller: Viewer, parts: PartsDep) -> Clock:  # noqa: ARG001
    """One clock, with elapsed and remaining time."""
    return Clock.model_validate(plain(await parts.reader.clock(clock_id)))
