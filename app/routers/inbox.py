"""The inbox: what arrived and what became of it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import (
    Conflict,
    Forbidden,
    InvalidBody,
    InvalidRequest,
    MessageNotFound,
    PayloadTooLarge,
    RequestTimeout,
    SourceNotFound,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.routers.deps import Operator, PartsDep, Viewer
from app.routers.inbound import receipt_json
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.inbox import InboxDetail, InboxMessage, Replay, ReplayResult
from app.schemas.receipts import WebhookReceipt
from app.services import audit, replay, webhooks
from app.services.replay import Wanted
from app.store.listings import INBOX

router = APIRouter(prefix="/v1/inbox", tags=["inbound"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))


@router.get("", operation_id="list_inbox", **documented(INBOX, InboxMessage))
async def list_inbox(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """What arrived, newest first; `?outcome=quarantined` is what could not be read yet."""
    return await answer(request, parts.reader, INBOX, InboxMessage)


@router.get("/{message_id:name}", operation_id="get_message", responses=problems(MessageNotFound))
async def get_message(message_id: str, caller: Viewer, parts: PartsDep) -> InboxDetail:  # noqa: ARG001
    """One message, byte for byte."""
    return InboxDetail.model_validate(plain(await parts.reader.message(message_id)))


@router.post("/{message_id}:replay", operation_id="replay_message", responses=problems(MessageNotFound, SourceNotFound, Conflict))
async def replay_message(message_id: str, caller: Operator, parts: PartsDep) -> WebhookReceipt:
    """Read a stored message again, with the source as it is configured now."""
    receipt = await webhooks.replay(parts.ingest, parts.db, parts.live, message_id)
    await audit.note(parts.db, parts.now, caller, "inbox.replayed", message_id, {"outcome": receipt.outcome})
    return WebhookReceipt.model_validate(receipt_json(receipt))


@router.post(
    ":replay",
    operation_id="replay_inbox",
    responses=problems(SourceNotFound, InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType),
)
async def replay_inbox(what: Replay, caller: Operator, parts: PartsDep) -> ReplayResult:
    """Read many stored webhooks again, with the source as it is configured now: after a mapping was repaired. Twice is harmless."""
    wanted = Wanted(what.source, what.outcome, what.since, what.until, what.limit)
    done = await replay.replay(parts.ingest, parts.db, parts.live, parts.now, wanted, dry_run=what.dry_run, by=caller.name)
    return ReplayResult(
        source=what.source,
        matched=done.matched,
        replayed=done.replayed,
        outcomes=done.outcomes,
        reasons=done.reasons,
        dry_run=what.dry_run,
    )
