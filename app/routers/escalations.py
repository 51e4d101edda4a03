"""Escalations: who hears it next, until somebody acts."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.errors import (
    Conflict,
    EscalationNotFound,
    Forbidden,
    InvalidBody,
    InvalidRequest,
    PayloadTooLarge,
    RequestTimeout,
    TicketNotFound,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from app.routers.deps import Operator, PartsDep, Viewer
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.escalations import Assignment, Closing, Escalation, EscalationDetail, NewEscalation, Snooze, TakingCare
from app.services import escalations
from app.services.acknowledge import acknowledge_escalation
from app.store.listings import ESCALATIONS

router = APIRouter(prefix="/v1/escalations", tags=["escalations"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))

_BODY = (InvalidBody, PayloadTooLarge, RequestTimeout, UnsupportedMediaType)
_CHANGES = problems(EscalationNotFound, Conflict, *_BODY)


@router.get("", operation_id="list_escalations", **documented(ESCALATIONS, Escalation))
async def list_escalations(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Escalations, the latest first; `?open=true` are those whose cause lasts."""
    return await answer(request, parts.reader, ESCALATIONS, Escalation)


@router.post("", operation_id="open_escalation", status_code=201, responses=problems(TicketNotFound, Conflict, *_BODY))
async def open_escalation(caller: Operator, parts: PartsDep, wanted: NewEscalation) -> EscalationDetail:
    """Escalate a ticket by hand, to a ladder or to a channel; whoever is named first is told at once."""
    escalation_id = await escalations.open_by_hand(
        parts.db, parts.live, parts.now, reference=wanted.ticket, type_=wanted.type, target=wanted.target, reason=wanted.reason,
        by=wanted.by or caller.name,
    )  # fmt: skip
    return await get_escalation(escalation_id, caller, parts)


@router.get("/{escalation_id:name}", operation_id="get_escalation", responses=problems(EscalationNotFound))
async def get_escalation(escalation_id: str, caller: Viewer, parts: PartsDep) -> EscalationDetail:  # noqa: ARG001
    """One escalation, with everything that happened to it and what it said."""
    row = await parts.reader.escalation(escalation_id)
    lists = {name: [plain(each) for each in row[name]] for name in ("log", "deliveries")}
    return EscalationDetail.model_validate(plain(row) | lists)


@router.post("/{escalation_id}:acknowledge", operation_id="acknowledge_escalation", responses=_CHANGES)
async def acknowledge(
    escalation_id: str, caller: Operator, parts: PartsDep, said: Annotated[TakingCare | None, Body()] = None
) -> EscalationDetail:
    """Say that somebody takes care. The ladder waits and then goes on, unless it is said again; the clock runs on."""
    said = said or TakingCare()
    by = said.by or caller.name
    await acknowledge_escalation(parts.db, parts.live, parts.now, escalation_id, by=by, note=said.note, span=said.span)
    return await get_escalation(escalation_id, caller, parts)


@router.post("/{escalation_id}:snooze", operation_id="snooze_escalation", responses=_CHANGES)
async def snooze(escalation_id: str, caller: Operator, parts: PartsDep, said: Snooze) -> EscalationDetail:
    """Let the ladder sleep for a while. Then it goes on where it stopped."""
    by = said.by or caller.name
    await escalations.snooze(parts.db, parts.live, parts.now, escalation_id, by=by, note=said.note, span=said.span)
    return await get_escalation(escalation_id, caller, parts)


@router.post("/{escalation_id}:resolve", operation_id="resolve_escalation", responses=_CHANGES)
async def resolve(
    escalation_id: str, caller: Operator, parts: PartsDep, said: Annotated[Closing | None, Body()] = None
) -> EscalationDetail:
    """Close it by hand. Those whom it had told hear so; the clock and its breach stay as they are."""
    said = said or Closing()
    await escalations.resolve(parts.db, parts.live, parts.now, escalation_id, by=said.by or caller.name, note=said.note)
    return await get_escalation(escalation_id, caller, parts)


@router.post("/{escalation_id}:assign", operation_id="assign_escalation", responses=_CHANGES)
async def assign(escalation_id: str, caller: Operator, parts: PartsDep, said: Assignment) -> EscalationDetail:
    """Give it to somebody. The ladder goes on until somebody acknowledges."""
    await escalations.assign(parts.db, parts.live, parts.now, escalation_id, by=said.by or caller.name, to=said.to)
    return await get_escalation(escalation_id, caller, parts)
