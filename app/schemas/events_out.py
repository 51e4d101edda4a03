"""The events we send. One model per type feeds the signed body, the OpenAPI `webhooks` section and the docs.

The body is `{"type": "sla.breached", "timestamp": "...", "data": {...}}` (Standard Webhooks 1.0). Instants are RFC 3339 UTC with `Z`
and milliseconds, durations are integer seconds. Fields are only ever added.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.schemas.context_out import ContextOut
from app.schemas.context_out import Instant as Instant
from app.schemas.context_out import Out as _Out
from app.schemas.context_out import SignalOut as SignalOut
from app.schemas.context_out import rfc3339 as rfc3339
from app.schemas.retarget_out import RetargetOut


class TicketOut(_Out):
    """The ticket as it was when the event was made."""

    id: str
    source: str
    external_id: str
    subject: str | None = None
    url: str | None = None
    status: str | None = None
    priority: str | None = None
    tier: str | None = None
    group: str | None = None
    assignee: str | None = None
    requester: str | None = None
    organization: str | None = None
    tags: list[str] = Field(default_factory=list)
    created_at: Instant | None = None


class ClockOut(_Out):
    """The clock as it was when the event was made. Seconds are open time of the policy's calendar; remaining may be negative."""

    id: str
    metric: str
    cycle: int
    state: Literal["running", "paused", "stopped", "cancelled"]
    started_at: Instant
    target_seconds: int | None = Field(default=None, description="None for a target in business days.")
    target: str
    elapsed_seconds: int
    remaining_seconds: int | None = None
    due_at: Instant | None = Field(default=None, description="Absent: it is not due by itself, such as while it is paused.")
    breached_at: Instant | None = None
    stopped_at: Instant | None = None


class WhyOut(_Out):
    """By which rule."""

    policy: str
    revision: int
    calendar: str
    milestone: str


class StepOut(_Out):
    """The rung of the ladder that spoke; absent when the channel hears the event by itself."""

    ladder: str
    step: int
    type: str | None = None
    next: str | None = None


class LinksOut(_Out):
    """Where to look further; absolute when the service's public URL is set, else absent."""

    ticket: str | None = None
    explain: str | None = None
    breach: str | None = None
    escalation: str | None = None
    acknowledge: str | None = Field(default=None, description="A page with a button; single use, expiring. Opening it changes nothing.")


class EscalationOut(_Out):
    """One run of a ladder, or an escalation somebody opened by hand, as it was when the event was made."""

    id: str
    ladder: str | None = Field(default=None, description="None: opened by hand, without a ladder.")
    type: str = Field(default="automatic", description="automatic, functional or hierarchical.")
    cause: str = Field(description="breach, warning, signal or manual.")
    state: str = Field(description="pending, active, snoozed, acknowledged, resolved, exhausted, cancelled.")
    opened_at: Instant
    opened_by: str | None = Field(default=None, description="Who opened it; None: the service.")
    reason: str | None = None
    premature: bool | None = Field(default=None, description="True: by hand, before half of any target was used up and without any signal.")
    acknowledged_at: Instant | None = None
    acknowledged_by: str | None = None
    acknowledged_until: Instant | None = Field(default=None, description="The ladder goes on then, unless it is renewed.")
    closed_at: Instant | None = None
    closed_because: str | None = Field(default=None, description="answered, solved, retracted, by hand, ...")


class SlaData(ContextOut):
    """The context bundle of every `sla.*` event."""

    ticket: TicketOut
    clock: ClockOut
    why: WhyOut
    breach_id: str | None = None
    late_seconds: int | None = Field(default=None, description="Open time past due; None when not past due.")
    detected_at: Instant | None = None
    cause: str | None = Field(default=None, description="Why the breach came when it did: elapsed, retargeted.")
    retracted_by: str | None = Field(default=None, description="The key of the event that proved the promise was kept.")
    source_stale: bool | None = Field(default=None, description="True: the helpdesk is silent, what was done there may not be known.")
    retargeted: RetargetOut | None = Field(default=None, description="Of `sla.retargeted`: when it was due before, and what has changed.")
    step: StepOut | None = None
    links: LinksOut = LinksOut()


