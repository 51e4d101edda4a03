"""What can be listed, declared: columns, filters, sorts of each resource."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, case, func, literal, select
from sqlalchemy.sql.elements import KeyedColumnElement

from app.store.filters import END, During, Filter, Flag, Instants, References, Within, Words
from app.store.lists import Listing, Strands
from app.store.tables import (
    api_keys,
    audit_log,
    breaches,
    clocks,
    config_revisions,
    deliveries,
    escalations,
    events,
    inbox,
    signals,
    silences,
    tickets,
)
from app.store.types import UtcDateTime

Columns = Mapping[str, ColumnElement[Any]]

CLOCK_STATES: Final = ("running", "paused", "stopped", "cancelled")
BREACH_STATES: Final = ("open", "answered", "retracted")
ESCALATION_STATES: Final = ("pending", "active", "snoozed", "acknowledged", "resolved", "exhausted", "cancelled")
DELIVERY_STATES: Final = ("pending", "delivered", "superseded", "expired", "suppressed", "dead", "paused")
OUTCOMES: Final = ("applied", "duplicate", "ignored", "quarantined")


def _columns(table: Any, *names: str) -> dict[str, Column[Any]]:
    return {name: table.c[name] for name in names}


def _sorts(table: Any, *names: str) -> dict[str, KeyedColumnElement[Any]]:
    return {name: table.c[name] for name in names}


def ticket_is(column: ColumnElement[Any], reference: str) -> ColumnElement[bool]:
    """The column holds our id of the ticket that `reference` names: our own id, or `source:external`."""
    source, colon, external = reference.partition(":")
    if not colon:
        return column == reference
    return column == select(tickets.c.id).where(tickets.c.source == source, tickets.c.external_id == external).scalar_subquery()


def _who(table: Any) -> dict[str, Filter]:
    """The filters that tickets, clocks and breaches share."""
    return {
        "tier": Words(table.c.tier, "Tier.", none="none"),
        "policy": Words(table.c.policy, "Policy.", none="none"),
        "source": Words(table.c.source, "Source."),
        "group": Words(table.c.group, "Group.", none="none"),
        "priority": Words(table.c.priority, "Priority.", none="none"),
        "assignee": Words(table.c.assignee, "Assignee.", none="none"),
    }


def _of_ticket(column: ColumnElement[Any]) -> Filter:
    return References(lambda reference: ticket_is(column, reference), "Ticket: our id, or `source:external`.")


_TICKET_REFERENCE: Final[Columns] = {"ticket_id": tickets.c.id, "external_id": tickets.c.external_id, "subject": tickets.c.subject}

TICKETS: Final = Listing(
    name="tickets",
    source=tickets,
    columns=_columns(
        tickets,
        *("id", "source", "external_id", "subject", "url", "status", "priority", "tier", "policy", "group", "assignee", "requester"),
        *("organization", "tags", "created_at", "last_event_at", "stored_at", "deleted", "merged_into", "revision", "version"),
    ),
    filters={
        "status": Words(tickets.c.status, "Status.", none="none"),
        **_who(tickets),
        "deleted": Flag(tickets.c.deleted.is_(True), "Only deleted tickets, or only those that are not."),
        "created_at": Instants(tickets.c.created_at, "Created"),
        "last_event_at": Instants(tickets.c.last_event_at, "Last event"),
    },
    sorts=_sorts(tickets, "last_event_at", "created_at", "id"),
    default_sort="-last_event_at",
    tie=tickets.c.id,
)

EVENTS: Final = Listing(
    name="events",
    source=events,
    columns=_columns(events, "key", "at", "order", "kind", "body", "received_at", "inbox_id"),
    filters={"kind": Words(events.c.kind, "Kind of event."), "at": Instants(events.c.at, "Happened")},
    sorts=_sorts(events, "at", "received_at"),
    default_sort="at",
    tie=events.c.key,
)

STATES_OF_HEALTH: Final[Mapping[str, tuple[str, ...]]] = {
    "on_track": ("running",),
    "at_risk": ("running",),
    "overdue": ("running",),
    "paused": ("paused",),
    "met": ("stopped",),
    "missed": ("stopped", "cancelled"),
    "cancelled": ("cancelled",),
}
"""The states that a clock of this health may be in."""


def _clock_states(key: str, values: Sequence[str]) -> Iterable[str] | None:
    """The states of the clocks that a filter leaves."""
    match key:
        case "state":
            return values
        case "health":
            return [state for health in values for state in STATES_OF_HEALTH[health]]
        case "due_within":
            return ("running",)
        case _:
            return None


CLOCKS: Final = Listing(
    name="clocks",
    source=clocks.join(tickets, tickets.c.id == clocks.c.ticket_id),
    columns={
        "id": clocks.c.id,
        **_TICKET_REFERENCE,
        **_columns(clocks, "source", "metric", "cycle", "state", "health", "started_at", "stopped_at", "due_at", "breached_at"),
        **_columns(clocks, "next_check_at", "target", "target_seconds", "elapsed_seconds", "fired", "policy", "calendar", "revision"),
        **_columns(clocks, "tier", "priority", "group", "assignee", "judged_at"),
    },
    filters={
        "state": Words(clocks.c.state, "State.", CLOCK_STATES),
        "health": Words(clocks.c.health, "Health.", tuple(STATES_OF_HEALTH)),
        "metric": Words(clocks.c.metric, "Metric."),
        **_who(clocks),
        "ticket": _of_ticket(clocks.c.ticket_id),
        "due_within": Within(
            clocks.c.due_at,
            clocks.c.state == "running",
            "Running clocks that are due within this time (`30m`, `1h30m`, `2d`) or overdue already.",
        ),
        "due_at": Instants(clocks.c.due_at, "Due"),
        "started_at": Instants(clocks.c.started_at, "Started"),
    },
    sorts=_sorts(clocks, "due_at", "started_at", "breached_at", "id"),
    default_sort="due_at",
    tie=clocks.c.id,
    strands=Strands(clocks.c.state, "due_at", CLOCK_STATES, _clock_states, single_out=("ticket",)),
)

BREACHES: Final = Listing(
    name="breaches",
    source=breaches.join(tickets, tickets.c.id == breaches.c.ticket_id),
    columns={
        "id": breaches.c.id,
        **_columns(breaches, "clock_id"),
        **_TICKET_REFERENCE,
        **_columns(breaches, "source", "metric", "cycle", "policy", "revision", "tier", "priority", "group", "assignee", "status"),
        **_columns(breaches, "breached_at", "detected_at", "detected_late", "cause", "suppressed", "answered_at", "late_seconds"),
        **_columns(breaches, "retracted_at", "retracted_by", "acknowledged_at", "acknowledged_by", "acknowledge_note"),
        **_columns(breaches, "source_stale"),
    },
    filters={
        "status": Words(breaches.c.status, "Status; open = still unanswered.", BREACH_STATES),
        "acknowledged": Flag(breaches.c.acknowledged_at.is_not(None), "Only acknowledged breaches, or only those that are not."),
        "metric": Words(breaches.c.metric, "Metric."),
        **_who(breaches),
        "ticket": _of_ticket(breaches.c.ticket_id),
        "breached_at": Instants(breaches.c.breached_at, "Breached"),
        "detected_at": Instants(breaches.c.detected_at, "Detected"),
    },
    sorts=_sorts(breaches, "breached_at", "detected_at", "id"),
    default_sort="-breached_at",
    tie=breaches.c.id,
)

ESCALATIONS: Final = Listing(
    name="escalations",
    source=escalations.join(tickets, tickets.c.id == escalations.c.ticket_id),
    columns={
        "id": escalations.c.id,
        **_TICKET_REFERENCE,
        **_columns(escalations, "clock_id", "breach_id", "cause", "type", "ladder", "target", "signal", "reason", "state", "step", "steps"),
        **_columns(escalations, "loop", "paused", "next_step_at", "waits_until", "opened_at", "opened_by", "acknowledged_at"),
        **_columns(escalations, "acknowledged_by", "acknowledge_seconds", "exhausted_at", "closed_at", "closed_because"),
        **_columns(escalations, "resolve_seconds", "owner", "policy", "revision", "source", "tier", "priority", "group", "assignee"),
        **_columns(escalations, "premature"),
    },
    filters={
        "premature": Flag(escalations.c.premature, "Only those opened by hand early, without any signal, or only the others."),
        "state": Words(escalations.c.state, "State.", ESCALATION_STATES),
        "open": Flag(escalations.c.closed_at.is_(None), "Only those whose cause lasts, or only those that are closed."),
        "acknowledged": Flag(escalations.c.acknowledged_at.is_not(None), "Only those that somebody acknowledged, or only the others."),
        "cause": Words(escalations.c.cause, "What opened it.", ("breach", "warning", "signal", "manual")),
        "type": Words(escalations.c.type, "Type.", ("automatic", "functional", "hierarchical")),
        "ladder": Words(escalations.c.ladder, "Ladder.", none="none"),
        "owner": Words(escalations.c.owner, "Whom it was given to.", none="none"),
        **_who(escalations),
        "ticket": _of_ticket(escalations.c.ticket_id),
        "breach": Words(escalations.c.breach_id, "Id of the breach."),
        "opened_at": Instants(escalations.c.opened_at, "Opened"),
        "closed_at": Instants(escalations.c.closed_at, "Closed"),
    },
    sorts=_sorts(escalations, "opened_at", "next_step_at", "closed_at", "id"),
    default_sort="-opened_at",
    tie=escalations.c.id,
)

DELIVERIES: Final = Listing(
    name="deliveries",
    source=deliveries,
    columns=_columns(
        deliveries,
        *("id", "notice_id", "channel", "type", "ticket_id", "clock_id", "breach_id", "state", "attempts", "next_attempt_at"),
        *("error_class", "detail", "created_at", "delivered_at", "expires_at"),
    ),
    filters={
        "state": Words(deliveries.c.state, "State.", DELIVERY_STATES),
        "channel": Words(deliveries.c.channel, "Channel."),
        "type": Words(deliveries.c.type, "Type of event, such as `sla.breached`."),
        "ticket": _of_ticket(deliveries.c.ticket_id),
        "breach": Words(deliveries.c.breach_id, "Id of the breach."),
        "silence": Words(deliveries.c.silence_id, "Id of the silence that suppressed it."),
        "digest": Words(deliveries.c.waits_for, "Id of the digest's delivery that stands for it."),
        "created_at": Instants(deliveries.c.created_at, "Created"),
    },
    sorts=_sorts(deliveries, "id", "created_at", "next_attempt_at"),
    default_sort="-id",
    tie=deliveries.c.id,
)

_SIGNAL_ENDS: Final = case(
    (signals.c.status == "withdrawn", signals.c.raised_at), else_=func.coalesce(signals.c.ended_at, literal(END, UtcDateTime))
)
"""When the behaviour ended or will end; of what was withdrawn, when it seemed to begin."""

SIGNALS: Final = Listing(
    name="signals",
    source=signals.join(tickets, tickets.c.id == signals.c.ticket_id),
    columns={
        "id": signals.c.id,
        **_TICKET_REFERENCE,
        **_columns(signals, "source", "name", "status", "raised_at", "held_since", "ended_at", "detected_at", "withdrawn_at"),
        **_columns(signals, "tier", "threshold", "evidence", "suppressed", "escalation_id", "revision"),
    },
    filters={
        "name": Words(signals.c.name, "Name, such as `agent_switching`."),
        "status": Words(signals.c.status, "Status; withdrawn = it never was, as is known now.", ("raised", "withdrawn")),
        "stands": During(signals.c.raised_at, _SIGNAL_ENDS, "Only those whose behaviour lasts, or only the others."),
        "told": Flag(signals.c.suppressed.is_(None), "Only those that were told, or only those that nobody was told of."),
        "escalated": Flag(signals.c.escalation_id.is_not(None), "Only those that opened an escalation, or only the others."),
        "tier": Words(signals.c.tier, "Tier.", none="none"),
        "source": Words(signals.c.source, "Source."),
        "ticket": _of_ticket(signals.c.ticket_id),
        "escalation": Words(signals.c.escalation_id, "Id of the escalation it opened."),
        "raised_at": Instants(signals.c.raised_at, "Raised"),
        "detected_at": Instants(signals.c.detected_at, "Detected"),
    },
    sorts=_sorts(signals, "raised_at", "detected_at", "id"),
    default_sort="-raised_at",
    tie=signals.c.id,
)

SILENCES: Final = Listing(
    name="silences",
    source=silences,
    columns=_columns(
        silences,
        *("id", "match", "channels", "weekly", "reason", "author", "created_at", "starts_at", "ends_at", "ended_at", "ended_by"),
        "over_at",
    ),
    filters={
        "active": During(silences.c.starts_at, silences.c.over_at, "Only those that have begun and are not over, or only the others."),
        "author": Words(silences.c.author, "Who made it."),
        "starts_at": Instants(silences.c.starts_at, "Begins"),
        "ends_at": Instants(silences.c.over_at, "Is over"),
    },
    sorts=_sorts(silences, "id", "starts_at"),
    default_sort="-id",
    tie=silences.c.id,
)

INBOX: Final = Listing(
    name="inbox",
    source=inbox,
    columns=_columns(
        inbox, "id", "source", "via", "delivery_id", "received_at", "method", "url", "outcome", "reason", "tickets", "replayed_at"
    ),
    filters={
        "outcome": Words(inbox.c.outcome, "What became of it.", OUTCOMES),
        "source": Words(inbox.c.source, "Source."),
        "via": Words(inbox.c.via, "The way it came; poll and import: fetched by ourselves.", ("webhook", "events", "poll", "import")),
        "received_at": Instants(inbox.c.received_at, "Received"),
        "replayed": Flag(inbox.c.replayed_at.is_not(None), "Only messages that were replayed, or only those that were not."),
    },
    sorts=_sorts(inbox, "id", "received_at"),
    default_sort="-id",
    tie=inbox.c.id,
)

KEYS: Final = Listing(
    name="keys",
    source=api_keys,
    columns=_columns(api_keys, "id", "name", "scope", "hint", "created_at", "expires_at", "last_used_at", "revoked_at"),
    filters={
        "scope": Words(api_keys.c.scope, "Scope.", ("ingest", "read", "operate", "admin")),
        "revoked": Flag(api_keys.c.revoked_at.is_not(None), "Only revoked keys, or only those that are not."),
    },
    sorts=_sorts(api_keys, "id", "last_used_at"),
    default_sort="-id",
    tie=api_keys.c.id,
)

AUDIT: Final = Listing(
    name="audit",
    source=audit_log,
    columns=_columns(audit_log, "id", "at", "actor", "action", "subject", "detail"),
    filters={
        "actor": Words(audit_log.c.actor, "Who did it."),
        "action": Words(audit_log.c.action, "What was done, such as `breach.acknowledged`."),
        "subject": Words(audit_log.c.subject, "To what it was done."),
        "at": Instants(audit_log.c.at, "Done"),
    },
    sorts=_sorts(audit_log, "id", "at"),
    default_sort="-id",
    tie=audit_log.c.id,
)

REVISIONS: Final = Listing(
    name="revisions",
    source=config_revisions,
    columns=_columns(config_revisions, "number", "etag", "author", "note", "created_at"),
    filters={"author": Words(config_revisions.c.author, "Who stored it."), "created_at": Instants(config_revisions.c.created_at, "Stored")},
    sorts=_sorts(config_revisions, "number"),
    default_sort="-number",
    tie=config_revisions.c.number,
)
