"""Breaches: what is broken, who was told, who takes care."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.errors import (
    BreachNotFound,
    Conflict,
    Forbidden,
    InvalidBody,
    InvalidRequest,
    PayloadTooLarge,
    RequestTimeout,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.routers.deps import Operator, PartsDep, Viewer
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.breaches import Acknowledgement, Breach, BreachDetail
from app.services.acknowledge import acknowledge
from app.store.listings import BREACHES

router = APIRouter(prefix="/v1/breaches", tags=["breaches"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_breaches", **documented(BREACHES, Breach))
async def list_breaches(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Breaches, the latest first; `?status=open` are those still unanswered."""
    return await answer(request, parts.reader, BREACHES, Breach)


@router.get("/{breach_id:name}", operation_id="get_breach", responses=problems(BreachNotFound))
async def get_breach(breach_id: str, caller: Viewer, parts: PartsDep) -> BreachDetail:  # noqa: ARG001
    """One breach, with its evidence and its deliveries."""
    row = await parts.reader.breach(breach_id)
    return BreachDetail.model_validate(plain(row) | {"deliveries": [plain(delivery) for delivery in row["deliveries"]]})


@router.post(
    "/{breach_id}:acknowledge",
    operation_id="acknowledge_breach",
    responses=problems(BreachNotFound, Conflict, InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType),
)
async def acknowledge_breach(
    breach_id: str, caller: Operator, parts: PartsDep, said: Annotated[Acknowledgement | None, Body()] = None
) -> BreachDetail:
    """Say that somebody has seen it and takes care. The first acknowledgement counts; again changes nothing."""
    said = said or Acknowledgement()
    await acknowledge(parts.db, parts.live, parts.now, breach_id, by=said.by or caller.name, note=said.note, span=said.span)
    return await get_breach(breach_id, caller, parts)
