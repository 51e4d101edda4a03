"""Tickets and what is known, promised, broken and said of them; keys, the log and the document's revisions."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from app.store.tables._base import EXTERNAL, ID, NAME, metadata
from app.store.types import JsonBytes, UtcDateTime


def _where_present(name: str, present: Column[Any], *columns: Column[Any]) -> None:
    """An index over the rows in which `present` is not null: on `columns`, or on that column itself."""
    where = present.is_not(None)
    Index(name, *(columns or (present,)), postgresql_where=where, sqlite_where=where)


config_revisions = Table(
    "config_revisions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("author", NAME, nullable=False),
    Column("note", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("judges_as", Integer, comment="The first revision of those in a row that promise the same"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("source", NAME, nullable=False),
    Column("via", String(20), nullable=False, comment="webhook or events"),
    Column("delivery_id", EXTERNAL, comment="The vendor's own id of the delivery; null when it has none"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("method", String(10), nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", JsonBytes, nullable=False, comment="Without credentials and signatures"),
    Column("body", LargeBinary, comment="Raw bytes; null for duplicates"),
    Column("outcome", String(20), nullable=False, comment="applied, duplicate, ignored, quarantined"),
    Column("reason", Text),
    Column("tickets", JsonBytes, nullable=False, comment="Our ids of the tickets it touched"),
    Column("replayed_at", UtcDateTime),
)
Index("ix_inbox_outcome_id", inbox.c.outcome, inbox.c.id)
Index("ix_inbox_source_id", inbox.c.source, inbox.c.id)

tickets = Table(
    "tickets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("source", NAME, nullable=False),
    Column("external_id", EXTERNAL, nullable=False),
    Column("subject", Text),
    Column("url", Text),
    Column("status", NAME),
    Column("priority", NAME),
    Column("tier", NAME),
    Column("policy", NAME, comment="Null = no policy matches"),
    Column("group", NAME),
    Column("assignee", NAME),
    Column("requester", EXTERNAL),
    Column("organization", EXTERNAL),
    Column("category", EXTERNAL),
    Column("tags", JsonBytes),
    Column("created_at", UtcDateTime),
    Column("last_event_at", UtcDateTime),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
    Column("merged_into", EXTERNAL),
    Column("timeline", JsonBytes, nullable=False, comment="The compact timeline: facts, messages and actors in order"),
    Column("revision", Integer, nullable=False, comment="Revision of the document by which it was last judged"),
    Column("rejudge_at", UtcDateTime, comment="When a tier changes by date alone; null = never"),
    Column("version", Integer, nullable=False, comment="Counts changes; the ETag of the ticket"),
    UniqueConstraint("source", "external_id"),
)
Index("ix_tickets_last_event_at_id", tickets.c.last_event_at, tickets.c.id)
Index("ix_tickets_revision_id", tickets.c.revision, tickets.c.id)
Index(
    "ix_tickets_rejudge_at",
    tickets.c.rejudge_at,
    postgresql_where=tickets.c.rejudge_at.is_not(None),
    sqlite_where=tickets.c.rejudge_at.is_not(None),
)

_where_present("ix_tickets_source_requester_created_at", tickets.c.requester, tickets.c.source, tickets.c.requester, tickets.c.created_at)
_where_present(
    "ix_tickets_source_organization_created_at", tickets.c.organization, tickets.c.source, tickets.c.organization, tickets.c.created_at
)

events = Table(
    "events",
    metadata,
    Column("ticket_id", ID, ForeignKey("tickets.id"), primary_key=True),
    Column("key", String(500), primary_key=True, comment="Identity within the source and ticket"),
    Column("at", UtcDateTime, nullable=False),
    Column("order", BigInteger),
    Column("kind", String(40), nullable=False),
    Column("body", JsonBytes, nullable=False, comment="set, message, actor, echo"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("inbox_id", ID, nullable=False),
)

clocks = Table(
    "clocks",
    metadata,
    Column("id", ID, primary_key=True),
    Column("ticket_id", ID, ForeignKey("tickets.id"), nullable=False),
    Column("metric", NAME, nullable=False),
    Column("cycle", Integer, nullable=False, comment="From 1, by time; unique by the ticket's lock: a late event may renumber"),
    Column("state", String(20), nullable=False, comment="running, paused, stopped, cancelled"),
    Column("health", String(20), nullable=False, comment="on_track, at_risk, overdue, paused, met, missed, cancelled"),
    Column("started_at", UtcDateTime, nullable=False, comment="The anchor"),
    Column("stopped_at", UtcDateTime),
    Column("due_at", UtcDateTime, comment="Null while paused or cancelled"),
    Column("breached_at", UtcDateTime, comment="The due instant at which the promise broke; null = it has not"),
    Column("next_check_at", UtcDateTime, comment="The next instant at which it has something to say; null = never by itself"),
    Column("target", String(60), nullable=False, comment="As promised: 4h, 2bd"),
    Column("target_seconds", BigInteger, comment="Null for business days"),
    Column("elapsed_seconds", BigInteger, nullable=False, comment="Open seconds consumed, as of judged_at or the stop"),
    Column("fired", JsonBytes, nullable=False, comment="Names of milestones that have fired"),
    Column("policy", NAME, nullable=False),
    Column("calendar", NAME, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("source", NAME, nullable=False),
    Column("tier", NAME),
    Column("priority", NAME),
    Column("group", NAME),
    Column("assignee", NAME),
    Column("generation", Integer, nullable=False, comment="Raised when a breach is retracted: what is said after that is said anew"),
    Column("failures", Integer, nullable=False, default=0, comment="How often judging it failed in a row"),
    Column("judged_at", UtcDateTime, nullable=False),
    CheckConstraint("state in ('running', 'paused', 'stopped', 'cancelled')", name="state"),
)
Index("ix_clocks_ticket_id_metric_cycle", clocks.c.ticket_id, clocks.c.metric, clocks.c.cycle)
Index(
    "ix_clocks_next_check_at",
    clocks.c.next_check_at,
    clocks.c.ticket_id,
    postgresql_where=clocks.c.next_check_at.is_not(None),
    sqlite_where=clocks.c.next_check_at.is_not(None),
)
# One index for every list in the order of what is due: a walk along it reads what is filtered here, and of the table only what it finds.
# A row of it holds at most 2,700 bytes on PostgreSQL, so that no more long names fit in.
Index(
    "ix_clocks_lists",
    *(clocks.c[name] for name in ("state", "due_at", "id", "priority", "tier", "assignee", "health")),
)

breaches = Table(
    "breaches",
    metadata,
    Column("id", ID, primary_key=True),
    Column("clock_id", ID, ForeignKey("clocks.id"), nullable=False),
    Column("ticket_id", ID, ForeignKey("tickets.id"), nullable=False),
    Column("metric", NAME, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("policy", NAME, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("source", NAME, nullable=False),
    Column("tier", NAME),
    Column("priority", NAME),
    Column("group", NAME),
    Column("assignee", NAME),
    Column("status", String(20), nullable=False, comment="open = still unanswered; answered; retracted"),
    Column("breached_at", UtcDateTime, nullable=False, comment="The deadline"),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("detected_late", Boolean, nullable=False, comment="Learned from a late event or after downtime"),
    Column("cause", String(20), nullable=False, comment="elapsed or retargeted"),
    Column("suppressed", String(60), comment="Why nobody was told; null = told"),
    Column("answered_at", UtcDateTime),
    Column("late_seconds", BigInteger, comment="Open seconds past due at the answer; null while open"),
    Column("retracted_at", UtcDateTime),
    Column("retracted_by", String(500), comment="Key of the event that proved the promise was kept"),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", NAME),
    Column("acknowledge_note", Text),
    Column("evidence", JsonBytes, nullable=False, comment="The clock as judged when the breach was recorded"),
    Column(
        "source_stale",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Recorded while its source was silent: what was done there may not be known",
    ),
    UniqueConstraint("clock_id"),
    CheckConstraint("status in ('open', 'answered', 'retracted')", name="status"),
)
Index("ix_breaches_breached_at_id", breaches.c.breached_at, breaches.c.id)
Index("ix_breaches_status_breached_at_id", breaches.c.status, breaches.c.breached_at, breaches.c.id)
Index("ix_breaches_ticket_id", breaches.c.ticket_id)

notices = Table(
    "notices",
    metadata,
    Column("id", ID, primary_key=True, comment="The webhook-id"),
    Column("type", String(60), nullable=False),
    Column("ticket_id", ID),
    Column("clock_id", ID),
    Column("breach_id", ID),
    Column("escalation_id", ID),
    Column("milestone", String(60), nullable=False),
    Column("body", LargeBinary, nullable=False, comment="The exact bytes that are signed"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, comment="Not worth saying after this; null = always worth"),
)
Index("ix_notices_clock_id", notices.c.clock_id)
Index("ix_notices_ticket_id", notices.c.ticket_id)
_where_present("ix_notices_escalation_id", notices.c.escalation_id)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("notice_id", ID, ForeignKey("notices.id"), nullable=False),
    Column("channel", NAME, nullable=False),
    Column("effect", String(400), nullable=False, comment="clock, milestone, channel, generation: said once"),
    Column("type", String(60), nullable=False),
    Column("ticket_id", ID),
    Column("clock_id", ID),
    Column("breach_id", ID),
    Column("escalation_id", ID),
    Column("state", String(20), nullable=False, comment="pending, delivered, superseded, expired, suppressed, dead, paused"),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime, comment="Null unless pending"),
    Column("leased_until", UtcDateTime),
    Column("fence", Integer, nullable=False, comment="Raised by each claim; a completion under an older one is refused"),
    Column("error_class", String(40)),
    Column("detail", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("delivered_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("lane", Integer, nullable=False, server_default=text("0"), comment="0 live, 1 replayed: goes after the live ones"),
    Column(
        "withdrawn",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Taken back while on its way: superseded unless that attempt was accepted",
    ),
    Column("waits_for", ID, comment="The delivery whose end decides about this one"),
    Column("waits_if", String(20), comment="The end that lets this one go: delivered, superseded"),
    Column(
        "earlier_attempts",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="Made before it was last revived: the schedule counts from there",
    ),
    Column("fallback_at", UtcDateTime, comment="When the fallback channel is told unless this one has accepted"),
    Column("immediate", Boolean, nullable=False, server_default=false(), comment="Heeds neither quiet hours nor grouping"),
    Column(
        "grouping",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="0 not looked at, 1 goes by itself, 2 waits to be folded into a digest",
    ),
    Column("silence_id", ID, comment="The silence that suppressed it"),
    UniqueConstraint("effect"),
    CheckConstraint("state in ('pending', 'delivered', 'superseded', 'expired', 'suppressed', 'dead', 'paused')", name="state"),
)
_where_present(
    "ix_deliveries_channel_lane_next_attempt_at", deliveries.c.next_attempt_at, deliveries.c.channel, deliveries.c.lane,
    deliveries.c.next_attempt_at,
)  # fmt: skip
_where_present("ix_deliveries_ticket_id", deliveries.c.next_attempt_at, deliveries.c.ticket_id)
_where_present("ix_deliveries_escalation_id", deliveries.c.escalation_id)
_where_present("ix_deliveries_waits_for", deliveries.c.waits_for)
_where_present("ix_deliveries_fallback_at", deliveries.c.fallback_at)
_where_present("ix_deliveries_silence_id", deliveries.c.silence_id)
_where_present("ix_deliveries_state_expires_at", deliveries.c.expires_at, deliveries.c.state, deliveries.c.expires_at)
Index("ix_deliveries_state_id", deliveries.c.state, deliveries.c.id)
Index("ix_deliveries_notice_id", deliveries.c.notice_id)
Index("ix_deliveries_breach_id", deliveries.c.breach_id)
Index("ix_deliveries_clock_id", deliveries.c.clock_id)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", ID, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("method", String(10), nullable=False),
    Column("url", Text, nullable=False, comment="Redacted"),
    Column("status", Integer),
    Column("error_class", String(40), nullable=False, comment="ok or what went wrong"),
    Column("detail", Text),
    Column("timing", JsonBytes, nullable=False, comment="dns, connect, tls, first byte, total: milliseconds"),
    Column("answer", LargeBinary, comment="At most 8 KiB"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("scope", String(20), nullable=False, comment="ingest, read, operate, admin"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the key, hexadecimal"),
    Column("hint", String(20), nullable=False, comment="The first characters, for people"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("digest"),
    CheckConstraint("scope in ('ingest', 'read', 'operate', 'admin')", name="scope"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("detail", JsonBytes, nullable=False),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", NAME, primary_key=True),
    Column("scheduled_for", UtcDateTime, primary_key=True),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("detail", JsonBytes),
)