class EscalationData(ContextOut):
    """The context bundle of every `escalation.*` event. `clock`, `why` and `breach_id` are absent when no clock is its cause."""

    ticket: TicketOut
    escalation: EscalationOut
    clock: ClockOut | None = None
    why: WhyOut | None = None
    breach_id: str | None = None
    late_seconds: int | None = Field(default=None, description="Open time past due; None when not past due.")
    step: StepOut | None = None
    signal: SignalOut | None = None
    links: LinksOut = LinksOut()


class SignalData(ContextOut):
    """What `signal.raised` tells."""

    ticket: TicketOut
    signal: SignalOut
    escalation_id: str | None = Field(default=None, description="The escalation it opened; None: it opened none.")
    links: LinksOut = LinksOut()


class EndpointData(_Out):
    """What `endpoint.*` tells: a channel that does not accept what it is sent."""

    channel: str
    kind: str
    state: Literal["failing", "disabled", "recovered"]
    since: Instant = Field(description="When the failures began.")
    failures: int = Field(description="Attempts that failed since then.")
    error_class: str | None = None
    detail: str | None = None
    held: int = Field(default=0, description="Deliveries held back until it is recovered.")


class SourceData(_Out):
    """What `source.*` tells: a helpdesk that has stopped (or begun again) to send webhooks."""

    source: str
    kind: str
    state: Literal["silent", "recovered"]
    last_delivery_at: Instant | None = Field(default=None, description="Absent: it never has sent one.")
    usual_gap_seconds: int | None = Field(default=None, description="What is usual between two of its webhooks; None: not known.")


class DigestItemOut(_Out):
    """One notice that a digest stands for."""

    type: str = Field(description="Such as `sla.breached`.")
    ticket_id: str
    source: str
    external_id: str
    subject: str | None = None
    tier: str | None = None
    metric: str | None = None
    due_at: Instant | None = None
    breach_id: str | None = None
    link: str | None = Field(default=None, description="Of the breach, or of the ticket; absent without a public URL.")


class SilenceOut(_Out):
    """The silence that is over, or one of its windows."""

    id: str
    author: str
    reason: str


class DigestLinksOut(_Out):
    """Where all of it is listed; absent when the service's public URL is not set."""

    all: str | None = None


class DigestData(_Out):
    """What `sla.digest` tells: many notices in one, to the one channel that would have heard them."""

    id: str = Field(description="Of the delivery that carries it: `GET /v1/deliveries?digest=` lists what it stands for.")
    channel: str
    cause: Literal["storm", "silence"] = Field(description="storm: too many at once; silence: one is over, and this is still broken.")
    title: str = Field(description="Such as `37 breaches: tier gold, group EU`.")
    count: int = Field(description="How many notices it stands for; of a silence: how many breaches.")
    counts: dict[str, int] = Field(description="How many of each type.")
    common: dict[str, str] = Field(
        default_factory=dict, description="What all their tickets have in common: source, tier, group, priority, policy."
    )
    silence: SilenceOut | None = None
    items: list[DigestItemOut] = Field(default_factory=list, description="The oldest first; as many as there is room for.")
    links: DigestLinksOut = DigestLinksOut()
    truncated: bool = False


class _Event(_Out):
    timestamp: Instant = Field(description="When the fact became true: the deadline for a breach, not when it was noticed.")


class SlaWarning(_Event):
    """A running clock has reached a warning."""

    type: Literal["sla.warning"] = "sla.warning"
    data: SlaData


class SlaBreached(_Event):
    """A promise was broken; dated by its deadline."""

    type: Literal["sla.breached"] = "sla.breached"
    data: SlaData


