"""What helpdesks send: their native webhooks, and canonical events."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import (
    Forbidden,
    InvalidBody,
    InvalidRequest,
    InvalidSignature,
    PayloadTooLarge,
    RequestTimeout,
    SourceNotFound,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.exchange import HttpRequest
from app.helpdesks import Answer
from app.routers.deps import Ingester, Parts, PartsDep, Viewer, parts_of, raw_request
from app.routers.events import answer, read_items
from app.routers.problems import problems
from app.schemas.events_in import EXAMPLE
from app.schemas.receipts import EventResults, PreviewResult, WebhookReceipt
from app.services import canonical, webhooks
from app.services.ingest import Receipt

router = APIRouter(prefix="/v1", tags=["inbound"])

_RAW: Final[dict[str, Any]] = {
    "requestBody": {
        "description": "The payload exactly as the helpdesk sends it, in any content type.",
        "required": False,
        "content": {"application/json": {"schema": {}, "example": {"ticket": {"id": 4711, "state": "open"}}}},
    }
}
_VENDORS_ANSWER: Final[dict[str, Any]] = {
    "description": "Instead of the receipt, for a helpdesk that insists on an answer of its own: as durable as a 202; "
    "or the answer to a step of its set-up, of which nothing is stored.",
    "content": {
        "text/xml": {"schema": {"type": "string"}},
        "application/json": {"schema": {"type": "object"}, "example": {"challenge": "what the helpdesk wants to read back"}},
    },
}
_BODY_ERRORS: Final = (InvalidRequest, PayloadTooLarge, RequestTimeout, Unavailable)
_EVENTS: Final[dict[str, Any]] = {
    "requestBody": {
        "description": "One event, an array of at most 1000, or NDJSON: one event a line.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/EventIn"},
                        {"type": "array", "items": {"$ref": "#/components/schemas/EventIn"}, "minItems": 1, "maxItems": 1000},
                    ]
                },
                "example": EXAMPLE,
            },
            "application/x-ndjson": {"schema": {"type": "string"}, "example": orjson.dumps(EXAMPLE).decode() + "\n"},
        },
    }
}


@router.post(
    "/sources/{source}/webhook",
    status_code=202,
    operation_id="receive_webhook",
    response_model=WebhookReceipt,
    responses={200: _VENDORS_ANSWER, **problems(InvalidSignature, SourceNotFound, *_BODY_ERRORS)},
    openapi_extra=_RAW,
)
async def receive_webhook(source: str, request: Request) -> Response:
    """A helpdesk's native webhook.

    Needs no API key: the source's own signature or secret is checked over the raw bytes. Answers once the message is durable; what is
    authentic but cannot be read goes to quarantine. A helpdesk that insists on an answer of its own (an acknowledgement in its own words,
    the echo of a challenge) gets that instead of the receipt, with 200.
    """
    return await answer_webhook(parts_of(request), source, await raw_request(request))


async def answer_webhook(parts: Parts, source: str, request: HttpRequest) -> Response:
    """The answer to a webhook, however it came here."""
    said = await webhooks.receive(parts.ingest, parts.live, source, request, parts.now)
    if isinstance(said, Answer):
        return Response(said.body, said.status, dict(said.headers))
    return Response(orjson.dumps(receipt_json(said)), 202, media_type="application/json")


@router.post(
    "/events",
    status_code=202,
    operation_id="send_events",
    response_model=EventResults,
    responses={
        207: {"model": EventResults, "description": "Some were stored, some were not: see each item."},
        **problems(Unauthorized, Forbidden, UnsupportedMediaType, InvalidBody, *_BODY_ERRORS),
    },
    openapi_extra=_EVENTS,
)
async def send_events(request: Request, caller: Ingester, parts: PartsDep) -> Response:  # noqa: ARG001
    """Canonical events: one, an array, or NDJSON.

    Each item is judged by itself: 202 when all were stored, 207 when only some were, 422 when none could be read. Sending an event again is
    harmless: it is told by its key.
    """
    raw = await raw_request(request)
    results = await canonical.take(parts.ingest, read_items(raw.headers.get("content-type"), raw.body), raw, parts.now)
    return answer(results)


@router.post(
    "/sources/{source}:preview",
    operation_id="preview_webhook",
    responses=problems(Unauthorized, Forbidden, SourceNotFound, *_BODY_ERRORS),
    openapi_extra=_RAW,
)
async def preview_webhook(source: str, request: Request, caller: Viewer, parts: PartsDep) -> PreviewResult:  # noqa: ARG001
    """What a payload would say: the canonical events it would become. Nothing is stored, no signature is asked for.

    Send the payload with the headers the helpdesk sends; some read the kind of event from them.
    """
    preview = webhooks.preview(parts.live, source, await raw_request(request), parts.now)
    return PreviewResult.model_validate({"outcome": preview.outcome, "reason": preview.reason, "events": preview.events})


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as `WebhookReceipt` documents it."""
    tickets: Sequence[dict[str, str]] = [{"id": t.id, "source": t.source, "external_id": t.external_id} for t in receipt.tickets]
    return {"receipt": receipt.id, "outcome": receipt.outcome, "reason": receipt.reason, "tickets": tickets}
