"""The first schema: every table that the first release works with.

Instants are integer microseconds since 1970 in UTC, JSON that is only ever read whole is bytes: alike on both databases.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "20261121_01"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    create_config_revisions()
    create_inbox()
    create_tickets()
    create_events()
    create_clocks()
    create_breaches()
    create_notices()
    create_deliveries()
    create_attempts()
    create_api_keys()
    create_audit_log()
    create_job_runs()


def downgrade() -> None:
    op.drop_table("job_runs")
    op.drop_table("audit_log")
    op.drop_table("api_keys")
    op.drop_table("attempts")
    op.drop_table("deliveries")
    op.drop_table("notices")
    op.drop_table("breaches")
    op.drop_table("clocks")
    op.drop_table("events")
    op.drop_table("tickets")
    op.drop_table("inbox")
    op.drop_table("config_revisions")


def create_config_revisions() -> None:
    op.create_table(
        "config_revisions",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(64), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_config_revisions")),
    )


def create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("via", sa.String(20), nullable=False, comment="webhook or events"),
        sa.Column("delivery_id", sa.String(300), comment="The vendor's own id of the delivery; null when it has none"),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False, comment="Without credentials and signatures"),
        sa.Column("body", sa.LargeBinary(), comment="Raw bytes; null for duplicates"),
        sa.Column("outcome", sa.String(20), nullable=False, comment="applied, duplicate, ignored, quarantined"),
        sa.Column("reason", sa.Text()),
        sa.Column("tickets", sa.LargeBinary(), nullable=False, comment="Our ids of the tickets it touched"),
        sa.Column("replayed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
    )
    op.create_index("ix_inbox_outcome_id", "inbox", ["outcome", "id"])
    op.create_index("ix_inbox_source_id", "inbox", ["source", "id"])


def create_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("external_id", sa.String(300), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("status", sa.String(200)),
        sa.Column("priority", sa.String(200)),
        sa.Column("tier", sa.String(200)),
        sa.Column("policy", sa.String(200), comment="Null = no policy matches"),
        sa.Column("group", sa.String(200)),
        sa.Column("assignee", sa.String(200)),
        sa.Column("requester", sa.String(300)),
        sa.Column("organization", sa.String(300)),
        sa.Column("tags", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger()),
        sa.Column("last_event_at", sa.BigInteger()),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.String(300)),
        sa.Column("timeline", sa.LargeBinary(), nullable=False, comment="The compact timeline: facts, messages and actors in order"),
        sa.Column("revision", sa.Integer(), nullable=False, comment="Revision of the document by which it was last judged"),
        sa.Column("rejudge_at", sa.BigInteger(), comment="When a tier changes by date alone; null = never"),
        sa.Column("version", sa.Integer(), nullable=False, comment="Counts changes; the ETag of the ticket"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_tickets_source_external_id")),
    )
    op.create_index("ix_tickets_last_event_at_id", "tickets", ["last_event_at", "id"])
    op.create_index("ix_tickets_revision_id", "tickets", ["revision", "id"])


def create_events() -> None:
    op.create_table(
        "events",
        sa.Column("ticket_id", sa.String(40), nullable=False),
        sa.Column("key", sa.String(500), nullable=False, comment="Identity within the source and ticket"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("order", sa.BigInteger()),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="set, message, actor, echo"),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("inbox_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_events_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "key", name=op.f("pk_events")),
    )


def create_clocks() -> None:
    op.create_table(
        "clocks",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("ticket_id", sa.String(40), nullable=False),
        sa.Column("metric", sa.String(200), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False, comment="From 1, by time; unique by the ticket's lock: a late event may renumber"),
        sa.Column("state", sa.String(20), nullable=False, comment="running, paused, stopped, cancelled"),
        sa.Column("health", sa.String(20), nullable=False, comment="on_track, at_risk, overdue, paused, met, missed, cancelled"),
        sa.Column("started_at", sa.BigInteger(), nullable=False, comment="The anchor"),
        sa.Column("stopped_at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger(), comment="Null while paused or cancelled"),
        sa.Column("breached_at", sa.BigInteger(), comment="The due instant at which the promise broke; null = it has not"),
        sa.Column("next_check_at", sa.BigInteger(), comment="The next instant at which it has something to say; null = never by itself"),
        sa.Column("target", sa.String(60), nullable=False, comment="As promised: 4h, 2bd"),
        sa.Column("target_seconds", sa.BigInteger(), comment="Null for business days"),
        sa.Column("elapsed_seconds", sa.BigInteger(), nullable=False, comment="Open seconds consumed, as of judged_at or the stop"),
        sa.Column("fired", sa.LargeBinary(), nullable=False, comment="Names of milestones that have fired"),
        sa.Column("policy", sa.String(200), nullable=False),
        sa.Column("calendar", sa.String(200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("tier", sa.String(200)),
        sa.Column("priority", sa.String(200)),
        sa.Column("group", sa.String(200)),
        sa.Column("assignee", sa.String(200)),
        sa.Column(
            "generation", sa.Integer(), nullable=False, comment="Raised when a breach is retracted: what is said after that is said anew"
        ),
        sa.Column("failures", sa.Integer(), nullable=False, comment="How often judging it failed in a row"),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('running', 'paused', 'stopped', 'cancelled')", name=op.f("ck_clocks_state")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_clocks_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clocks")),
    )
    op.create_index("ix_clocks_due_at_id", "clocks", ["due_at", "id"])
    op.create_index(
        "ix_clocks_next_check_at",
        "clocks",
        ["next_check_at", "ticket_id"],
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index("ix_clocks_state_due_at_id", "clocks", ["state", "due_at", "id"])
    op.create_index("ix_clocks_ticket_id_metric_cycle", "clocks", ["ticket_id", "metric", "cycle"])


def create_breaches() -> None:
    op.create_table(
        "breaches",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("clock_id", sa.String(40), nullable=False),
        sa.Column("ticket_id", sa.String(40), nullable=False),
        sa.Column("metric", sa.String(200), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("tier", sa.String(200)),
        sa.Column("priority", sa.String(200)),
        sa.Column("group", sa.String(200)),
        sa.Column("assignee", sa.String(200)),
        sa.Column("status", sa.String(20), nullable=False, comment="open = still unanswered; answered; retracted"),
        sa.Column("breached_at", sa.BigInteger(), nullable=False, comment="The deadline"),
        sa.Column("detected_at", sa.BigInteger(), nullable=False),
        sa.Column("detected_late", sa.Boolean(), nullable=False, comment="Learned from a late event or after downtime"),
        sa.Column("cause", sa.String(20), nullable=False, comment="elapsed or retargeted"),
        sa.Column("suppressed", sa.String(60), comment="Why nobody was told; null = told"),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("late_seconds", sa.BigInteger(), comment="Open seconds past due at the answer; null while open"),
        sa.Column("retracted_at", sa.BigInteger()),
        sa.Column("retracted_by", sa.String(500), comment="Key of the event that proved the promise was kept"),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("acknowledged_by", sa.String(200)),
        sa.Column("acknowledge_note", sa.Text()),
        sa.Column("evidence", sa.LargeBinary(), nullable=False, comment="The clock as judged when the breach was recorded"),
        sa.CheckConstraint("status in ('open', 'answered', 'retracted')", name=op.f("ck_breaches_status")),
        sa.ForeignKeyConstraint(["clock_id"], ["clocks.id"], name=op.f("fk_breaches_clock_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_breaches_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaches")),
        sa.UniqueConstraint("clock_id", name=op.f("uq_breaches_clock_id")),
    )
    op.create_index("ix_breaches_breached_at_id", "breaches", ["breached_at", "id"])
    op.create_index("ix_breaches_status_breached_at_id", "breaches", ["status", "breached_at", "id"])
    op.create_index("ix_breaches_ticket_id", "breaches", ["ticket_id"])


def create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(40), nullable=False, comment="The webhook-id"),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("ticket_id", sa.String(40)),
        sa.Column("clock_id", sa.String(40)),
        sa.Column("breach_id", sa.String(40)),
        sa.Column("milestone", sa.String(60), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="The exact bytes that are signed"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), comment="Not worth saying after this; null = always worth"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_clock_id", "notices", ["clock_id"])


def create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("notice_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("effect", sa.String(400), nullable=False, comment="clock, milestone, channel, generation: said once"),
        sa.Column("type", sa.String(60), nullable=False),
        sa.Column("ticket_id", sa.String(40)),
        sa.Column("clock_id", sa.String(40)),
        sa.Column("breach_id", sa.String(40)),
        sa.Column("state", sa.String(20), nullable=False, comment="pending, delivered, superseded, expired, suppressed, dead, paused"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), comment="Null unless pending"),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("fence", sa.Integer(), nullable=False, comment="Raised by each claim; a completion under an older one is refused"),
        sa.Column("error_class", sa.String(40)),
        sa.Column("detail", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.CheckConstraint(
            "state in ('pending', 'delivered', 'superseded', 'expired', 'suppressed', 'dead', 'paused')", name=op.f("ck_deliveries_state")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_deliveries_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("effect", name=op.f("uq_deliveries_effect")),
    )
    op.create_index("ix_deliveries_breach_id", "deliveries", ["breach_id"])
    op.create_index("ix_deliveries_clock_id", "deliveries", ["clock_id"])
    op.create_index(
        "ix_deliveries_next_attempt_at",
        "deliveries",
        ["next_attempt_at"],
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index("ix_deliveries_state_id", "deliveries", ["state", "id"])


def create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, comment="Redacted"),
        sa.Column("status", sa.Integer()),
        sa.Column("error_class", sa.String(40), nullable=False, comment="ok or what went wrong"),
        sa.Column("detail", sa.Text()),
        sa.Column("timing", sa.LargeBinary(), nullable=False, comment="dns, connect, tls, first byte, total: milliseconds"),
        sa.Column("answer", sa.LargeBinary(), comment="At most 8 KiB"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_attempts")),
    )


def create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False, comment="ingest, read, operate, admin"),
        sa.Column("digest", sa.String(64), nullable=False, comment="SHA-256 of the key, hexadecimal"),
        sa.Column("hint", sa.String(20), nullable=False, comment="The first characters, for people"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.CheckConstraint("scope in ('ingest', 'read', 'operate', 'admin')", name=op.f("ck_api_keys_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )


def create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )


def create_job_runs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("job", sa.String(200), nullable=False),
        sa.Column("scheduled_for", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("detail", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("job", "scheduled_for", name=op.f("pk_job_runs")),
    )
