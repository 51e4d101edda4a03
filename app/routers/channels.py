"""The configured channels."""

from dataclasses import asdict

from fastapi import APIRouter

from app.errors import ChannelNotFound, Forbidden, InvalidRequest, Unauthorized, Unavailable
from app.routers.deps import Operator, PartsDep, Viewer
from app.routers.problems import problems
from app.schemas.deliveries import Channel, ChannelList, ChannelTest
from app.services import audit
from app.services.channel_test import send_test

router = APIRouter(prefix="/v1/channels", tags=["deliveries"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_channels")
async def list_channels(caller: Viewer, parts: PartsDep) -> ChannelList:  # noqa: ARG001
    """All channels, without their addresses and secrets."""
    channels = parts.live.current.loaded.channels
    return ChannelList(items=[Channel(name=name, kind=config.kind, events=config.events) for name, config in channels.items()])


@router.post("/{name}:test", operation_id="test_channel", responses=problems(ChannelNotFound))
async def test_channel(name: str, caller: Operator, parts: PartsDep) -> ChannelTest:
    """Send the channel a message marked TEST, and say what came of it."""
    result = await send_test(parts.live, parts.client, name, parts.now)
    await audit.note(parts.db, parts.now, caller, "channel.tested", name, {"ok": result.ok})
    return ChannelTest.model_validate(asdict(result))
