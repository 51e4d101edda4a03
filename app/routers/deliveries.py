"""Deliveries: what was sent to whom, and what came of it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import (
    ChannelNotFound,
    Conflict,
    DeliveryNotFound,
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
from app.schemas.deliveries import Delivery, DeliveryDetail, Recovered, Recovery
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
    """Try again now, under the same id. A delivery that is on its way at this moment is a conflict: it would be sent twice."""
    await deliveries.retry(parts.db, parts.now, delivery_id, by=caller.name)
    return await get_delivery(delivery_id, caller, parts)


@router.post(
    ":recover",
    operation_id="recover_deliveries",
    responses=problems(ChannelNotFound, Conflict, InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType),
)
async def recover_deliveries(what: Recovery, caller: Operator, parts: PartsDep) -> Recovered:
    """Replay what a channel has missed, under the same ids and behind its live traffic. A disabled channel is to be enabled first."""
    if what.channel not in parts.live.current.loaded.channels:
        raise ChannelNotFound(f"There is no channel {what.channel!r} in the configuration.")
    count = await deliveries.recover(parts.db, parts.now, by=caller.name, **what.model_dump())
    return Recovered(channel=what.channel, deliveries=count, dry_run=what.dry_run)
