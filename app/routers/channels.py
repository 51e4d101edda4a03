"""The configured channels: how they do, switching them off and on, testing them."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body

from app.errors import (
    ChannelNotFound,
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
from app.routers.lists import plain
from app.routers.problems import problems
from app.schemas.channels import Channel, ChannelList, ChannelTest, Enabling
from app.services import audit, endpoints
from app.services.channel_test import send_test

router = APIRouter(prefix="/v1/channels", tags=["deliveries"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_channels")
async def list_channels(caller: Viewer, parts: PartsDep) -> ChannelList:  # noqa: ARG001
    """All channels and how their endpoints do, without addresses and secrets."""
    rows = await endpoints.overview(parts.db, parts.live)
    return ChannelList(items=[Channel.model_validate(plain(row)) for row in rows])


@router.get("/{name:name}", operation_id="get_channel", responses=problems(ChannelNotFound))
async def get_channel(name: str, caller: Viewer, parts: PartsDep) -> Channel:  # noqa: ARG001
    """One channel and how its endpoint does."""
    return Channel.model_validate(plain(await endpoints.one(parts.db, parts.live, name)))


@router.post("/{name}:test", operation_id="test_channel", responses=problems(ChannelNotFound))
async def test_channel(name: str, caller: Operator, parts: PartsDep) -> ChannelTest:
    """Send the channel a message marked TEST, and say what came of it."""
    result = await send_test(parts.live, parts.client, name, parts.now)
    await audit.note(parts.db, parts.now, caller, "channel.tested", name, {"ok": result.ok})
    return ChannelTest.model_validate(asdict(result))


@router.post("/{name}:disable", operation_id="disable_channel", responses=problems(ChannelNotFound))
async def disable_channel(name: str, caller: Operator, parts: PartsDep) -> Channel:
    """Switch a channel off: what is meant for it is held until it is enabled. Other channels hear of it (`endpoint.disabled`)."""
    await endpoints.disable(parts.db, parts.live, parts.now, name, by=caller.name)
    return await get_channel(name, caller, parts)


@router.post(
    "/{name}:enable",
    operation_id="enable_channel",
    responses=problems(ChannelNotFound, InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType),
)
async def enable_channel(name: str, caller: Operator, parts: PartsDep, how: Annotated[Enabling | None, Body()] = None) -> Channel:
    """Switch a channel on again, its failures forgotten and its breaker closed; what was held goes out behind live traffic."""
    await endpoints.enable(parts.db, parts.live, parts.now, name, by=caller.name, replay=(how or Enabling()).replay)
    return await get_channel(name, caller, parts)