class SlaRecovered(_Event):
    """A breached clock was answered: the all-clear, sent to those who were told of the breach."""

    type: Literal["sla.recovered"] = "sla.recovered"
    data: SlaData


class SlaMetLate(_Event):
    """A promise was kept late, and the breach had not been told yet when that became known."""

    type: Literal["sla.met_late"] = "sla.met_late"
    data: SlaData


class SlaRetracted(_Event):
    """A breach that was told turned out not to be one: an event that arrived late proved the promise was kept."""

    type: Literal["sla.retracted"] = "sla.retracted"
    data: SlaData


class SlaRetargeted(_Event):
    """A running clock was given another due instant because what is promised has changed: document, tier, policy or priority."""

    type: Literal["sla.retargeted"] = "sla.retargeted"
    data: SlaData


class SlaDigest(_Event):
    """Many notices in one: too many came at once, or a silence is over and this is still broken."""

    type: Literal["sla.digest"] = "sla.digest"
    data: DigestData


class EscalationOpened(_Event):
    """A ladder has begun to run, or somebody has opened an escalation by hand."""

    type: Literal["escalation.opened"] = "escalation.opened"
    data: EscalationData


class EscalationStep(_Event):
    """A rung of the ladder was reached: whoever it names is told."""

    type: Literal["escalation.step"] = "escalation.step"
    data: EscalationData


class EscalationAcknowledged(_Event):
    """Somebody takes care: the ladder waits, the SLA clock does not."""

    type: Literal["escalation.acknowledged"] = "escalation.acknowledged"
    data: EscalationData


class EscalationDeescalated(_Event):
    """The cause is gone: the all-clear, to those whom the ladder had told."""

    type: Literal["escalation.deescalated"] = "escalation.deescalated"
    data: EscalationData


class EscalationExhausted(_Event):
    """The last rung was passed and nobody has acted."""

    type: Literal["escalation.exhausted"] = "escalation.exhausted"
    data: EscalationData


class SignalRaised(_Event):
    """A ticket's behaviour is alarming in itself."""

    type: Literal["signal.raised"] = "signal.raised"
    data: SignalData


class EndpointFailing(_Event):
    """A channel has accepted nothing for hours; it is still tried."""

    type: Literal["endpoint.failing"] = "endpoint.failing"
    data: EndpointData


class EndpointDisabled(_Event):
    """A channel was switched off; what is meant for it is held."""

    type: Literal["endpoint.disabled"] = "endpoint.disabled"
    data: EndpointData


class EndpointRecovered(_Event):
    """A channel that failed accepts again, or was switched on again."""

    type: Literal["endpoint.recovered"] = "endpoint.recovered"
    data: EndpointData


class SourceSilent(_Event):
    """A helpdesk has sent no webhook for much longer than usual: what happens there is not known here."""

    type: Literal["source.silent"] = "source.silent"
    data: SourceData


class SourceRecovered(_Event):
    """A helpdesk that was silent sends webhooks again."""

    type: Literal["source.recovered"] = "source.recovered"
    data: SourceData


class TestData(_Out):
    __test__ = False
    channel: str
    message: str


class TestPing(_Event):
    """A test somebody asked for."""

    __test__ = False
    type: Literal["test.ping"] = "test.ping"
    data: TestData


EventOut = (
    SlaWarning
    | SlaBreached
    | SlaRecovered
    | SlaMetLate
    | SlaRetracted
    | SlaRetargeted
    | SlaDigest
    | EscalationOpened
    | EscalationStep
    | EscalationAcknowledged
    | EscalationDeescalated
    | EscalationExhausted
    | SignalRaised
    | EndpointFailing
    | EndpointDisabled
    | EndpointRecovered
    | SourceSilent
    | SourceRecovered
    | TestPing
)


def event_types() -> dict[str, type[BaseModel]]:
    """Every event we send, by type."""
    models: tuple[Any, ...] = EventOut.__args__
    return {model.model_fields["type"].default: model for model in models}
