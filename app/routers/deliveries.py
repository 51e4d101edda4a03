"""Deliveries: what was sent to whom, and what came of it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import Conflict, DeliveryNotFound, Forbidden, InvalidRequest, Unauthorized, Unavailable
from app.routers.deps import Operator, PartsDep, Viewer
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.deliveries import Delivery, DeliveryDetail
from app.services import deliveries
from app.store.listings import DELIVERIES

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_deliveries", **documented(DELIVERIES, Delivery))
async def list_deliveries(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Deliveries, the latest first; `?state=dead` are those that were given up."""
    return await answer(request, parts.reader, DELIVERIES, Delivery)


@router.get("/{delivery_id:name}", operation_id="get_delivery", responses=problems(DeliveryNotFound))
async def get_delivery(delivery_id: str, caller: Viewer, parts: PartsDep) -> DeliveryDetail:  # noqa: ARG001
    """One delivery, with every try."""
    row = await parts.reader.delivery(delivery_id)
    return DeliveryDetail.model_validate(plain(row) | {"history": [plain(attempt) for attempt in row["history"]]})


@router.post("/{delivery_id}:retry", operation_id="retry_delivery", responses=problems(DeliveryNotFound, Conflict))
async def retry_delivery(delivery_id: str, caller: Operator, parts: PartsDep) -> DeliveryDetail:
    """Try again now, under the same id."""
    await deliveries.retry(parts.db, parts.now, delivery_id, by=caller.name)
    return await get_delivery(delivery_id, caller, parts)
