"""The configured sources."""

from fastapi import APIRouter

from app.errors import Forbidden, InvalidRequest, SourceNotFound, Unauthorized, Unavailable
from app.routers.deps import PartsDep, Viewer
from app.routers.lists import plain
from app.routers.problems import problems
from app.schemas.inbox import Source, SourceList
from app.services import sources

router = APIRouter(prefix="/v1/sources", tags=["inbound"])


@router.get("", operation_id="list_sources", responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))
async def list_sources(caller: Viewer, parts: PartsDep) -> SourceList:  # noqa: ARG001
    """All sources, with their last webhook, their silence and their quarantine."""
    rows = await sources.overview(parts.db, parts.live, parts.now)
    return SourceList(items=[Source.model_validate(plain(row)) for row in rows])


@router.get(
    "/{source:name}", operation_id="get_source", responses=problems(Unauthorized, Forbidden, InvalidRequest, SourceNotFound, Unavailable)
)
async def get_source(source: str, caller: Viewer, parts: PartsDep) -> Source:  # noqa: ARG001
    """One source."""
    return Source.model_validate(plain(await sources.one(parts.db, parts.live, parts.now, source)))
