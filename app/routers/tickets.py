"""Tickets: state, timeline, clocks, and why."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.errors import Forbidden, InvalidRequest, TicketNotFound, Unauthorized, Unavailable, UnknownParameter
from app.routers.deps import PartsDep, Viewer, segment
from app.routers.lists import answer, documented, plain
from app.routers.problems import problems
from app.schemas.clocks import Clock
from app.schemas.tickets import Explanation, Ticket, TicketDetail, TimelineEvent
from app.store.filters import read_instant
from app.store.listings import CLOCKS, EVENTS, TICKETS
from app.store.reads import clocks_of, events_of

router = APIRouter(prefix="/v1/tickets", tags=["tickets"], responses=problems(Unauthorized, Forbidden, InvalidRequest, Unavailable))

TicketRef = Annotated[
    str, Path(description="Our id, or `source:external`; a slash in the external id is sent as %2F.", examples=["acme-zendesk:4711"])
]


@router.get("", operation_id="list_tickets", **documented(TICKETS, Ticket))
async def list_tickets(request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """Tickets, the last touched first; `?policy=none` are those to which nothing is promised."""
    return await answer(request, parts.reader, TICKETS, Ticket)


@router.get("/{ticket}", operation_id="get_ticket", responses=problems(TicketNotFound))
async def get_ticket(ticket: TicketRef, caller: Viewer, parts: PartsDep) -> TicketDetail:  # noqa: ARG001
    """One ticket, with the signals it has raised."""
    row = await parts.reader.ticket_with_signals(segment(ticket))
    return TicketDetail.model_validate(plain(row) | {"signals": [plain(signal) for signal in row["signals"]]})


@router.get("/{ticket}/timeline", operation_id="get_timeline", **documented(EVENTS, TimelineEvent, TicketNotFound))
async def get_timeline(ticket: TicketRef, request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """What the helpdesk told us about a ticket, in the order in which it happened."""
    found = await parts.reader.ticket(segment(ticket))
    return await answer(request, parts.reader, EVENTS, TimelineEvent, also=events_of(found["id"]), scope=found["id"])


@router.get("/{ticket}/clocks", operation_id="get_ticket_clocks", **documented(CLOCKS, Clock, TicketNotFound))
async def get_ticket_clocks(ticket: TicketRef, request: Request, caller: Viewer, parts: PartsDep) -> Response:  # noqa: ARG001
    """The clocks of a ticket."""
    found = await parts.reader.ticket(segment(ticket))
    return await answer(request, parts.reader, CLOCKS, Clock, also=clocks_of(found["id"]), scope=found["id"])


@router.get("/{ticket}/explain", operation_id="explain_ticket", responses=problems(TicketNotFound, UnknownParameter))
async def explain_ticket(
    ticket: TicketRef,
    caller: Viewer,  # noqa: ARG001
    parts: PartsDep,
    at: Annotated[
        str | None, Query(description="As it stood at this instant; left out: now.", json_schema_extra={"format": "date-time"})
    ] = None,
) -> Explanation:
    """Why each clock of a ticket stands as it does: policy, target, every span of time and what it counted."""
    moment = None if at is None else read_instant("at", at)
    return Explanation.model_validate(await parts.reader.explain(segment(ticket), moment))
