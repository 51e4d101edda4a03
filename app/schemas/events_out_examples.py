"""One example of each event we send, for the API's documentation; a test checks that they fit."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.schemas import context_out as part
from app.schemas import events_out as out
from app.schemas.examples import ULID
from app.schemas.retarget_out import ChangeOut, RetargetOut

_CREATED: Final = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_DUE: Final = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
_TICKET: Final = out.TicketOut(
    id=f"tkt_{ULID}",
    source="acme-zendesk",
    external_id="4711",
    subject="Printer on fire",
    status="open",
    priority="high",
    created_at=_CREATED,
)


def _data(milestone: str, **more: Any) -> out.SlaData:
    clock = out.ClockOut(
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
    why = out.WhyOut(policy="gold", revision=3, calendar="always", milestone=milestone)
    return out.SlaData(
        ticket=_TICKET, clock=clock, why=why, links=out.LinksOut(ticket=f"https://sla.example.com/v1/tickets/tkt_{ULID}"), **more
    )


_SIGNAL: Final = out.SignalOut(
    name="agent_switching", raised_at=_DUE, threshold="more than 3 within 7d", tier="gold",
    evidence=["4 transfers between 5 agents within 7d: Ann, Ben, Cem, Dora, Eve.", "2026-11-21 15:30 UTC: from Dora to Eve."],
    keys=["01K9ZB3V6H"],
)  # fmt: skip


_CONTEXT: Final[dict[str, Any]] = {
    "history": [
        part.HappeningOut(at=_CREATED, who="customer", what="ticket created; asked"),
        part.HappeningOut(at=_CREATED + timedelta(hours=1), who="helpdesk", what="assignee not set → Ann"),
    ],
    "tried": part.TriedOut(replies=0, customer_messages=1, notes=0, transfers=0, reopenings=0),
    "owners": [part.OwnerOut(who="Ann", since=_CREATED + timedelta(hours=1))],
    "upcoming": [part.UpcomingOut(at=_DUE + timedelta(hours=2), what="update cadence is due")],
    "guidance": ["Say what is still missing, and who has to do it.", "Offer a way around until it is solved."],
    "customer_text": "#4711 is taking longer than we promised, and we are sorry. We will tell you by 2026-11-21 16:30 (UTC) how it stands.",
}


def _retargeted() -> out.SlaData:
    """An hour after the creation the priority was raised."""
    changes = [
        ChangeOut(what="priority", before="normal", after="high"),
        ChangeOut(what="target", before="8h", after="6h"),
    ]
    moved = RetargetOut(due_before=_DUE + timedelta(hours=2), due_after=_DUE, changes=changes)
    data = _data("retargeted#4", retargeted=moved)
    ran = {"elapsed_seconds": 3_600, "remaining_seconds": 18_000}
    return data.model_copy(update={"clock": data.clock.model_copy(update=ran)})


def _escalation(state: str, **more: Any) -> out.EscalationData:
    escalation = out.EscalationOut(
        id=f"esc_{ULID}", ladder="wake-somebody", type="hierarchical", cause="breach", state=state, opened_at=_DUE, **more
    )
    about = _data("escalation")
    step = out.StepOut(ladder="wake-somebody", step=2, type="hierarchical", next="head of support in 30 min")
    return out.EscalationData(
        ticket=about.ticket, clock=about.clock, why=about.why, links=about.links, breach_id=f"brc_{ULID}", late_seconds=0,
        escalation=escalation, step=step,
    )  # fmt: skip


def _digest() -> out.DigestData:
    root = "https://sla.example.com/v1"
    item = out.DigestItemOut(
        type="sla.breached", ticket_id=f"tkt_{ULID}", source="acme-zendesk", external_id="4711", subject="Printer on fire", tier="gold",
        metric="resolution", due_at=_DUE, breach_id=f"brc_{ULID}", link=f"{root}/breaches/brc_{ULID}",
    )  # fmt: skip
    return out.DigestData(
        id=f"dlv_{ULID}", channel="support-chat", cause="storm", title="37 breaches: tier gold",
        count=37, counts={"sla.breached": 37}, common={"tier": "gold"},
        items=[item], links=out.DigestLinksOut(all=f"{root}/deliveries?digest=dlv_{ULID}"), truncated=True,
    )  # fmt: skip


def examples() -> dict[str, dict[str, Any]]:
    """By type, the JSON body of one event."""
    breach = {"breach_id": f"brc_{ULID}", "detected_at": _DUE, "cause": "elapsed"}
    escalation = _escalation("active")
    acknowledged = {"acknowledged_at": _DUE, "acknowledged_by": "Jane", "acknowledged_until": _DUE}
    failing = {"channel": "support-chat", "kind": "slack", "since": _CREATED, "failures": 12}
    quiet = {"source": "acme-zendesk", "kind": "zendesk", "last_delivery_at": _CREATED, "usual_gap_seconds": 40}
    events: tuple[out.EventOut, ...] = (
        out.SlaWarning(timestamp=_DUE, data=_data("80%")),
        out.SlaBreached(timestamp=_DUE, data=_data("breach", late_seconds=0, **breach, **_CONTEXT)),
        out.SlaRecovered(timestamp=_DUE, data=_data("recovered", late_seconds=900, **breach)),
        out.SlaMetLate(timestamp=_DUE, data=_data("met_late", late_seconds=2, **breach)),
        out.SlaRetracted(timestamp=_DUE, data=_data("retracted", retracted_by="01K9ZB3V6H", **breach)),
        out.SlaRetargeted(timestamp=_CREATED + timedelta(hours=1), data=_retargeted()),
        out.SlaDigest(timestamp=_DUE, data=_digest()),
        out.EscalationOpened(timestamp=_DUE, data=escalation),
        out.EscalationStep(timestamp=_DUE, data=escalation.model_copy(update=_CONTEXT)),
        out.EscalationAcknowledged(timestamp=_DUE, data=_escalation("acknowledged", **acknowledged)),
        out.EscalationDeescalated(timestamp=_DUE, data=_escalation("resolved", closed_at=_DUE, closed_because="answered")),
        out.EscalationExhausted(timestamp=_DUE, data=_escalation("exhausted", closed_at=_DUE)),
        out.SignalRaised(timestamp=_DUE, data=out.SignalData(ticket=_TICKET, signal=_SIGNAL, escalation_id=f"esc_{ULID}", **_CONTEXT)),
        out.EndpointFailing(timestamp=_DUE, data=out.EndpointData(state="failing", error_class="http_5xx", **failing)),
        out.EndpointDisabled(timestamp=_DUE, data=out.EndpointData(state="disabled", error_class="http_410", held=3, **failing)),
        out.EndpointRecovered(timestamp=_DUE, data=out.EndpointData(state="recovered", **failing)),
        out.SourceSilent(timestamp=_DUE, data=out.SourceData(state="silent", **quiet)),
        out.SourceRecovered(timestamp=_DUE, data=out.SourceData(state="recovered", **quiet)),
        out.TestPing(timestamp=_DUE, data=out.TestData(channel="upstream", message="TEST: this is only a test.")),
    )
    return {event.type: event.model_dump(mode="json", exclude_none=True) for event in events}
