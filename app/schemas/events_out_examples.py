"""One example of each event we send, for the API's documentation; a test checks that they fit."""

from datetime import UTC, datetime
from typing import Any, Final

from app.schemas.events_out import (
    ClockOut,
    LinksOut,
    SlaBreached,
    SlaData,
    SlaMetLate,
    SlaRecovered,
    SlaRetracted,
    SlaWarning,
    TestData,
    TestPing,
    TicketOut,
    WhyOut,
)
from app.schemas.examples import ULID

_CREATED: Final = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_DUE: Final = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
_TICKET: Final = TicketOut(
    id=f"tkt_{ULID}",
    source="acme-zendesk",
    external_id="4711",
    subject="Printer on fire",
    status="open",
    priority="high",
    created_at=_CREATED,
)


def _data(milestone: str, **more: Any) -> SlaData:
    clock = ClockOut(
        id=f"clk_{ULID}",
        metric="resolution",
        cycle=1,
        state="running",
        started_at=_CREATED,
        target="6h",
        target_seconds=21_600,
        elapsed_seconds=21_600,
        remaining_seconds=0,
        due_at=_DUE,
    )
    why = WhyOut(policy="gold", revision=3, calendar="always", milestone=milestone)
    return SlaData(ticket=_TICKET, clock=clock, why=why, links=LinksOut(ticket=f"https://sla.example.com/v1/tickets/tkt_{ULID}"), **more)


def examples() -> dict[str, dict[str, Any]]:
    """By type, the JSON body of one event."""
    breach = {"breach_id": f"brc_{ULID}", "detected_at": _DUE, "cause": "elapsed"}
    events = (
        SlaWarning(timestamp=_DUE, data=_data("80%")),
        SlaBreached(timestamp=_DUE, data=_data("breach", late_seconds=0, **breach)),
        SlaRecovered(timestamp=_DUE, data=_data("recovered", late_seconds=900, **breach)),
        SlaMetLate(timestamp=_DUE, data=_data("met_late", late_seconds=2, **breach)),
        SlaRetracted(timestamp=_DUE, data=_data("retracted", retracted_by="01K9ZB3V6H", **breach)),
        TestPing(timestamp=_DUE, data=TestData(channel="upstream", message="TEST: this is only a test.")),
    )
    return {event.type: event.model_dump(mode="json") for event in events}
